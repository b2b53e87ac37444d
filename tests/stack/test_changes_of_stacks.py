import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.errors import BadConfiguration, NameTaken, StackError, UnknownComponent, UnknownStack
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry

FILE = """\
orchestrators:
  wide: {flavor: local, max_workers: 8}
artifact_stores:
  bucket: {flavor: local, path: store}
step_operators:
  a: {flavor: subprocess}
  b: {flavor: subprocess}
stacks:
  prod:
    orchestrator: wide
    artifact_store: bucket
    step_operators: [a, b]
    steps: {train: {retries: 2, step_operator: a}}  # it fails at times
    secrets: {DB: "${env:DB_URL}"}
  dev: {orchestrator: wide, artifact_store: default}
"""

PROD = StackSpec(
    "prod", "wide", "bucket", ("a", "b"),
    steps={"train": {"retries": 2, "step_operator": "a"}}, secrets={"DB": "${env:DB_URL}"},
)  # fmt: skip


@pytest.fixture
def changes(project: Project, registry: Registry) -> Changes:
    project.file.write_text(FILE)
    return Changes(registry)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's file."""
    file = tmp_path / "config/penstock/penstock.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(
        "active: home\n"
        "artifact_stores: {mine: {flavor: local}}\n"
        "stacks:\n"
        "  home: {orchestrator: default, artifact_store: mine}\n"
        "  dev: {orchestrator: default, artifact_store: mine}\n"
    )
    return file


def put_up(project: Project, name: str) -> None:
    folder = project.prepared() / "up"
    folder.mkdir(exist_ok=True)
    (folder / f"artifact-store.{name}").write_text('"the folder store"\n')


def test_a_stack_is_registered_as_it_is_given(changes: Changes, registry: Registry) -> None:
    spec = StackSpec("new", "wide", "bucket", ("b", "a"), steps={"fit": {"resources": {"cpu": 2}}},
                     secrets={"A": "${file:~/a}"})  # fmt: skip

    change = changes.register_stack(spec)

    assert registry.stacks()["new"] == spec
    assert (change.what, change.how, change.where) == (
        "stack new",
        "registered",
        "penstock.yaml:16",
    )
    assert change.undo == "penstock stack delete new"


def test_everything_that_is_wrong_with_a_stack_is_told_at_once(changes: Changes) -> None:
    spec = StackSpec(
        "My Stack", "wid", "bucket", ("a", "a"), model_deployers=("none",),
        steps={"fit": {"retris": 2, "step_operator": "b"}, "a b": {}},
        secrets={"A": "s3cret", "1B": "${env:B}"},
    )  # fmt: skip

    with pytest.raises(BadConfiguration) as caught:
        changes.register_stack(spec)

    text = str(caught.value)
    for part in (
        "The stack 'My Stack' has 9 problems",
        "Take 'my-stack', for example.",
        "no orchestrator 'wid'. There are: 'default', 'wide'.\n    Did you mean 'wide'?",
        "The step operator 'a' is there twice",
        "There is no model deployer 'none'. There are: none.",
        "To register it, type: penstock model-deployer register none --flavor=…",
        "Step 'fit': There is no step option 'retris'. Did you mean 'retries'?",
        "Step 'fit': 'b' is not among the stack's step operators; there are: 'a', 'a'.",
        "'a b' cannot be the name of a step",
        "The secret 'A' is written out",
        "'1B' cannot be a variable",
    ):
        assert part in text
    assert "s3cret" not in text
    assert changes.file.read_text() == FILE


def test_a_component_of_another_file_is_told_apart_from_none(changes: Changes, own: Path) -> None:
    with pytest.raises(UnknownComponent) as caught:
        changes.check_stack(StackSpec("new", artifact_store="mine"))

    assert str(caught.value) == (
        f"The artifact store 'mine' is in another file ({own}:2:19); a stack and its components "
        "stand in one, here penstock.yaml.\n"
        "Register it there as well: penstock artifact-store register mine …"
    )


@pytest.mark.parametrize(("name", "text"), [
    ("prod", "The stack name 'prod' is taken: penstock.yaml:9:3"),
    ("Prod", "differs from 'prod' .* only by case"),
    ("default", "The stack 'default' is built in"),
])  # fmt: skip
def test_a_name_that_is_taken_is_refused(changes: Changes, name: str, text: str) -> None:
    with pytest.raises(NameTaken, match=text):
        changes.register_stack(StackSpec(name))


def test_a_stack_gets_other_parts(changes: Changes, registry: Registry) -> None:
    change = changes.update_stack("prod", {
        "artifact-store": None, "step_operators": ["a"], "secrets": None,
        "steps": {"train": {"retries": 3, "step_operator": "a"}},
    })  # fmt: skip

    assert registry.stacks()["prod"] == StackSpec(
        "prod", "wide", "default", ("a",), steps={"train": {"retries": 3, "step_operator": "a"}}
    )
    assert "# it fails at times" in changes.file.read_text()
    assert shlex.split(change.undo) == [
        "penstock", "stack", "update", "prod", "--artifact-store=bucket", "--step-operator=a",
        "--step-operator=b", "--steps={train: {retries: 2, step_operator: a}}",
        '--secrets={DB: "${env:DB_URL}"}',
    ]  # fmt: skip


def test_what_was_not_there_is_unset_again(changes: Changes) -> None:
    change = changes.update_stack("dev", {"step-operator": "a", "steps": {"x": {"cache": False}}})

    assert change.undo == "penstock stack update dev --unset=step_operators --unset=steps"


@pytest.mark.parametrize(("values", "text"), [
    ({"artifact_stor": "bucket"}, "Did you mean 'artifact_store'"),
    ({"name": "other"}, "A stack has no 'name'"),
    ({"orchestrator": ["wide"]}, "one orchestrator; .* is no name"),
    ({"step_operators": [1]}, "a list of step_operators; .* are no names"),
    ({"steps": [1]}, "A stack's steps are a mapping"),
    ({"steps": {"train": 5}}, "The options of step 'train' are a mapping, and not 5"),
    ({"steps": {1: {}}}, "In steps of a stack, 1 is no name"),
    ({"secrets": {"DB": 5}}, "The secret 'DB' must be text"),
    ({"step_operators": ["b"]}, "'a' is not among the stack's step operators"),
    ({"secrets": {"DB": "s3cret"}}, "The secret 'DB' is written out"),
])  # fmt: skip
def test_an_update_that_does_not_fit_is_refused(
    changes: Changes, values: dict[str, object], text: str
) -> None:
    with pytest.raises(StackError, match=text):
        changes.update_stack("prod", values)

    assert changes.file.read_text() == FILE


def test_a_secret_of_a_stack_that_was_written_out_stays_until_it_is_replaced(
    changes: Changes, registry: Registry
) -> None:
    changes.file.write_text(FILE.replace("${env:DB_URL}", "s3cret"))

    changes.update_stack("prod", {"artifact_store": "default"})
    change = changes.update_stack("prod", {"secrets": {"DB": "${env:DB}"}})

    assert registry.stacks()["prod"].secrets == {"DB": "${env:DB}"}
    assert "s3cret" not in str(change.to_data())
    assert "written out in 'DB'" in change.remarks[0]


def test_a_deleted_stack_can_be_brought_back(changes: Changes, registry: Registry) -> None:
    (change,) = changes.delete_stack("prod")

    assert list(registry.stacks()) == ["default", "dev"]
    assert shlex.split(change.undo) == [
        "penstock", "stack", "register", "prod", "--orchestrator=wide", "--artifact-store=bucket",
        "--step-operator=a", "--step-operator=b",
        "--steps={train: {retries: 2, step_operator: a}}", '--secrets={DB: "${env:DB_URL}"}',
    ]  # fmt: skip


def test_components_that_only_this_stack_has_go_with_it(
    changes: Changes, registry: Registry
) -> None:
    gone = changes.delete_stack("prod", recursive=True)

    assert [change.what for change in gone] == [
        "artifact store bucket", "step operator a", "step operator b", "stack prod",
    ]  # fmt: skip
    assert gone[-1].remarks == ("The orchestrator 'wide' stays: the stack 'dev' has it.",)
    assert [spec.name for spec in registry.components()] == ["default", "default", "wide"]


def test_a_stack_that_is_up_is_taken_down_first(changes: Changes, project: Project) -> None:
    put_up(project, "bucket")

    with pytest.raises(StackError) as caught:
        changes.delete_stack("prod", recursive=True)

    assert str(caught.value) == (
        "The artifact store 'bucket' is up: what `up` has made from here is still there.\n"
        "To remove that first, type: penstock stack down prod --force"
    )
    assert changes.file.read_text() == FILE


def test_what_another_stack_has_may_stay_up(changes: Changes, project: Project) -> None:
    changes.update_stack("dev", {"artifact_store": "bucket"})
    put_up(project, "bucket")

    changes.delete_stack("dev")

    assert "dev" not in changes.registry.stacks()


@pytest.mark.parametrize("verb", [
    lambda changes: changes.update_stack("prd", {}),
    lambda changes: changes.delete_stack("prd"),
    lambda changes: changes.set_default("prd"),
])  # fmt: skip
def test_an_unknown_stack_is_told_with_a_near_one(
    changes: Changes, verb: Callable[[Changes], object]
) -> None:
    with pytest.raises(UnknownStack, match=r"Did you mean 'prod'\?"):
        verb(changes)


def test_the_built_in_stack_stays(changes: Changes) -> None:
    with pytest.raises(StackError, match="The stack 'default' is built in, and stays as it is"):
        changes.delete_stack("default")


def test_after_the_active_stack_of_a_checkout_the_teams_default_is_active(
    changes: Changes, registry: Registry, project: Project
) -> None:
    project.file.write_text(f"active: dev\n{FILE}")
    registry.set_active("prod")

    (change,) = changes.delete_stack("prod")

    assert change.remarks == ("Now active: dev (penstock.yaml:1).",)
    assert (registry.active().name, project.active) == ("dev", None)


def test_after_the_teams_default_the_built_in_stack_is_active(
    changes: Changes, registry: Registry, project: Project
) -> None:
    project.file.write_text(f"active: prod\n{FILE}")

    (change,) = changes.delete_stack("prod")

    assert change.remarks == ("Now active: default (the default).",)
    assert registry.active().name == "default"
    assert "active" not in project.file.read_text()


def test_the_line_that_brings_a_stack_back_makes_it_active_again_where_it_was(
    changes: Changes, registry: Registry, project: Project
) -> None:
    project.file.write_text(f"active: prod\n{FILE}")
    registry.set_active("prod")

    (change,) = changes.delete_stack("prod")

    registering, *choosing = change.undo.split(" && ")
    assert registering.startswith("penstock stack register prod ")
    assert choosing == ["penstock stack set prod --project", "penstock stack set prod"]


def test_a_stack_that_the_variable_still_names_is_told(
    changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prod")

    (change,) = changes.delete_stack("prod")

    (remark,) = change.remarks
    assert remark.startswith("No stack is active now. There is no stack 'prod' (PENSTOCK_STACK)")


def test_a_choice_that_does_not_count_now_is_forgotten_as_well(
    changes: Changes, registry: Registry, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.set_active("prod")
    monkeypatch.setenv("PENSTOCK_STACK", "dev")

    (change,) = changes.delete_stack("prod")

    assert (change.remarks, project.active) == ((), None)


def test_a_stack_that_the_users_file_has_too_stays_the_choice(
    changes: Changes, registry: Registry, project: Project, own: Path
) -> None:
    registry.set_active("dev")

    (change,) = changes.delete_stack("dev")

    assert change.remarks == ("Now active: dev (penstock stack set, in .penstock/active).",)
    assert registry.stacks()["dev"].artifact_store == "mine"
    assert "&&" not in change.undo


def test_the_teams_default_is_written_into_the_projects_file(
    changes: Changes, registry: Registry
) -> None:
    change = changes.set_default("prod")

    assert registry.active().name == "prod"
    assert (change.what, change.how, change.where) == ("stack prod", "active", "penstock.yaml:1")
    assert change.undo == "penstock stack set --unset --project"
    assert changes.set_default("dev").undo == "penstock stack set prod --project"


def test_a_default_that_does_not_count_here_is_told(changes: Changes, registry: Registry) -> None:
    registry.set_active("dev")

    change = changes.set_default("prod")

    stays = "Here dev stays active (penstock stack set, in .penstock/active)."
    assert change.remarks == (stays,)


def test_a_stack_of_the_users_own_is_no_teams_default(changes: Changes, own: Path) -> None:
    with pytest.raises(StackError, match=r"'home' .* is not in the project's file"):
        changes.set_default("home")


def test_two_that_delete_the_same_stack_do_it_once(changes: Changes, project: Project) -> None:
    stale = Changes(Registry(project, files=changes.registry.files))
    changes.delete_stack("prod")

    with pytest.raises(UnknownStack, match="somebody else has just deleted it"):
        stale.delete_stack("prod")


def test_components_of_one_category_are_told_apart(changes: Changes) -> None:
    changes.register_component(ComponentSpec("step-operator", "bucket", "subprocess"))

    changes.delete_component("step-operator", "bucket")

    assert "bucket" in changes.file.read_text()


def test_what_a_package_brought_that_is_gone_can_still_be_deleted(
    changes: Changes, registry: Registry, project: Project
) -> None:
    project.file.write_text(
        "data_validators: {strict: {flavor: gone, level: 3}}\n"
        "stacks:\n"
        "  prod: {orchestrator: default, artifact_store: default, data_validators: [strict]}\n"
    )

    kept = changes.update_stack("prod", {"steps": {"a": {"retries": 1}}})
    update = changes.update_stack("prod", {"data-validator": None})
    change = changes.delete_component("data-validator", "strict")

    assert kept.undo == "penstock stack update prod --unset=steps"
    assert update.undo == "penstock stack update prod --data-validator=strict"
    assert change.undo == "penstock data-validator register strict --flavor=gone --level=3"
    assert registry.stacks()["prod"].more == {}


def test_no_line_that_undoes_takes_a_secret_of_a_stack_away(
    changes: Changes, project: Project
) -> None:
    project.file.write_text(
        "artifact_stores: {bucket: {flavor: local}}\n"
        "stacks:\n"
        "  dev: {orchestrator: default, artifact_store: default, secrets: {A: s3cret, B: '$'}}\n"
    )

    other = changes.update_stack("dev", {"artifact_store": "bucket"})
    gone = changes.update_stack("dev", {"secrets": None})

    assert other.undo == "penstock stack update dev --artifact-store=default"
    assert (other.remarks, gone.undo, len(gone.remarks)) == ((), "", 1)
    assert "s3cret" in (project.folder / "penstock.yaml.bak").read_text()
