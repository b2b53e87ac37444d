import json
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock.artifacts.local import LocalArtifactStore
from penstock.errors import (
    BadConfiguration,
    MissingReference,
    NameTaken,
    UnknownComponent,
    UnknownFlavor,
    UnknownStack,
)
from penstock.model.component import Secret
from penstock.model.resources import Resources
from penstock.model.retry import Retry
from penstock.orchestrators.local import LocalOrchestrator
from penstock.stack.component import ComponentSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry
from penstock.stack.stack import Stack
from penstock.stack.steps import step_options

PROD = """\
orchestrators:
  wide: {flavor: local, max_workers: 8}
artifact_stores:
  bucket: {flavor: local, path: "${env:BUCKET}", signing_key: "${env:TEAM_KEY}"}
stacks:
  prod: {orchestrator: wide, artifact_store: bucket, steps: {train: {retries: 2}}}
  dev: {orchestrator: wide, artifact_store: default}
"""


def stack(name: str = "mine", workers: int = 4, path: str = ".penstock") -> Stack:
    return Stack(
        name,
        orchestrator=LocalOrchestrator(max_workers=workers),
        artifact_store=LocalArtifactStore(path=path),
    )


@pytest.fixture
def prod(project: Project) -> None:
    project.file.write_text(PROD)


def test_the_default_stack_is_there_without_a_file(registry: Registry, project: Project) -> None:
    found = registry.stack()

    assert found == Stack(
        "default",
        orchestrator=LocalOrchestrator(name="default"),
        artifact_store=LocalArtifactStore(name="default", path=str(project.root / ".penstock")),
    )
    assert found.origin == "the default"
    assert not project.folder.exists()


def test_a_stack_of_the_file_is_made_with_its_references_and_place(
    prod: None, registry: Registry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUCKET", "data/bucket")

    found = registry.stack("prod", by="--stack")

    assert found.orchestrator == LocalOrchestrator(name="wide", max_workers=8)
    assert found.artifact_store == LocalArtifactStore(
        name="bucket",
        path=str(project.root / "data/bucket"),
        signing_key=Secret("${env:TEAM_KEY}"),
    )
    assert found.steps == {"train": {"retries": 2}}
    assert found.origin == "--stack"


def test_listings_import_and_resolve_nothing(registry: Registry, project: Project) -> None:
    project.file.write_text(
        'orchestrators: {kf: {flavor: nowhere, host: "${env:NO_SUCH}"}}\n'
        "stacks: {prod: {orchestrator: kf, artifact_store: default}}\n"
    )

    assert [spec.name for spec in registry.components("orchestrator")] == ["default", "kf"]
    assert list(registry.stacks()) == ["default", "prod"]
    assert registry.specs("prod") == (
        ComponentSpec("orchestrator", "kf", "nowhere", {"host": "${env:NO_SUCH}"}),
        ComponentSpec("artifact-store", "default", "local"),
    )


@pytest.mark.parametrize(
    ("chosen", "variable", "was_set", "active", "user", "name", "origin"),
    [
        ("a", "b", "c", "d", "e", "a", "given to on()"),
        (None, "b", "c", "d", "e", "b", "PENSTOCK_STACK"),
        (None, "", "c", "d", "e", "c", "penstock stack set, in .penstock/active"),
        (None, "  ", None, "d", "e", "d", "penstock.yaml:1"),
        (None, None, None, None, "e", "e", "{config}/penstock/penstock.yaml:1"),
        (None, None, None, None, None, "default", "the default"),
        ("default", "b", None, None, None, "default", "given to on()"),
    ],
)
def test_who_chooses_the_stack(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    registry: Registry,
    chosen: str | None,
    variable: str | None,
    was_set: str | None,
    active: str | None,
    user: str | None,
    name: str,
    origin: str,
) -> None:
    entries = "".join(
        f"  {x}: {{orchestrator: default, artifact_store: default}}\n" for x in "abcde"
    )
    (tmp_path / "config/penstock").mkdir(parents=True)
    for file, value in (
        (registry.project.file, active),
        (tmp_path / "config/penstock/penstock.yaml", user),
    ):
        file.write_text(f"active: {value or ''}\nstacks:\n{entries}")
    if was_set:
        registry.project.choose(was_set)
    if variable is not None:
        monkeypatch.setenv("PENSTOCK_STACK", variable)

    choice = registry.active(chosen)

    assert (choice.name, choice.origin) == (name, origin.format(config=tmp_path / "config"))
    assert registry.stack(chosen).origin == choice.origin


def test_a_stack_in_code_is_chosen_as_it_is(registry: Registry, project: Project) -> None:
    found = registry.stack(stack(path="data"))

    assert (found.name, found.origin) == ("mine", "given to on()")
    assert found.artifact_store.path == str(project.root / "data")


def test_references_in_a_stack_in_code_resolve_too(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "/data")

    found = registry.stack(stack(path="${env:PLACE}/x"))

    assert found.artifact_store.path == "/data/x"
    assert found.to_data()["components"][1]["options"] == {"path": "${env:PLACE}/x"}


def test_an_unknown_stack_in_the_variable_says_what_to_type(
    prod: None, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prd")

    with pytest.raises(UnknownStack) as caught:
        registry.stack()

    assert str(caught.value) == (
        "There is no stack 'prd' (PENSTOCK_STACK). Stacks: 'default', 'prod', 'dev'.\n"
        "Did you mean 'prod'? Type: export PENSTOCK_STACK=prod"
    )


def test_an_unknown_stack_says_who_asked_and_what_helps(
    prod: None, registry: Registry, project: Project
) -> None:
    there = "Stacks: 'default', 'prod', 'dev'."
    with pytest.raises(UnknownStack) as given:
        registry.stack("zzz")
    project.choose("zzz")
    with pytest.raises(UnknownStack) as was_set:
        registry.active()
    (project.folder / "active").unlink()
    project.file.write_text(PROD + "active: zzz\n")
    with pytest.raises(UnknownStack) as written:
        registry.active()

    assert str(given.value) == (
        f"There is no stack 'zzz' (given to on()). {there}\nType: penstock stack list"
    )
    assert str(was_set.value) == (
        f"There is no stack 'zzz' (penstock stack set, in .penstock/active). {there}\n"
        "Type: penstock stack set default"
    )
    assert str(written.value) == (
        f"There is no stack 'zzz' (penstock.yaml:8). {there}\nWrite there: active: default"
    )


def test_a_file_of_a_near_name_is_pointed_out(registry: Registry, project: Project) -> None:
    (project.root / "penstock.yml").write_text(PROD)

    with pytest.raises(UnknownStack, match=r"penstock\.yml is not read: the file's name is"):
        registry.stack("prod")


def test_the_projects_entries_win_over_the_users(
    tmp_path: Path, prod: None, registry: Registry
) -> None:
    (tmp_path / "config/penstock").mkdir(parents=True)
    (tmp_path / "config/penstock/penstock.yaml").write_text(
        "orchestrators: {wide: {flavor: local, max_workers: 1}, own: {flavor: local}}\n"
        "stacks: {own: {orchestrator: wide, artifact_store: default}}\n"
    )

    assert registry.component("orchestrator", "wide").options == {"max_workers": 8}
    assert list(registry.stacks()) == ["default", "prod", "dev", "own"]
    assert [spec.name for spec in registry.components("orchestrator")] == ["default", "wide", "own"]


def test_a_user_whose_home_is_closed_has_no_file(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").touch()  # not even a folder

    assert registry.stack().name == "default"


def test_an_unknown_component_lists_what_there_is(prod: None, registry: Registry) -> None:
    with pytest.raises(UnknownComponent) as caught:
        registry.component("artifact-store", "buckett")

    assert str(caught.value) == (
        "There is no artifact store 'buckett'. Artifact stores: 'default', 'bucket'.\n"
        "Did you mean 'bucket'?"
    )


def test_an_unknown_flavor_has_the_place_that_asks_for_it(
    registry: Registry, project: Project
) -> None:
    project.file.write_text(
        "orchestrators: {a: {flavor: locl}}\n"
        "stacks: {a: {orchestrator: a, artifact_store: default}}"
    )

    with pytest.raises(UnknownFlavor, match=r"^penstock.yaml:1:17: No orchestrator flavor"):
        registry.stack("a")


def test_the_problems_of_all_components_are_told_at_once(
    registry: Registry, project: Project
) -> None:
    project.file.write_text(PROD.replace("8", "many"))

    with pytest.raises(BadConfiguration) as caught:
        registry.stack("prod")

    assert str(caught.value) == (
        "The stack 'prod' has 2 problems:\n"
        "  penstock.yaml:2:38: orchestrator 'wide', option 'max_workers': 'many' does not fit: "
        "a whole number is needed.\n"
        "  penstock.yaml:4:33: artifact store 'bucket', option 'path': The environment variable "
        "'BUCKET' is not set (${env:BUCKET} needs it).\n"
        "    export BUCKET=…"
    )


def test_own_flavors_of_the_file_are_used(
    kitchen: ModuleType, registry: Registry, project: Project
) -> None:
    project.file.write_text(
        'flavors: {orchestrator: {oven: "kitchen:Oven"}}\n'
        "orchestrators: {big: {flavor: oven, host: x}}\n"
        "stacks: {a: {orchestrator: big, artifact_store: default}}\n"
    )

    assert registry.stack("a").orchestrator == kitchen.Oven(name="big", host="x")


def test_a_registered_stack_holds_for_this_process(registry: Registry, project: Project) -> None:
    registry.register(stack(path="data"))
    registry.register(stack(path="data"))

    assert list(registry.stacks()) == ["default", "mine"]
    assert registry.stacks()["mine"].where == "registered in this process"
    assert registry.stack("mine").artifact_store.path == str(project.root / "data")
    assert list(Registry(project, Registered()).stacks()) == ["default"]


def test_what_differs_under_a_taken_name_is_refused_and_both_are_shown(registry: Registry) -> None:
    registry.register(stack())

    with pytest.raises(NameTaken) as caught:
        registry.register(stack(workers=5))

    message = str(caught.value)
    assert message.startswith(
        "The stack name 'mine' is taken.\n  registered in this process: Stack(name='mine', "
    )
    assert "max_workers=4" in message
    assert "\n  to register: Stack(name='mine', " in message
    assert "max_workers=5" in message


def test_an_equal_stack_of_the_file_may_be_registered(prod: None, registry: Registry) -> None:
    wide = LocalOrchestrator(name="wide", max_workers=8)
    store = LocalArtifactStore(name="default")

    registry.register(Stack("dev", orchestrator=wide, artifact_store=store))

    assert registry.stacks()["dev"].where == "penstock.yaml:7:3"


@pytest.mark.parametrize("name", ["prod", "Prod", "default"])
def test_names_of_the_file_and_of_the_house_are_taken(
    prod: None, registry: Registry, name: str
) -> None:
    with pytest.raises(NameTaken, match=f"The stack name '{name}' is taken"):
        registry.register(stack(name))


def test_components_are_registered_by_category(prod: None, registry: Registry) -> None:
    registry.register(LocalOrchestrator(name="wide", max_workers=8))
    registry.register(LocalArtifactStore(name="wide"))
    registry.register(LocalArtifactStore(name="wide"))
    with pytest.raises(NameTaken, match="The orchestrator name 'wide' is taken"):
        registry.register(LocalOrchestrator(name="wide"))

    names = [spec.name for spec in registry.components("artifact-store")]
    assert names == ["default", "bucket", "wide"]


def test_a_chosen_stack_is_kept_for_the_checkout(
    prod: None, registry: Registry, project: Project
) -> None:
    assert registry.set_active("dev") is None
    assert registry.active().name == "dev"


def test_a_choice_that_the_variable_overrides_is_warned_of(
    prod: None, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prod")

    assert registry.set_active("dev") == (
        "PENSTOCK_STACK=prod is set here and wins over penstock stack set, in .penstock/active. "
        "To end that: unset PENSTOCK_STACK"
    )
    assert registry.project.active == "dev"
    assert registry.set_active("prod") is None
    monkeypatch.setenv("PENSTOCK_STACK", "no such stack")
    assert "no such stack" in (registry.set_active("dev") or "")


def test_only_a_stack_that_lasts_can_be_chosen(registry: Registry, project: Project) -> None:
    registry.register(stack())

    for name in ("mine", "nowhere"):
        with pytest.raises(UnknownStack):
            registry.set_active(name)
    assert project.active is None


def test_a_stack_comes_back_from_its_data_in_another_process(
    prod: None, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUCKET", "one")
    found = registry.stack("prod")
    data = json.loads(json.dumps(found.to_data()))

    assert data["components"][1]["options"] == {
        "path": "${env:BUCKET}",
        "signing_key": "${env:TEAM_KEY}",
    }
    assert registry.from_data(data) == found
    monkeypatch.setenv("BUCKET", "/two")
    assert registry.from_data(data).artifact_store.path == "/two"


def test_a_literal_secret_is_noted_and_stays_out_of_the_data(
    registry: Registry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.file.write_text(
        "artifact_stores: {b: {flavor: local, signing_key: sesame}}\n"
        "stacks: {a: {orchestrator: default, artifact_store: b}}"
    )
    found = registry.stack("a")
    data = found.to_data()

    assert found.notes == (
        (
            "penstock.yaml:1:51: the artifact store 'b' has a secret written out in 'signing_key'; "
            "${env:NAME} or ${file:PATH} would keep it out of files and history."
        ),
    )
    assert "sesame" not in json.dumps(data) + repr(found) + repr(registry.components())
    with pytest.raises(MissingReference):
        registry.from_data(data).artifact_store.signing_key.reveal()  # type: ignore[union-attr]

    ((variable, secret),) = found.environment.items()
    monkeypatch.setenv(variable, secret)
    assert registry.from_data(data).artifact_store.signing_key.reveal() == "sesame"  # type: ignore[union-attr]


def test_options_of_steps_given_in_code_become_data() -> None:
    made = Stack(
        "a",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(),
        steps={"train": {"resources": Resources(gpu=1), "retries": 1}},
    )

    assert made.to_data()["steps"] == {"train": {"resources": {"gpu": 1}, "retries": 1}}


@pytest.mark.parametrize("said", [timedelta(hours=12), "12h", "0.5d", 43_200])
def test_a_span_of_time_in_a_stacks_options_of_steps_is_plain_in_a_plan(said: Any) -> None:
    made = Stack(
        "here", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(),
        steps={"train": {"cache_for": said}},
    )  # fmt: skip

    written = json.loads(json.dumps(made.to_data()["steps"]))

    assert step_options(written["train"]) == {"cache_for": timedelta(hours=12)}


def test_a_retry_given_in_code_becomes_data() -> None:
    retry = Retry(times=2, on=[OSError])
    made = Stack(
        "a",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(),
        steps={"train": {"retries": retry}},
    )

    written = made.to_data()["steps"]["train"]
    assert written["retries"]["on"] == ["OSError"]
    assert step_options(written)["retries"] == retry


def test_options_of_steps_given_in_code_are_checked() -> None:
    with pytest.raises(BadConfiguration, match="step 'train': There is no step option 'retrys'"):
        Stack(
            "a",
            orchestrator=LocalOrchestrator(),
            artifact_store=LocalArtifactStore(),
            steps={"train": {"retrys": 1}},
        )


def test_two_step_operators_of_one_name_are_refused(kitchen: ModuleType) -> None:
    with pytest.raises(BadConfiguration, match="two of its step_operators are named 'grill'"):
        Stack(
            "a",
            orchestrator=LocalOrchestrator(),
            artifact_store=LocalArtifactStore(),
            step_operators=[kitchen.Grill(), kitchen.Grill()],
        )
