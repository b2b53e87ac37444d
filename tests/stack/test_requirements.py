"""What a flavor still needs: told from metadata, without importing anything."""

import sys
from pathlib import Path

import pytest

from penstock.stack.flavor import Flavor, find, flavors
from penstock.stack.requirements import missing

METADATA = """\
Metadata-Version: 2.1
Name: acme
Version: 1.0
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def acme(site: Path, *requirements: str, entries: str = "", name: str = "acme") -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    lines = "".join(f"Requires-Dist: {text}\n" for text in requirements)
    (info / "METADATA").write_text(METADATA.replace("acme", name) + lines)
    (info / "entry_points.txt").write_text(entries)


@pytest.mark.parametrize(
    ("requirement", "absent"),
    [
        ("no-such-lib>=2 ; extra == 'fast'", ("no-such-lib",)),
        ('no-such-lib>=2; extra == "fast"', ("no-such-lib",)),
        ("no-such-lib[a,b] (>=2) ; extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib @ https://files.example/no.whl ; extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib ; extra == 'slow'", ()),
        ("no-such-lib ; extra == 'slow' or extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib ; (python_version >= '3.9') and extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib ; python_version < '3.9' and extra == 'fast'", ()),
        ("no-such-lib ; python_full_version >= '3.10.1' and extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib ; sys_platform == 'amiga' and extra == 'fast'", ()),
        ("no-such-lib ; sys_platform in 'linux darwin win32' and extra == 'fast'",
         ("no-such-lib",)),
        ("no-such-lib ; os_name not in 'amiga' and extra == 'fast'", ("no-such-lib",)),
        ("no-such-lib ; python_version ~= '3.1' and extra == 'fast'", ()),
        ("no-such-lib ; of_no_such_name == '1' and extra == 'fast'", ()),
        ("no-such-lib", ()),
        ("pydantic>=2 ; extra == 'fast'", ()),
    ],
)  # fmt: skip
def test_a_requirement_is_missing_if_the_extra_asks_for_it_here(
    site: Path, requirement: str, absent: tuple[str, ...]
) -> None:
    acme(site, requirement)

    assert missing("acme", ["fast"]) == absent


def test_an_extra_may_name_others_and_itself(site: Path) -> None:
    acme(
        site,
        "no-such-lib; extra == 's3'",
        "nor-this; extra == 'very-fast'",
        "acme[s3,Very_Fast,all]; extra == 'all'",
    )

    assert missing("acme", ["all"]) == ("no-such-lib", "nor-this")


def test_a_requirement_may_have_extras_of_its_own(site: Path) -> None:
    acme(site, "beta[zip]; extra == 'fast'")
    acme(site, "no-such-zip; extra == 'zip'", name="beta")

    assert missing("acme", ["fast"]) == ("no-such-zip",)


def test_a_flavor_knows_the_line_that_installs_the_rest(site: Path) -> None:
    entries = "[penstock.orchestrators]\nrocket = acme_moon:Rocket [space]\nbus = acme_bus:Bus\n"
    acme(site, "no-such-lib; extra == 'space'", "pydantic; extra == 'road'", entries=entries)
    rocket, bus = find("orchestrator", "rocket"), find("orchestrator", "bus")

    assert (rocket.missing, rocket.install) == (("no-such-lib",), "pip install 'acme[space]'")
    assert (bus.missing, bus.install) == ((), "")
    assert not {"acme_moon", "acme_bus"} & set(sys.modules)


def test_what_is_built_in_or_a_projects_own_needs_nothing() -> None:
    own = Flavor("orchestrator", "mine", "my_pkg:Mine")

    assert {each.missing for each in (*flavors("orchestrator"), own)} == {()}
    assert own.install == ""
