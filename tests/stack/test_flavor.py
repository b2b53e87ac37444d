import sys
from pathlib import Path

import pytest

from penstock.errors import BadConfiguration, MissingExtra, UnknownFlavor
from penstock.model.component import CATEGORIES
from penstock.stack.flavor import Flavor, find, flavors

ENTRIES = """\
[penstock.orchestrators]
rocket = acme_rocket:Rocket [space]
local = acme_rocket:Local

[penstock.artifact_stores]
moon = acme_rocket:Moon
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with flavors, one of which needs a library."""
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "acme_rocket.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_the_built_in_flavors_load() -> None:
    assert find("orchestrator", "local").load().__name__ == "LocalOrchestrator"
    assert find("artifact-store", "local").load().__name__ == "LocalArtifactStore"


def test_entry_points_are_found_and_not_imported(acme: None) -> None:
    assert find("orchestrator", "rocket") == Flavor(
        "orchestrator", "rocket", "acme_rocket:Rocket", "acme", ("space",)
    )
    assert "acme_rocket" not in sys.modules


def test_a_listing_has_each_name_once_and_the_built_in_first(acme: None) -> None:
    found = flavors("orchestrator", {"orchestrator": {"mine": "my_pkg:Mine", "rocket": "my:R"}})

    targets = {flavor.name: flavor.target for flavor in found}
    assert targets["local"] == "penstock.orchestrators.local:LocalOrchestrator"
    assert targets["mine"] == "my_pkg:Mine"
    assert targets["rocket"] == "my:R"
    assert len(found) == len(targets)


def test_every_category_can_be_listed() -> None:
    assert all(isinstance(flavors(category), tuple) for category in CATEGORIES)


def test_a_missing_library_of_an_entry_point_names_its_extra(acme: None) -> None:
    with pytest.raises(MissingExtra) as caught:
        find("orchestrator", "rocket").load()

    assert str(caught.value) == (
        "The orchestrator flavor 'rocket' needs the library 'no_such_library', which is not "
        "installed.\npip install 'acme[space]'"
    )


def test_an_unknown_flavor_lists_what_is_installed_and_a_near_name(acme: None) -> None:
    with pytest.raises(UnknownFlavor) as caught:
        find("artifact-store", "mooon", where="penstock.yaml:2:3")

    assert str(caught.value) == (
        "penstock.yaml:2:3: No artifact store flavor named 'mooon'. Installed: 'local', 'moon'.\n"
        "Did you mean 'moon'?"
    )


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "no_such_package.orch:Mine",
            (
                "The orchestrator flavor 'oven' is 'no_such_package.orch:Mine', and there is no "
                "module 'no_such_package'."
            ),
        ),
        (
            "kitchen:Nothing",
            "The orchestrator flavor 'oven' is 'kitchen:Nothing', which is no Orchestrator.",
        ),
        (
            "kitchen:NoOven",
            "The orchestrator flavor 'oven' is 'kitchen:NoOven', which is no Orchestrator.",
        ),
        (
            "kitchen:Grill",
            "The orchestrator flavor 'oven' is 'kitchen:Grill', which is no Orchestrator.",
        ),
        (
            "penstock.orchestrators.local:LocalOrchestrator",
            (
                "The orchestrator flavor 'oven' is "
                "'penstock.orchestrators.local:LocalOrchestrator', whose flavor is 'local'."
            ),
        ),
    ],
)
@pytest.mark.usefixtures("kitchen")
def test_a_target_that_is_no_such_component_is_said(target: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        find("orchestrator", "oven", {"orchestrator": {"oven": target}}).load()

    assert caught.value.message == message


def test_a_module_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_orch.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(BadConfiguration, match="failed: ZeroDivisionError: division by zero"):
        find("orchestrator", "x", {"orchestrator": {"x": "broken_orch:X"}}).load()
