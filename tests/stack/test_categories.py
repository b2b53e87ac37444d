"""Categories that a package brings: in the file, the registry, a stack, a plan, a command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import BadConfiguration, UnknownComponent, UnknownFlavor
from penstock.model.component import CATEGORIES
from penstock.orchestrators.local import LocalOrchestrator
from penstock.stack.categories import KNOWN, categories, find, name_of, section_of, strays
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.flavor import flavors
from penstock.stack.parsing import configuration
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry
from penstock.stack.stack import Stack

VALIDATORS = '''
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from penstock.model.component import Finding
from penstock.stack import Secret, StackComponent


@dataclass(frozen=True, kw_only=True)
class Strict(StackComponent):
    """Refuses what is out of range."""

    category: ClassVar[str] = "data-validator"
    flavor: ClassVar[str] = "strict"
    makes: ClassVar[str] = "its shelf"

    limit: int = 3
    """How much is too much."""
    key: Secret | None = None

    @property
    def site(self) -> str:
        return f"the shelf {self.name}"

    def check(self) -> Iterator[Finding]:
        yield Finding("limit", self.limit > 0, "nothing would pass" if self.limit < 1 else "")

    def up(self) -> Sequence[str]:
        return [f"made {self.name}"]

    def down(self, *, force: bool = False) -> Sequence[str]:
        return [f"removed {self.name}"] if force else []


@dataclass(frozen=True, kw_only=True)
class Shelf(StackComponent):
    category: ClassVar[str] = "model-registry"
    flavor: ClassVar[str] = "shelf"
'''
ENTRIES = """\
[console_scripts]
acme = acme_validators:main

[penstock.data_validators]
strict = acme_validators:Strict

[penstock.model_registries]
shelf = acme_validators:Shelf

[penstock.runs]
shelf = acme_validators:Shelf

[penstock.materializers]
"acme.grid/1" = acme_validators:Grid
"""
FILE = """\
data_validators:
  tight: {flavor: strict, limit: 1, key: "${env:ACME_KEY}"}
  loose: {flavor: strict}
stacks:
  checked: {orchestrator: default, artifact_store: default, data_validators: [tight, loose]}
"""


def installed(folder: Path, name: str, entries: str, **modules: str) -> Path:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entries)
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text)
    return folder


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package that brings two categories."""
    folder = installed(tmp_path / "site", "acme", ENTRIES, acme_validators=VALIDATORS)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("acme_validators", None)


@pytest.fixture
def checked(acme: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A project whose file has components of such a category."""
    project.file.write_text(FILE)
    monkeypatch.setenv("ACME_KEY", "open sesame")
    return Registry(project, Registered())


def test_the_known_categories_are_those_that_users_write() -> None:
    assert tuple(KNOWN) == CATEGORIES


def test_a_package_brings_a_category_by_its_entry_points(acme: Path) -> None:
    found = categories()

    assert list(found) == [*CATEGORIES, "data-validator", "model-registry"]
    assert found["data-validator"].section == found["data-validator"].key == "data_validators"
    assert found["model-registry"].about == "The model registries, which come with 'acme'."
    assert "acme_validators" not in sys.modules


def test_what_is_installed_later_is_found(acme: Path) -> None:
    assert "alerter" not in categories()
    installed(acme, "bell", "[penstock.alerters]\nbell = bell:Bell\n")

    assert "alerter" in categories()


def test_what_an_update_has_left_behind_does_not_count(
    acme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(installed(tmp_path / "newer", "acme", "[console_scripts]\n"))

    assert "data-validator" not in categories()


def test_a_folder_that_a_broken_installation_has_left_is_skipped(acme: Path) -> None:
    (acme / "~cme-1.0.dist-info").mkdir()
    (acme / "~cme-1.0.dist-info" / "entry_points.txt").write_text("[penstock.ghosts]\na = a:A\n")

    assert "ghost" not in categories()
    assert "data-validator" in categories()


def test_a_package_whose_entry_points_cannot_be_read_is_named(acme: Path) -> None:
    installed(acme, "latin", "").joinpath("latin-1.0.dist-info/entry_points.txt").write_bytes(
        b"[console_scripts]\n\xff = a:b\n"
    )
    assert "data-validator" in categories()

    installed(acme, "broken", "[penstock.orchestrators]\nrocket = this is no target\n")
    with pytest.raises(BadConfiguration, match="points of the package 'broken' cannot be read"):
        categories()


@pytest.mark.parametrize("section", ["artifact_stores", "data_validators", "model_registries"])
def test_a_category_is_its_section_in_the_singular(section: str) -> None:
    assert name_of(section) in ("artifact-store", "data-validator", "model-registry")


def test_a_group_that_is_nearly_a_categorys_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = "[penstock.orchestrator]\nslow = slow:Slow\n\n[penstock.Bells]\nb = b:B\n"
    monkeypatch.syspath_prepend(installed(tmp_path / "site", "slow", entries))

    assert list(strays()) == [
        (
            "b:B of 'slow' is in the entry point group 'penstock.Bells', which is no category's. "
            "It has to be like 'model_deployers'."
        ),
        (
            "slow:Slow of 'slow' is in the entry point group 'penstock.orchestrator', which is no "
            "category's. Did you mean 'orchestrators'?"
        ),
    ]
    assert list(categories()) == list(CATEGORIES)


def test_an_unknown_category_is_told_what_there_is(acme: Path) -> None:
    with pytest.raises(BadConfiguration) as caught:
        find("data-validatr")

    assert str(caught.value) == (
        "There is no category 'data-validatr'. Categories: 'orchestrator', 'artifact-store', "
        "'step-operator', 'experiment-tracker', 'model-deployer', 'data-validator', "
        "'model-registry'.\nDid you mean 'data-validator'?"
    )


def test_flavors_of_a_category_that_nobody_brings_are_none() -> None:
    assert flavors("data-validator") == ()


def test_a_component_that_is_not_there_is_said_with_the_right_plural(checked: Registry) -> None:
    with pytest.raises(UnknownComponent, match=r"no model registry 'x'\. Model registries: none"):
        checked.component("model-registry", "x")


def test_the_file_has_its_components_and_nothing_is_imported(checked: Registry) -> None:
    specs = checked.components("data-validator")

    assert [(spec.name, spec.flavor, spec.where) for spec in specs] == [
        ("tight", "strict", "penstock.yaml:2:3"),
        ("loose", "strict", "penstock.yaml:3:3"),
    ]
    assert checked.stacks()["checked"].more == {"data-validator": ("tight", "loose")}
    assert [spec.name for spec in checked.specs("checked")] == [
        "default", "default", "tight", "loose",
    ]  # fmt: skip
    assert "acme_validators" not in sys.modules


def test_a_stack_says_what_stands_below_its_name(checked: Registry) -> None:
    assert checked.stacks()["checked"].entry() == {
        "orchestrator": "default",
        "artifact_store": "default",
        "data_validators": ["tight", "loose"],
    }
    assert StackSpec("bare").entry() == {"orchestrator": "default", "artifact_store": "default"}


def test_a_stack_has_them_ready_to_use(checked: Registry) -> None:
    stack = checked.stack("checked")
    tight, loose = stack.more["data-validator"]

    assert (tight.limit, tight.key.reveal(), loose.limit) == (1, "open sesame", 3)  # type: ignore[attr-defined]
    assert stack.components[2:] == (tight, loose)


def test_what_is_done_with_each_component_is_done_with_them(checked: Registry) -> None:
    stack = checked.stack("checked").each(lambda part: replace(part, name=f"{part.name}-2"))

    assert [each.name for each in stack.components] == [
        "default-2", "default-2", "tight-2", "loose-2",
    ]  # fmt: skip


def test_a_plan_brings_them_back(checked: Registry) -> None:
    data = json.loads(json.dumps(checked.stack("checked").to_data()))

    assert checked.from_data(data) == checked.stack("checked")
    assert "open sesame" not in json.dumps(data)


def test_a_stack_in_code_is_registered_and_found(checked: Registry) -> None:
    tight = checked.ready("data-validator", "tight")
    mine = Stack(
        "mine",
        orchestrator=LocalOrchestrator(),
        artifact_store=checked.stack("default").artifact_store,
        more={"data-validator": [tight], "model-registry": []},
    )
    checked.register(mine)

    assert checked.stacks()["mine"].more == {"data-validator": ("tight",)}
    assert checked.stack("mine").more == {"data-validator": (tight,)}
    assert checked.stack("mine") == mine


def test_a_stack_is_tried_with_them(checked: Registry) -> None:
    text = FILE.replace("limit: 1", "limit: 0")
    checked.project.file.write_text(text)
    found = checked.stack("checked").check()

    assert not found.ok
    assert "WRONG  data validator tight: limit: nothing would pass" in str(found)


def test_their_places_are_made_and_removed(checked: Registry) -> None:
    stack = checked.stack("checked")

    assert stack.up()[2:] == (
        "data validator tight: made tight",
        "data validator loose: made loose",
    )
    assert stack.down(force=True)[:2] == (
        "data validator loose: removed loose",
        "data validator tight: removed tight",
    )


def test_whoever_has_not_installed_it_works_on_with_all_other_stacks(
    project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.file.write_text(FILE)
    registry = Registry(project, Registered())

    assert registry.stack("default").name == "default"
    assert registry.stacks()["checked"].more == {"data-validator": ("tight", "loose")}
    assert registry.stacks()["checked"].entry()["data_validators"] == ["tight", "loose"]
    (message,) = caplog.messages
    assert message == (
        "penstock.yaml:1:1: No package that is installed here brings flavors of the category "
        "'data-validator'; stacks with a component of it cannot be used."
    )


def test_a_project_may_have_a_category_of_its_own(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "my_validators.py").write_text(VALIDATORS)
    monkeypatch.syspath_prepend(tmp_path)
    own = 'flavors: {data-validator: {strict: "my_validators:Strict"}}\n'
    project.file.write_text(own + FILE.replace("[tight, loose]", "[loose]"))
    (loose,) = Registry(project, Registered()).stack("checked").more["data-validator"]

    assert loose.flavor == "strict"
    assert caplog.messages == []


def test_a_stack_that_needs_it_says_that_it_is_to_be_installed(project: Project) -> None:
    project.file.write_text(FILE.replace("[tight, loose]", "[loose]"))

    with pytest.raises(UnknownFlavor) as caught:
        Registry(project, Registered()).stack("checked")
    assert str(caught.value) == (
        "penstock.yaml:3:3: No data validator flavor named 'strict'. Installed: none.\n"
        "Install the package that brings it."
    )


@pytest.mark.parametrize(
    "text",
    [
        "trackers: {a: {flavor: b}}",
        "stores: {a: {flavor: b}}",
        "artefact_stores: {a: {flavor: b}}",
        "data_validator: {a: {flavor: b}}",
        "runs: {a: {flavor: b}}",
        "data_validators: {a: {flavour: b}}",
        "data_validators: {}",
        "data_validators: [a]",
        "stacks: {s: {orchestrator: default, artifact_store: default, data_validators: [a]}}",
    ],
)
def test_what_is_no_section_of_components_is_an_unknown_key(text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"^penstock.yaml:1:\d+: There is no key '"):
        configuration(Path("penstock.yaml"), text)


@pytest.mark.parametrize("section", ["artifact_stores", "data_validators", "registries", "keys"])
def test_a_section_is_found_from_its_category(section: str) -> None:
    assert section_of(name_of(section)) == section


def test_a_misspelt_section_of_a_package_is_a_near_name(acme: Path, project: Project) -> None:
    project.file.write_text(FILE.replace("data_validators:", "data_validater:", 1))

    with pytest.raises(BadConfiguration, match="Did you mean 'data_validators'"):
        Registry(project, Registered()).components()


def test_a_name_that_no_component_has_is_said_where_it_stands(acme: Path, project: Project) -> None:
    project.file.write_text(FILE.replace("[tight, loose]", "[tight, lose]"))

    with pytest.raises(BadConfiguration) as caught:
        Registry(project, Registered()).components()
    assert str(caught.value) == (
        "penstock.yaml:5:86: The stack 'checked' names the data validator 'lose', which is not in "
        "this file; there are: 'tight', 'loose'. Did you mean 'loose'?"
    )


def test_a_project_may_have_a_flavor_of_its_own_for_it(checked: Registry) -> None:
    own = 'flavors: {data-validator: {mine: "my_pkg:Mine"}}\n'
    checked.project.file.write_text(FILE + own)

    assert [each.name for each in flavors("data-validator", checked.flavors)] == ["mine", "strict"]


def test_an_unknown_flavor_of_it_lists_what_is_installed(checked: Registry) -> None:
    checked.project.file.write_text(FILE.replace("flavor: strict}", "flavor: strickt}"))

    with pytest.raises(UnknownFlavor) as caught:
        checked.stack("checked")
    assert str(caught.value) == (
        "penstock.yaml:3:3: No data validator flavor named 'strickt'. Installed: 'strict'.\n"
        "Did you mean 'strict'?"
    )


def local(**more: Any) -> Stack:
    default = Registry(Project.find(), Registered()).stack("default")
    parts = {"orchestrator": default.orchestrator, "artifact_store": default.artifact_store}
    return Stack("mine", **{**parts, **more})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"more": {"step-operator": [LocalOrchestrator()]}},
            (
                "Stack 'mine': more is for other categories than 'step-operator'.\n"
                "Write: step_operators=…"
            ),
        ),
        (
            {"more": {"bell": [LocalOrchestrator(name="x")]}},
            "Stack 'mine': more['bell'] is given LocalOrchestrator(name='x', max_workers=None",
        ),
        (
            {"model_deployers": [LocalOrchestrator(name="x")]},
            "which is no component of the category 'model-deployer'.",
        ),
    ],
)
def test_what_is_of_another_category_is_refused(more: Any, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        local(**more)
    assert message in str(caught.value)


def test_two_of_one_name_are_refused(checked: Registry) -> None:
    tight = checked.ready("data-validator", "tight")

    with pytest.raises(BadConfiguration, match=r"two of its more\['data-validator'\] are named"):
        local(more={"data-validator": [tight, tight]})


def test_they_are_written_into_the_file_and_read_back(checked: Registry) -> None:
    changes = Changes(checked)
    changes.register_component(ComponentSpec("data-validator", "third", "strict", {"limit": 7}))
    changes.update_stack("checked", {"data_validators": ["third", "loose"]})
    changes.delete_component("data-validator", "tight")

    assert checked.stack("checked").more["data-validator"][0].limit == 7  # type: ignore[attr-defined]
    assert [spec.name for spec in checked.components("data-validator")] == ["loose", "third"]
    assert "data_validators: [third, loose]" in checked.project.file.read_text()


RUN = """
from penstock import LocalOrchestrator, pipeline, step
from penstock.client import Client

@step
def one() -> int:
    return 1

@pipeline
def small() -> int:
    return one()

if __name__ == "__main__":
    run = small.on("checked").run()
    print(run.result(), [each.name for each in Client().registry.stack("checked").components])
"""


def test_a_run_on_such_a_stack_works_in_worker_processes_too(checked: Registry, acme: Path) -> None:
    workers = "orchestrators: {side: {flavor: local, workers: processes}}\n"
    checked.project.file.write_text(
        workers + FILE.replace("orchestrator: default", "orchestrator: side")
    )
    script = checked.project.root / "small.py"
    script.write_text(RUN)
    run = subprocess.run(
        [sys.executable, "-W", "error", script],
        env={**os.environ, "PYTHONPATH": str(acme)},
        cwd=checked.project.root, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip

    assert run.stdout == "1 ['side', 'default', 'tight', 'loose']\n", run.stderr


def test_the_command_line_lists_its_flavors(checked: Registry, acme: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "penstock", "flavor", "list", "--json"],
        env={**os.environ, "PYTHONPATH": str(acme)},
        cwd=checked.project.root, capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip

    listed = [each for each in json.loads(run.stdout) if each["package"] == "acme"]
    assert [(each["category"], each["flavor"]) for each in listed] == [
        ("data-validator", "strict"),
        ("model-registry", "shelf"),
    ]


def test_to_list_categories_needs_none_of_their_ports() -> None:
    code = (
        "import sys; from penstock.stack.categories import KNOWN; list(KNOWN);"
        "print('penstock.stack.orchestrator' in sys.modules, KNOWN['orchestrator'].port.__name__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False Orchestrator\n"
