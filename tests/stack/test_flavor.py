import sys
from pathlib import Path

import pytest

from penstock.errors import BadConfiguration, MissingExtra, NameTaken, UnknownFlavor
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
    assert find("artifact-store", "fsspec").load().__name__ == "RemoteArtifactStore"


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
        "The orchestrator flavor 'rocket' of the package 'acme' needs the library "
        "'no_such_library', which is not installed.\npip install 'acme[space]'"
    )


def test_an_unknown_flavor_lists_what_is_installed_and_a_near_name(acme: None) -> None:
    with pytest.raises(UnknownFlavor) as caught:
        find("artifact-store", "mooon", where="penstock.yaml:2:3")

    assert str(caught.value) == (
        "penstock.yaml:2:3: No artifact store flavor named 'mooon'. Installed: 'fsspec', 'local', "
        "'moon', 's3'.\n"
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
            (
                "The orchestrator flavor 'oven' is 'kitchen:Nothing', and the module 'kitchen' has "
                "no 'Nothing'."
            ),
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


def installed(folder: Path, name: str, entries: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[penstock.orchestrators]\n{entries}\n")


@pytest.fixture
def rivals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two distributions that bring one name, and one whose modules are not what they say."""
    installed(tmp_path, "zeta", "rocket = zeta_rocket:Rocket\nsame = shared:Same")
    installed(tmp_path, "acme", "rocket = acme_rocket:Rocket\nsame = shared:Same")
    installed(tmp_path, "broken", "empty = acme_rocket:Empty\ngone = acme_gone:Gone")
    (tmp_path / "acme_rocket.py").write_text("Rocket = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_rocket", raising=False)


@pytest.mark.usefixtures("rivals")
def test_a_name_that_two_packages_bring_is_never_guessed() -> None:
    with pytest.raises(NameTaken) as caught:
        find("orchestrator", "rocket", where="penstock.yaml:2:3")

    assert str(caught.value) == (
        "penstock.yaml:2:3: Several packages bring an orchestrator flavor named 'rocket': "
        "acme_rocket:Rocket of 'acme', zeta_rocket:Rocket of 'zeta'.\n"
        "Say in penstock.yaml which one is meant: "
        'flavors: {orchestrator: {rocket: "acme_rocket:Rocket"}}'
    )


@pytest.mark.usefixtures("rivals")
def test_the_project_says_which_of_two_is_meant() -> None:
    own = {"orchestrator": {"rocket": "zeta_rocket:Rocket"}}

    assert find("orchestrator", "rocket", own).target == "zeta_rocket:Rocket"


@pytest.mark.usefixtures("rivals")
def test_a_class_that_two_packages_bring_is_one() -> None:
    assert find("orchestrator", "same").target == "shared:Same"


@pytest.mark.usefixtures("rivals")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "empty",
            (
                "The orchestrator flavor 'empty' of the package 'broken' is 'acme_rocket:Empty', "
                "and the module 'acme_rocket' has no 'Empty'."
            ),
        ),
        (
            "gone",
            (
                "The orchestrator flavor 'gone' of the package 'broken' is 'acme_gone:Gone', and "
                "there is no module 'acme_gone'.\n"
                "That is for the makers of 'broken' to put right."
            ),
        ),
    ],
)
def test_an_entry_point_that_names_nothing_is_said(name: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        find("orchestrator", name).load()

    assert str(caught.value) == message


def test_an_unknown_flavor_without_a_near_name_is_to_be_installed() -> None:
    with pytest.raises(UnknownFlavor, match="Install the package that brings it"):
        find("orchestrator", "submarine")


BAD = """
import sys
from dataclasses import dataclass
from typing import ClassVar
from penstock.stack import Orchestrator

@dataclass(frozen=True, kw_only=True)
class Lazy(Orchestrator):
    flavor: ClassVar[str] = "bad"

class Bare(Orchestrator):
    flavor: ClassVar[str] = "bad"
    host: str = ""
    def submit(self, job, observer): ...

class Plain(Orchestrator):
    flavor: ClassVar[str] = "bad"
    def submit(self, job, observer): ...
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Lazy", "which lacks what every Orchestrator has: 'submit'."),
        ("Bare", "which is no dataclass: 'host' would be no option.\nWrite above the class: @data"),
    ],
)
def test_a_class_that_is_not_finished_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    (tmp_path / "bad_orch.py").write_text(BAD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "bad_orch", raising=False)

    with pytest.raises(BadConfiguration) as caught:
        find("orchestrator", "bad", {"orchestrator": {"bad": f"bad_orch:{name}"}}).load()
    assert message in str(caught.value)
    assert find("orchestrator", "bad", {"orchestrator": {"bad": "bad_orch:Plain"}}).load()


def test_a_module_that_ends_the_process_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving_orch.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(BadConfiguration, match=r"failed: SystemExit: 3 \(.*leaving_orch.py:2\)"):
        find("orchestrator", "x", {"orchestrator": {"x": "leaving_orch:X"}}).load()


def test_a_class_names_its_flavor_itself_and_by_no_inheritance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_stores.py").write_text(
        "from penstock.artifacts.local import LocalArtifactStore\n"
        "class Named(LocalArtifactStore):\n    flavor = 'kept'\n"
        "class Nameless(LocalArtifactStore): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert Flavor("artifact-store", "x", "own_stores:Named").own_name == "kept"
    assert Flavor("artifact-store", "x", "own_stores:Nameless").own_name == "x"
