import logging
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Resources, Stack
from penstock.errors import (
    BadArguments,
    BadConfiguration,
    BadStep,
    NameTaken,
    StackError,
    UnknownComponent,
    UnknownFlavor,
    UnknownStack,
)
from penstock.model.component import Secret
from penstock.model.retry import Retry
from penstock.stack.changing.change import Change
from penstock.step_operators.subprocess import SubprocessStepOperator


@dataclass(frozen=True, kw_only=True)
class Lazy(LocalOrchestrator):
    flavor: ClassVar[str] = "lazy"


@dataclass(frozen=True, kw_only=True)
class Pretender(LocalOrchestrator):
    naps: int = 1


def mine(workers: int = 4, path: str = "data", **more: Any) -> Stack:
    return Stack(
        "mine",
        orchestrator=LocalOrchestrator(name="wide", max_workers=workers),
        artifact_store=LocalArtifactStore(name="bucket", path=path),
        **more,
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "penstock.yaml"
    found.write_text("# the team's\n")
    return found


@pytest.fixture
def client(file: Path) -> Client:
    return Client()


def told(change: Change | None) -> Change:
    assert change is not None
    return change


def test_a_stack_is_saved_with_its_components(client: Client, file: Path, tmp_path: Path) -> None:
    change = told(client.register(mine(), save=True))

    assert (change.what, change.how, change.file) == ("stack mine", "registered", file)
    assert change.undo == "penstock stack delete mine --recursive"
    assert change.remarks == (
        "Registered as well: orchestrator wide (penstock.yaml:3).",
        "Registered as well: artifact store bucket (penstock.yaml:7).",
    )
    assert Client().stack("mine") == mine().placed(tmp_path)


def test_without_save_no_file_is_written(client: Client, file: Path) -> None:
    assert client.register(mine()) is None

    assert file.read_text() == "# the team's\n"


def test_saving_what_is_there_is_silent(client: Client, file: Path) -> None:
    client.register(mine(), save=True)
    before = file.read_text()

    assert client.register(mine(), save=True) is None
    assert client.register(mine().artifact_store, save=True) is None
    assert file.read_text() == before


def test_what_was_active_can_be_saved_again(client: Client, file: Path) -> None:
    client.register(mine(), save=True)
    active = client.stack("mine")

    assert client.register(active, save=True) is None
    change = told(client.register(replace(active, name="second"), save=True))

    assert change.undo == "penstock stack delete second"
    assert client.stacks["second"].artifact_store == "bucket"


def test_a_component_is_saved_alone(client: Client) -> None:
    change = told(client.register(LocalArtifactStore(name="bucket", path="x"), save=True))

    assert change.undo == "penstock artifact-store delete bucket"
    assert client.components("artifact-store")["bucket"].options == {"path": "x"}


def test_a_file_of_the_users_own_is_written_if_that_is_asked_for(
    client: Client, file: Path
) -> None:
    change = told(client.register(mine(), save=True, user=True))

    assert change.file != file
    assert client.stack("mine").orchestrator.max_workers == 4  # type: ignore[attr-defined]


def test_something_different_under_a_taken_name_shows_both(client: Client, file: Path) -> None:
    client.register(mine(), save=True)
    before = file.read_text()

    with pytest.raises(NameTaken) as caught:
        client.register(mine(workers=5), save=True)

    assert str(caught.value) == (
        "The orchestrator name 'wide' is taken.\n"
        "  penstock.yaml:3:3: {'flavor': 'local', 'max_workers': 4}\n"
        "  to register: {'flavor': 'local', 'max_workers': 5}\n"
        "Choose another name."
    )
    assert file.read_text() == before


def test_a_stack_of_other_parts_is_another_stack(client: Client) -> None:
    client.register(mine(), save=True)

    with pytest.raises(NameTaken, match="The stack name 'mine' is taken"):
        client.register(mine(steps={"train": {"retries": 2}}), save=True)


def test_what_differs_from_what_is_registered_here_is_not_saved(client: Client, file: Path) -> None:
    client.register(mine())

    with pytest.raises(NameTaken):
        client.register(mine(workers=5), save=True)
    assert file.read_text() == "# the team's\n"


def test_once_it_is_saved_the_file_counts(client: Client) -> None:
    client.register(mine())
    client.register(mine(), save=True)

    client.update(client.components("artifact-store")["bucket"], path="elsewhere")

    assert client.stack("mine").artifact_store.path.endswith("elsewhere")


def test_a_built_in_component_is_used_as_it_is(client: Client, file: Path) -> None:
    stack = Stack("plain", orchestrator=client.active_stack.orchestrator,
                  artifact_store=client.active_stack.artifact_store)  # fmt: skip

    change = told(client.register(stack, save=True))

    assert change.remarks == ()
    assert "orchestrators" not in file.read_text()


def test_options_of_steps_are_written_as_plain_data(client: Client) -> None:
    options = {
        "retries": Retry(times=2, on=(OSError,)), "resources": Resources(cpu=2, memory="4Gi"),
        "cache_for": timedelta(hours=2), "secrets": ("A",),
    }  # fmt: skip

    client.register(mine(steps={"train": options}), save=True)

    assert client.stacks["mine"].steps["train"] == {
        "retries": Retry(times=2, on=(OSError,)).to_data(),
        "resources": {"cpu": 2, "memory": "4Gi"},
        "cache_for": "2h",
        "secrets": ["A"],
    }
    assert client.register(client.stack("mine"), save=True) is None


@pytest.mark.parametrize("stack", [
    mine(secrets={"DB": Secret("s3cret")}),
    Stack("mine", orchestrator=LocalOrchestrator(),
          artifact_store=LocalArtifactStore(signing_key=Secret("s3cret"))),
])  # fmt: skip
def test_a_secret_itself_is_not_saved(client: Client, file: Path, stack: Stack) -> None:
    with pytest.raises(BadConfiguration, match="not written into a file") as caught:
        client.register(stack, save=True)

    assert "s3cret" not in str(caught.value)
    assert file.read_text() == "# the team's\n"


def test_a_class_that_no_flavor_names_is_told_how_to_get_one(client: Client) -> None:
    with pytest.raises(UnknownFlavor) as caught:
        client.register(Lazy(), save=True)

    assert caught.value.hint == f"Type: penstock orchestrator flavor register {__name__}:Lazy"


def test_a_class_with_the_flavor_of_another_is_refused(client: Client) -> None:
    with pytest.raises(BadConfiguration, match="Give the class a flavor of its own"):
        client.register(Pretender(name="p"), save=True)


def test_an_option_is_changed_where_it_is_written(client: Client, file: Path) -> None:
    client.register(mine(), save=True)
    client.set_active("mine")

    change = client.update(client.active_stack.artifact_store, path="b", durability="power")

    assert change.how == "updated"
    assert change.undo == ("penstock artifact-store update bucket --path=data --unset=durability")
    assert client.components("artifact-store")["bucket"].options == {
        "path": "b", "durability": "power",
    }  # fmt: skip
    assert file.read_text().startswith("# the team's\n")


def test_what_becomes_its_default_is_not_written(client: Client) -> None:
    client.register(LocalOrchestrator(name="wide", max_workers=4), save=True)
    wide: Any = client.registry.ready("orchestrator", "wide")

    client.update(wide, max_workers=None)
    client.update(wide, workers="threads")

    assert client.components("orchestrator")["wide"].options == {}


def test_none_takes_an_option_of_a_spec_away(client: Client) -> None:
    client.register(LocalOrchestrator(name="wide", max_workers=4), save=True)

    client.update(client.components("orchestrator")["wide"], max_workers=None, failure=None)

    assert client.components("orchestrator")["wide"].options == {}


@pytest.mark.parametrize(("values", "text"), [
    ({"paht": "x"}, "Did you mean 'path'?"),
    ({"durability": "none"}, "one of 'process', 'power' is needed"),
    ({"path": 3}, "path"),
    ({"path": "s3://b"}, "which is not a folder"),
    ({"signing_key": Secret("s3cret")}, "a secret is not written into a file"),
    ({"name": "other"}, "keeps its name"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(
    client: Client, file: Path, values: dict[str, Any], text: str
) -> None:
    client.register(mine(), save=True)
    before = file.read_text()

    with pytest.raises(StackError) as caught:
        client.update(client.stack("mine").artifact_store, **values)

    assert text in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert file.read_text() == before


def test_a_stack_gets_other_components_as_they_are_or_by_name(client: Client) -> None:
    client.register(mine(), save=True)

    client.update(
        client.stack("mine"), artifact_store="default",
        orchestrator=LocalOrchestrator(name="narrow", max_workers=1),
        step_operators=[SubprocessStepOperator(name="apart")],
        steps={"train": {"step_operator": "apart", "retries": Retry(times=1)}},
        secrets={"DB": Secret("${env:DB_URL}")},
    )  # fmt: skip

    spec = client.stacks["mine"]
    assert (spec.orchestrator, spec.artifact_store, spec.step_operators) == (
        "narrow", "default", ("apart",),
    )  # fmt: skip
    assert spec.steps["train"]["retries"]["times"] == 1
    assert spec.secrets == {"DB": "${env:DB_URL}"}
    assert client.components("orchestrator")["narrow"].options == {"max_workers": 1}


def test_what_is_wrong_with_an_update_leaves_no_component_behind(
    client: Client, file: Path
) -> None:
    client.register(mine(), save=True)
    before = file.read_text()

    with pytest.raises(UnknownComponent):
        client.update(client.stacks["mine"], orchestrator=LocalOrchestrator(name="new"),
                      artifact_store="none")  # fmt: skip

    assert file.read_text() == before


def test_what_is_registered_in_code_only_has_to_be_saved_first(client: Client) -> None:
    client.register(mine())

    with pytest.raises(StackError, match=r"client\.register\(…, save=True\)"):
        client.update(client.stack("mine"), artifact_store="default")


def test_a_stack_is_deleted_from_its_file(client: Client) -> None:
    client.register(mine(), save=True)

    changes = client.delete(client.stack("mine"), recursive=True)

    assert [change.what for change in changes] == [
        "orchestrator wide", "artifact store bucket", "stack mine",
    ]  # fmt: skip
    assert list(client.stacks) == ["default"]


def test_a_component_is_deleted_from_its_file(client: Client) -> None:
    client.register(LocalOrchestrator(name="wide", max_workers=4), save=True)

    change = client.delete(client.components("orchestrator")["wide"])

    assert change.undo == "penstock orchestrator register wide --flavor=local --max_workers=4"
    assert list(client.components("orchestrator")) == ["default"]


def test_a_stack_is_made_the_active_one_of_this_checkout(client: Client, file: Path) -> None:
    client.register(mine(), save=True)

    choice = client.set_active("mine")

    assert (choice.name, choice.origin) == ("mine", "penstock stack set, in .penstock/active")
    assert "active" not in file.read_text()


def test_a_stack_is_made_the_teams_default(client: Client, file: Path) -> None:
    client.register(mine(), save=True)

    choice = client.set_active("mine", project=True)

    assert (choice.name, choice.origin) == ("mine", "penstock.yaml:2")


@pytest.mark.parametrize("project", [False, True])
def test_a_variable_that_wins_is_warned_of(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    project: bool,
) -> None:
    client.register(mine(), save=True)
    monkeypatch.setenv("PENSTOCK_STACK", "default")

    with caplog.at_level(logging.WARNING, "penstock"):
        choice = client.set_active("mine", project=project)

    assert choice.origin == "PENSTOCK_STACK"
    assert "PENSTOCK_STACK" in caplog.text


def test_an_unknown_stack_is_told(client: Client) -> None:
    with pytest.raises(UnknownStack):
        client.stack("none")


def test_a_reference_that_leads_nowhere_is_the_same_in_code_and_file(client: Client) -> None:
    client.register(mine(path="${env:NO_SUCH}/x"), save=True)

    client.register(mine(path="${env:NO_SUCH}/x"))
    assert client.register(mine(path="${env:NO_SUCH}/x"), save=True) is None


@pytest.mark.parametrize("save", [False, True])
@pytest.mark.parametrize(("given", "told"), [
    (LocalOrchestrator, ("client.register(…) takes a stack or a component, and is given the class "
     "LocalOrchestrator.\nLocalOrchestrator is a class: write LocalOrchestrator(…)")),
    (Stack, "Stack is a class: write Stack(…)"),
    (3, "is given 3.\nMake one to register: Stack('dev', …) or"),
    ("dev", "is given 'dev'."),
    (Secret("s3cret"), "is given something of the class Secret."),
])  # fmt: skip
def test_what_is_no_stack_and_no_component_is_not_registered(
    client: Client, file: Path, given: Any, told: str, save: bool
) -> None:
    with pytest.raises(BadArguments) as caught:
        client.register(given, save=save)

    assert told in str(caught.value)
    assert file.read_text() == "# the team's\n"
    assert client.active_stack.name == "default"


@pytest.mark.parametrize(("given", "hint"), [
    ("mine", "Type: client.update(client.stacks['mine'], …)"),
    ("bucket", "Type: client.update(client.components('artifact-store')['bucket'], …)"),
    ("bukcet", "Did you mean 'bucket'?"),
    ("none of it", "Type: client.update(client.stacks['dev'], …), for example."),
    (LocalOrchestrator, "Type: client.update(client.stacks['dev'], …), for example."),
])  # fmt: skip
def test_an_update_of_a_name_says_what_to_type(client: Client, given: Any, hint: str) -> None:
    client.register(mine(), save=True)

    with pytest.raises(BadArguments, match="takes a stack or a component, and is") as caught:
        client.update(given, orchestrator="two")

    assert caught.value.hint == hint


def test_what_cannot_be_deleted_says_what_can(client: Client) -> None:
    with pytest.raises(BadArguments, match=r"takes a run's id, a stack or a component, .* 3") as e:
        client.delete(3)  # type: ignore[call-overload]

    assert e.value.hint == "Type: client.delete(run.id) or client.delete(client.stacks['dev'])."


def test_a_category_that_is_none_is_told(client: Client) -> None:
    with pytest.raises(BadConfiguration, match="There is no category 'artifact_stores'") as caught:
        client.components("artifact_stores")

    assert caught.value.hint == "Did you mean 'artifact-store'?"
    assert client.components("model-deployer") == {}


def test_a_category_that_only_a_file_has_is_listed(client: Client, file: Path) -> None:
    file.write_text("data_validators:\n  strict: {flavor: gone}\n")

    assert list(client.components("data-validator")) == ["strict"]


def test_a_name_that_cannot_be_is_told_in_words() -> None:
    with pytest.raises(BadStep, match="'My Store' cannot be the name of an artifact store: "):
        LocalArtifactStore(name="My Store")


def test_a_stack_takes_what_is_known_of_a_component(client: Client) -> None:
    client.register(mine(), save=True)
    client.register(LocalOrchestrator(name="narrow", max_workers=1), save=True)
    client.register(SubprocessStepOperator(name="apart"), save=True)

    client.update(
        client.stacks["mine"], orchestrator=client.components("orchestrator")["narrow"],
        step_operators=[client.components("step-operator")["apart"]],
    )  # fmt: skip

    spec = client.stacks["mine"]
    assert (spec.orchestrator, spec.step_operators) == ("narrow", ("apart",))


def test_a_stack_takes_no_component_of_another_category(client: Client, file: Path) -> None:
    client.register(mine(), save=True)
    before = file.read_text()

    for given in (client.components("artifact-store")["default"], LocalArtifactStore(name="new")):
        with pytest.raises(BadConfiguration, match=r"'orchestrator' is given '.*an artifact") as e:
            client.update(client.stacks["mine"], orchestrator=given)
        assert e.value.hint == "Type: client.update(…, artifact_store=…)"
    assert file.read_text() == before


def test_a_stack_takes_no_class(client: Client) -> None:
    client.register(mine(), save=True)

    with pytest.raises(BadArguments, match=r"write LocalOrchestrator\(…\)"):
        client.update(client.stacks["mine"], orchestrator=LocalOrchestrator)


def test_looking_loads_nothing_that_writes() -> None:
    code = (
        "import sys; from penstock import Client; c = Client(); c.stacks\n"
        "c.components('model-deployer')\n"
        "late = ('filelock', 'penstock.stack.changing.changes')\n"
        "print([each for each in late if each in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout == "[]\n"
