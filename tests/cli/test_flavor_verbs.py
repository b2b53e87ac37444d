"""What a component can be of: also where its library is missing, and flavors of one's own."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENTRIES = """\
[penstock.artifact_stores]
moon = acme_moon:Moon [space]
dark = acme_dark:Dark [space]

[penstock.alerters]
bell = acme_moon:Bell

[penstock.alerter]
stray = acme_moon:Bell
"""

METADATA = """\
Metadata-Version: 2.1
Name: acme
Version: 1.0
Provides-Extra: space
Requires-Dist: no-such-rocket>=2; extra == "space"
"""

MOON = '''\
from dataclasses import dataclass, field
from typing import ClassVar

from penstock.artifacts.local import LocalArtifactStore
from penstock.model.component import Secret, StackComponent


@dataclass(frozen=True, kw_only=True)
class Moon(LocalArtifactStore):
    """Keeps artifacts on the moon.

    Nobody reads this.
    """

    flavor: ClassVar[str] = "moon"

    crater: str = field()
    """Where it lies; by name."""
    token: Secret = field()
    """What opens the gate."""
    gravity: float = 1.62


@dataclass(frozen=True, kw_only=True)
class Bell(StackComponent):
    category: ClassVar[str] = "alerter"
    flavor: ClassVar[str] = "bell"


class Nameless(LocalArtifactStore):
    flavor: ClassVar[str]
'''


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with flavors; of one the module needs a library that is missing."""
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "site" / "acme_moon.py").write_text(MOON)
    (tmp_path / "site" / "acme_dark.py").write_text("import no_such_rocket\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("acme_moon", "acme_dark"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of one's own, with a store and what is none."""
    (tmp_path / "own_moon.py").write_text(MOON)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_moon", raising=False)


def test_every_flavor_has_its_category_and_its_package(penstock: Any) -> None:
    found = {
        (each["category"], each["flavor"]): each
        for each in penstock("flavor", "list", "--json").data
    }

    assert {
        ("orchestrator", "local"),
        ("artifact-store", "local"),
        ("artifact-store", "fsspec"),
        ("step-operator", "subprocess"),
    } <= set(found)
    store = found["artifact-store", "s3"]
    assert (store["target"], store["package"]) == ("penstock_s3:S3ArtifactStore", "penstock")
    assert store["written_in"] is None


@pytest.mark.usefixtures("acme")
def test_a_list_says_what_to_type_where_a_library_is_missing(penstock: Any) -> None:
    lines = [re.split("  +", line) for line in penstock("flavor", "list").out.splitlines()]
    assert lines[0] == ["CATEGORY", "FLAVOR", "FROM", "INSTALLED"]
    assert ["artifact-store", "local", "penstock", "installed"] in lines
    assert ["artifact-store", "moon", "acme", "pip install 'acme[space]'"] in lines
    assert ["alerter", "bell", "acme", "installed"] in lines
    assert not {"acme_moon", "acme_dark"} & set(sys.modules)


@pytest.mark.usefixtures("acme")
def test_a_package_with_an_entry_point_group_that_is_no_categorys_is_named(penstock: Any) -> None:
    said = penstock("flavor", "list")
    assert "'penstock.alerter', which is no category's" in said.err
    assert said.code == 0


@pytest.mark.usefixtures("acme")
def test_a_category_that_a_package_brings_has_the_same_verbs(penstock: Any) -> None:
    assert "  alerter  " in penstock("--help").out
    assert penstock("alerter", "register", "loud", "-f", "bell").code == 0
    assert penstock("alerter", "list", "--json").data[0]["name"] == "loud"
    assert "Did you mean 'alerter'?" in penstock("alertr", "list").err


def test_the_flavors_of_one_category_are_listed_alone(penstock: Any) -> None:
    said = penstock("step-operator", "flavor", "list")
    assert said.out.splitlines() == [
        "FLAVOR      FROM      INSTALLED",
        "subprocess  penstock  installed",
    ]


def test_a_projects_own_flavor_is_listed_and_not_imported(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text(
        'flavors: {orchestrator: {mine: "nowhere.at_all:Mine"}}\n'
    )
    lines = [re.split("  +", line) for line in penstock("flavor", "list").out.splitlines()]

    assert ["orchestrator", "mine", "penstock.yaml", "there is no module 'nowhere'"] in lines
    assert "nowhere" not in sys.modules


def test_a_category_that_only_a_project_has_is_listed(penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text(
        'flavors: {alerter: {bell: "nowhere:Bell"}}\nalerters: {loud: {flavor: bell}}\n'
    )
    done = penstock("flavor", "list")

    assert "alerter         bell        penstock.yaml  " in done.out
    assert done.err == ""


@pytest.mark.usefixtures("acme")
def test_a_flavor_is_described_without_its_library(penstock: Any) -> None:
    said = penstock("artifact-store", "flavor", "describe", "moon")
    lines = said.out.splitlines()
    assert (said.code, said.err) == (0, "")
    assert lines[:6] == [
        "artifact store flavor moon",
        "  class:     acme_moon:Moon",
        "  from:      acme",
        "  installed: pip install 'acme[space]'",
        "",
        "Keeps artifacts on the moon.",
    ]
    described = lines.index("crater: text (required)")
    assert lines[described + 1] == "    Where it lies; by name."
    assert "gravity: a number (default: 1.62)" in lines
    assert "token: a secret, best as ${env:NAME} or ${file:PATH} (required)" in lines
    assert lines[-1] == (
        "To register one: penstock artifact-store register NAME --flavor=moon --crater=… "
        "--token='${env:NAME}'"
    )


@pytest.mark.usefixtures("acme")
def test_a_description_is_data_as_well(penstock: Any) -> None:
    data = penstock("artifact-store", "flavor", "describe", "moon", "--json").data
    assert (data["installed"], data["install"]) == (False, "pip install 'acme[space]'")
    assert data["options"][-2:] == [
        {"option": "token", "type": "a secret, best as ${env:NAME} or ${file:PATH}",
         "required": True, "default": None, "secret": True,
         "description": "What opens the gate."},
        {"option": "gravity", "type": "a number", "required": False, "default": 1.62,
         "secret": False, "description": ""},
    ]  # fmt: skip


@pytest.mark.usefixtures("acme")
def test_a_flavor_that_cannot_be_imported_is_described_as_far_as_it_is_known(penstock: Any) -> None:
    said = penstock("artifact-store", "flavor", "describe", "dark")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "  installed: pip install 'acme[space]'"
    assert said.err == (
        "Warning: what it takes cannot be told. The artifact store flavor 'dark' of the package "
        "'acme' needs the library 'no_such_rocket', which is not installed.\n"
        "pip install 'acme[space]'\n"
    )
    data = penstock("artifact-store", "flavor", "describe", "dark", "--json").data
    assert (data["options"], data["problem"].splitlines()[-1]) == (
        None, "pip install 'acme[space]'",
    )  # fmt: skip


@pytest.mark.parametrize(("category", "flavor"), [
    ("orchestrator", "local"), ("artifact-store", "local"), ("artifact-store", "fsspec"),
    ("artifact-store", "s3"), ("step-operator", "subprocess"),
])  # fmt: skip
def test_every_option_of_ours_is_described(category: str, flavor: str, penstock: Any) -> None:
    data = penstock(category, "flavor", "describe", flavor, "--json").data
    assert data["about"]
    assert [each["option"] for each in data["options"] if not each["description"]] == []


@pytest.mark.usefixtures("acme")
def test_what_the_last_line_of_a_description_says_can_be_typed(penstock: Any) -> None:
    line = penstock("artifact-store", "flavor", "describe", "moon").out.splitlines()[-1]
    words = shlex.split(line.removeprefix("To register one: penstock "))
    assert penstock(*words).code == 0


def test_no_description_is_wider_than_one_reads(penstock: Any) -> None:
    out = penstock("artifact-store", "flavor", "describe", "s3").out
    assert max(map(len, out.splitlines())) <= 88


def test_an_unknown_flavor_is_a_configuration_error_with_a_near_name(penstock: Any) -> None:
    said = penstock("artifact-store", "flavor", "describe", "locl")
    assert (said.code, said.out) == (3, "")
    assert "Did you mean 'local'?" in said.err


@pytest.mark.usefixtures("mine")
def test_ones_own_flavor_is_registered_by_its_class_and_deleted_again(
    penstock: Any, project: Path
) -> None:
    said = penstock("artifact-store", "flavor", "register", "own_moon:Moon")
    assert said.out == "artifact store flavor moon: registered (penstock.yaml:3)\n"
    assert "moon: own_moon:Moon" in (project / "penstock.yaml").read_text()
    assert penstock("artifact-store", "flavor", "describe", "moon", "--json").data[
        "written_in"
    ] == ("penstock.yaml")
    gone = penstock("artifact-store", "flavor", "delete", "moon").out.splitlines()
    assert gone == [
        "artifact store flavor moon: deleted (penstock.yaml)",
        "To undo that: penstock artifact-store flavor register own_moon:Moon",
    ]
    assert "moon" not in (project / "penstock.yaml").read_text()


@pytest.mark.usefixtures("mine")
def test_a_flavor_that_a_component_is_of_is_not_deleted(penstock: Any) -> None:
    penstock("artifact-store", "flavor", "register", "own_moon:Moon")
    words = "register far --flavor=moon --crater=Tycho --token ${env:GATE}"
    assert penstock("artifact-store", *words.split()).code == 0
    said = penstock("artifact-store", "flavor", "delete", "moon")
    assert (said.code, "the artifact store 'far' is of it" in said.err) == (3, True)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(("target", "code", "said"), [
    ("own_moon", 2, "'own_moon' is no class: write package.module:Class."),
    ("own_moon:", 2, "is no class"),
    ("own_moon:Mon", 3, "Did you mean 'Moon'?"),
    ("nowhere:Moon", 3, "there is no module 'nowhere'"),
    ("own_moon:Bell", 3, "which is no ArtifactStore"),
    ("own_moon:Nameless", 3, "Write there: flavor: ClassVar[str] = 'nameless'"),
    ("own_moon:dataclass", 3, "which is no ArtifactStore"),
])  # fmt: skip
def test_what_is_no_flavor_is_refused(
    target: str, code: int, said: str, penstock: Any, project: Path
) -> None:
    found = penstock("artifact-store", "flavor", "register", target)
    assert (found.code, found.out, said in found.err) == (code, "", True), found.err
    assert (project / "penstock.yaml").read_text() == ""


def test_a_flavor_of_a_package_is_in_no_file_to_be_deleted_from(penstock: Any) -> None:
    said = penstock("artifact-store", "flavor", "delete", "s3")
    assert (said.code, "comes with the package 'penstock'" in said.err) == (3, True)


@pytest.mark.parametrize("words", ["--help", "orchestrator --help", "flavor --help"])
def test_help_needs_no_package_to_be_whole(
    words: str, penstock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text("[penstock.alerters]\nno equals sign\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert penstock(*words.split()).code == 0
    assert penstock("flavor", "list").code == 3


def test_a_module_beside_the_file_is_found_from_any_folder_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").touch()
    (tmp_path / "own_far_moon.py").write_text(MOON)
    below = tmp_path / "notebooks"
    below.mkdir()
    code = "import sys; from penstock.cli.main import main; sys.exit(main(sys.argv[1:]))"
    words = ["artifact-store", "flavor", "register", "own_far_moon:Moon"]
    done = subprocess.run(  # -P: as the command `penstock`, which adds no folder by itself
        [sys.executable, "-P", "-c", code, *words],
        capture_output=True, check=False, cwd=below, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"artifact store flavor moon: registered ({tmp_path}/penstock.yaml:3)\n"
    listed = subprocess.run(
        [sys.executable, "-P", "-c", code, "artifact-store", "flavor", "list"],
        capture_output=True, check=True, cwd=below, text=True,
    )  # fmt: skip
    assert re.search(r"^moon .* installed$", listed.stdout, re.MULTILINE)


def test_a_flavor_that_nobody_has_is_in_no_file(penstock: Any) -> None:
    said = penstock("orchestrator", "flavor", "delete", "nope")
    assert said.code == 3
    assert "'nope' is in no file. Flavors in files: none." in said.err
