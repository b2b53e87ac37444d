import os
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from penstock.errors import (
    BadConfiguration,
    NameTaken,
    StackError,
    UnknownComponent,
    UnknownFlavor,
)
from penstock.orchestrators.local import LocalOrchestrator
from penstock.stack.changing.changes import Changes
from penstock.stack.component import ComponentSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry

FILE = """\
# the team's
orchestrators:
  wide: {flavor: local, max_workers: 8}  # as many as we have
artifact_stores:
  bucket:
    flavor: local
    path: store
    signing_key: "${env:TEAM_KEY}"
stacks:
  prod: {orchestrator: wide, artifact_store: bucket}
"""


def store(name: str = "new", **options: object) -> ComponentSpec:
    return ComponentSpec("artifact-store", name, "local", options)


@pytest.fixture
def changes(project: Project, registry: Registry) -> Changes:
    project.file.write_text(FILE)
    return Changes(registry)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's file."""
    file = tmp_path / "config/penstock/penstock.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("artifact_stores:\n  mine: {flavor: local}\n")
    return file


def test_a_component_is_registered_in_the_projects_file(
    changes: Changes, registry: Registry, project: Project
) -> None:
    change = changes.register_component(store(path="data"))

    assert registry.component("artifact-store", "new") == store(path="data")
    line = project.file.read_text().splitlines().index("  new:") + 1
    assert (change.what, change.how, change.file, change.where) == (
        "artifact store new", "registered", project.file, f"penstock.yaml:{line}",
    )  # fmt: skip
    assert change.undo == "penstock artifact-store delete new"


def test_without_a_file_of_the_project_the_users_is_written(
    registry: Registry, project: Project, tmp_path: Path
) -> None:
    change = Changes(registry).register_component(store())

    assert change.file == tmp_path / "config/penstock/penstock.yaml"
    assert not project.file.exists()
    assert [spec.name for spec in registry.components("artifact-store")] == ["default", "new"]


def test_the_users_file_can_be_asked_for(changes: Changes, own: Path, registry: Registry) -> None:
    change = Changes(registry, user=True).register_component(store())

    assert (change.file, "new" in own.read_text()) == (own, True)
    assert change.undo == "penstock artifact-store delete new --user"


def test_a_user_without_a_home_is_told(
    changes: Changes, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "nowhere")

    with pytest.raises(StackError, match="no home folder"):
        Changes(registry, user=True).register_component(store())


def test_everything_that_is_wrong_is_told_at_once_and_nothing_is_written(changes: Changes) -> None:
    with pytest.raises(BadConfiguration) as caught:
        changes.register_component(
            ComponentSpec("artifact-store", "Production Stack", "local",
                          {"pat": "x", "durability": "none", "signing_key": "s3cret"})
        )  # fmt: skip

    text = str(caught.value)
    assert "The artifact store 'Production Stack' has 4 problems" in text
    assert "Take 'production-stack', for example." in text
    assert "there is no such option. Did you mean 'path'?" in text
    assert "one of 'process', 'power' is needed" in text
    assert "option 'signing_key': a secret is not written into a file" in text
    assert "s3cret" not in text
    assert changes.file.read_text() == FILE


def test_a_name_that_cannot_be_one_is_told_of_once(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match="'My Store' cannot be the name of an art") as caught:
        changes.register_component(ComponentSpec("artifact-store", "My Store", "local"))

    assert str(caught.value).endswith("Take 'my-store', for example.")
    assert str(caught.value).count("cannot be the name") == 1


def test_an_unknown_flavor_is_told_with_a_near_one(changes: Changes) -> None:
    with pytest.raises(UnknownFlavor, match=r"Did you mean 'local'\?"):
        changes.register_component(ComponentSpec("artifact-store", "new", "loca"))


def test_an_unknown_category_is_told(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match="There is no category 'bucket'"):
        changes.register_component(ComponentSpec("bucket", "new", "local"))


def test_a_required_option_is_asked_for(
    registry: Registry, project: Project, kitchen: ModuleType
) -> None:
    project.file.write_text('flavors: {orchestrator: {oven: "kitchen:Oven"}}\n')

    with pytest.raises(BadConfiguration, match="needs the option 'host'"):
        Changes(registry).check_component(ComponentSpec("orchestrator", "big", "oven"))


def test_a_reference_is_not_followed_before_it_is_used(changes: Changes) -> None:
    changes.register_component(store(path="${env:NO_SUCH}/x", signing_key="${file:~/none}"))
    changes.register_component(
        ComponentSpec("orchestrator", "later", "local", {"max_workers": "${env:NO_SUCH}"})
    )

    assert "${env:NO_SUCH}/x" in changes.file.read_text()


def test_what_does_not_fit_is_told_beside_a_reference(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match="option 'verify': 'never' does not fit"):
        changes.check_component(store(path="${env:NO_SUCH}", verify="never"))


def test_the_classes_own_checks_count(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match="at least one worker is needed"):
        changes.check_component(ComponentSpec("orchestrator", "none", "local", {"max_workers": 0}))


@pytest.mark.parametrize("options", [
    {"path": "https://me:s3cret@host/x"},
    {"path": "gs://b", "extra": {"client": {"api_key": "s3cret"}}},
    {"path": "gs://b", "secrets": {"password": "s3cret"}},
])  # fmt: skip
def test_a_secret_is_found_wherever_it_stands(changes: Changes, options: dict[str, object]) -> None:
    with pytest.raises(BadConfiguration, match="a secret is not written into a file") as caught:
        changes.check_component(ComponentSpec("artifact-store", "new", "fsspec", options))

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("options", [
    {"path": "gs://b", "extra": {"max_tokens": 5, "headers": {"token": "Bearer ${env:T}"}}},
    {"path": "https://me:${env:PASSWORD}@host/x"},
    {"path": "gs://b", "secrets": {"password": "${file:~/key}"}},
])  # fmt: skip
def test_what_is_no_secret_itself_is_taken(changes: Changes, options: dict[str, object]) -> None:
    changes.check_component(ComponentSpec("artifact-store", "new", "fsspec", options))


def test_checking_writes_nothing(changes: Changes, project: Project) -> None:
    changes.check_component(store())

    assert project.file.read_text() == FILE
    assert not project.folder.exists()


def test_a_taken_name_is_told_with_its_place(changes: Changes) -> None:
    with pytest.raises(NameTaken) as caught:
        changes.register_component(store("bucket"))

    assert str(caught.value) == (
        "The artifact store name 'bucket' is taken: penstock.yaml:5:3.\n"
        "Choose another name, or change that one: penstock artifact-store update bucket …"
    )


@pytest.mark.parametrize("name", ["Bucket", "MINE"])
def test_a_name_that_differs_only_by_case_is_refused(
    changes: Changes, own: Path, name: str
) -> None:
    with pytest.raises(NameTaken, match="only by case"):
        changes.register_component(store(name))


@pytest.mark.parametrize("name", ["default", "Default"])
def test_the_built_in_name_is_refused(changes: Changes, name: str) -> None:
    with pytest.raises(NameTaken, match="The artifact store 'default' is built in"):
        changes.register_component(store(name))


def test_the_projects_entry_counts_before_the_users(
    changes: Changes, own: Path, registry: Registry
) -> None:
    mine = changes.register_component(store("mine", path="x"))
    theirs = Changes(registry, user=True).register_component(store("bucket"))

    assert mine.remarks == (f"In this project it counts instead of the one in {own}:2:3.",)
    assert theirs.remarks == ("In this project the one in penstock.yaml:5:3 counts.",)
    assert registry.component("artifact-store", "mine").options == {"path": "x"}


def test_options_are_set_and_taken_away(changes: Changes, registry: Registry) -> None:
    change = changes.update_component(
        "artifact-store", "bucket", {"path": "a b", "durability": "power"}, ["signing_key"]
    )

    assert registry.component("artifact-store", "bucket").options == {
        "path": "a b", "durability": "power",
    }  # fmt: skip
    assert (change.how, change.where) == ("updated", "penstock.yaml:5")
    assert shlex.split(change.undo) == [
        "penstock", "artifact-store", "update", "bucket", "--path=store",
        "--signing_key=${env:TEAM_KEY}", "--unset=durability",
    ]  # fmt: skip
    assert "# as many as we have" in changes.file.read_text()


def test_an_update_that_changes_nothing_writes_nothing(changes: Changes) -> None:
    before = os.stat(changes.file).st_ino

    change = changes.update_component("artifact-store", "bucket", {"path": "store"})

    assert (change.undo, change.remarks) == ("", ("It was so already.",))
    assert os.stat(changes.file).st_ino == before


def test_an_update_is_checked_like_a_registration(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match="has 2 problems"):
        changes.update_component("artifact-store", "bucket", {"pat": "x", "verify": 3})

    assert changes.file.read_text() == FILE


def test_a_secret_that_was_written_out_stays_where_another_option_changes(
    changes: Changes, registry: Registry
) -> None:
    changes.file.write_text(FILE.replace("${env:TEAM_KEY}", "s3cret"))

    changes.update_component("artifact-store", "bucket", {"path": "x"})

    options = registry.component("artifact-store", "bucket").options
    assert options == {"path": "x", "signing_key": "s3cret"}


def test_a_secret_that_is_replaced_is_shown_nowhere(changes: Changes) -> None:
    changes.file.write_text(FILE.replace("${env:TEAM_KEY}", "s3cret"))

    change = changes.update_component("artifact-store", "bucket", {"signing_key": "${env:K}"})

    assert "s3cret" not in str(change.to_data())
    (remark,) = change.remarks
    assert remark == (
        "A secret was written out in 'signing_key'; that is not in the line that undoes it, but in "
        ".penstock/penstock.yaml.bak."
    )
    assert "s3cret" in Path(".penstock/penstock.yaml.bak").read_text()


def test_only_what_is_written_can_be_taken_away(changes: Changes) -> None:
    with pytest.raises(BadConfiguration, match=r"has no 'paht' there.*\nDid you mean 'path'\?"):
        changes.update_component("artifact-store", "bucket", {}, ["paht"])


@pytest.mark.parametrize("key", ["name", "flavor"])
def test_a_component_keeps_its_name_and_flavor(changes: Changes, key: str) -> None:
    with pytest.raises(BadConfiguration, match=f"keeps its {key}"):
        changes.update_component("artifact-store", "bucket", {key: "other"})


@pytest.mark.parametrize("verb", [
    lambda changes: changes.update_component("artifact-store", "buckt", {}),
    lambda changes: changes.delete_component("artifact-store", "buckt"),
])  # fmt: skip
def test_an_unknown_component_is_told_with_a_near_one(
    changes: Changes, verb: Callable[[Changes], object]
) -> None:
    with pytest.raises(UnknownComponent, match=r"Did you mean 'bucket'\?"):
        verb(changes)


def test_the_built_in_component_stays(changes: Changes) -> None:
    with pytest.raises(StackError) as caught:
        changes.delete_component("artifact-store", "default")

    assert str(caught.value) == (
        "The artifact store 'default' is built in, and stays as it is.\n"
        "Register one of your own: penstock artifact-store register NAME …"
    )


def test_a_deleted_component_can_be_brought_back(changes: Changes, registry: Registry) -> None:
    changes.register_component(store(path="it's", signing_key=["${env:A}", "${env:B}"]))

    change = changes.delete_component("artifact-store", "new")

    assert (change.how, change.where) == ("deleted", "penstock.yaml")
    assert "new" not in [spec.name for spec in registry.components("artifact-store")]
    assert shlex.split(change.undo) == [
        "penstock", "artifact-store", "register", "new", "--flavor=local", "--path=it's",
        '--signing_key=["${env:A}", "${env:B}"]',
    ]  # fmt: skip


def test_a_component_of_a_flavor_that_is_gone_can_be_deleted(
    changes: Changes, registry: Registry
) -> None:
    changes.file.write_text(f"{FILE}model_deployers:\n  old: {{flavor: gone, host: x}}\n")

    change = changes.delete_component("model-deployer", "old")

    assert change.undo == "penstock model-deployer register old --flavor=gone --host=x"


def test_a_component_in_use_is_kept_and_its_stacks_are_named(changes: Changes) -> None:
    changes.file.write_text(f"{FILE}  dev: {{orchestrator: default, artifact_store: bucket}}\n")

    with pytest.raises(StackError) as caught:
        changes.delete_component("artifact-store", "bucket")

    assert str(caught.value) == (
        "The artifact store 'bucket' is in use: the stacks 'prod', 'dev' have it.\n"
        "To give that one another, type: penstock stack update prod --artifact-store=NAME"
    )


def test_a_component_that_is_up_is_taken_down_first(changes: Changes, project: Project) -> None:
    changes.register_component(store())
    up = project.prepared() / "up"
    up.mkdir()
    (up / "artifact-store.new").write_text('"the folder .penstock"\n')

    with pytest.raises(StackError, match=r"penstock artifact-store down new --force"):
        changes.delete_component("artifact-store", "new")


def test_an_entry_is_changed_in_the_file_that_it_stands_in(
    changes: Changes, own: Path, registry: Registry
) -> None:
    change = changes.update_component("artifact-store", "mine", {"path": "x"})

    assert (change.file, "path: x" in own.read_text()) == (own, True)
    assert change.undo == "penstock artifact-store update mine --unset=path --user"


def test_what_is_registered_in_code_only_is_in_no_file(project: Project) -> None:
    registry = Registry(project, Registered())
    registry.register(LocalOrchestrator(name="here"))

    with pytest.raises(StackError, match=r"client\.register\(…, save=True\)"):
        Changes(registry).delete_component("orchestrator", "here")


def test_a_flavor_of_ones_own_is_registered_used_and_deleted(
    changes: Changes, registry: Registry, kitchen: ModuleType
) -> None:
    change = changes.register_flavor("orchestrator", "oven", "kitchen:Oven")
    changes.register_component(ComponentSpec("orchestrator", "big", "oven", {"host": "x"}))

    assert change.what == "orchestrator flavor oven"
    assert change.undo == "penstock orchestrator flavor delete oven"
    assert change.where.startswith("penstock.yaml:")
    with pytest.raises(StackError, match="is in use: the orchestrator 'big' is of it"):
        changes.delete_flavor("orchestrator", "oven")
    changes.delete_component("orchestrator", "big")
    gone = changes.delete_flavor("orchestrator", "oven")
    assert gone.undo == "penstock orchestrator flavor register kitchen:Oven"
    assert registry.flavors == {}


@pytest.mark.parametrize(("name", "target", "text"), [
    ("local", "kitchen:Oven", "is built in"),
    ("oven", "kitchen", "'kitchen' is no class"),
    ("oven", "kitchen:Ofen", "has no 'Ofen'"),
    ("oven", "kitchen:NoOven", "which is no Orchestrator"),
    ("stove", "kitchen:Oven", "whose flavor is 'oven'"),
    ("my oven", "kitchen:Oven", "Take 'my-oven', for example"),
])  # fmt: skip
def test_a_flavor_that_cannot_be_one_is_refused(
    changes: Changes, kitchen: ModuleType, name: str, target: str, text: str
) -> None:
    with pytest.raises(StackError, match=text):
        changes.register_flavor("orchestrator", name, target)

    assert changes.file.read_text() == FILE


def test_a_flavor_that_is_in_no_file_is_told(changes: Changes) -> None:
    with pytest.raises(UnknownFlavor, match="'local' comes with the package 'penstock'"):
        changes.delete_flavor("orchestrator", "local")


def test_no_line_that_undoes_takes_a_secret_away(changes: Changes, project: Project) -> None:
    project.file.write_text(FILE.replace("${env:TEAM_KEY}", "s3cret"))

    assert changes.update_component("artifact-store", "bucket", {"path": "else"}).undo == (
        "penstock artifact-store update bucket --path=store"
    )
    gone = changes.update_component("artifact-store", "bucket", {}, ["signing_key"])
    assert (gone.undo, len(gone.remarks)) == ("", 1)


def test_a_schema_that_cannot_be_written_does_no_harm(
    changes: Changes, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    project.prepared()
    (project.folder / "schema.json").mkdir()

    changes.register_component(store())

    assert changes.registry.component("artifact-store", "new") == store()
    assert "The schema for editors was not written." in caplog.text


@pytest.mark.parametrize(("has", "words"), [
    ("[a, b]", "--step-operator=b"),
    ("[a]", "--unset=step_operators"),
])  # fmt: skip
def test_what_frees_one_of_several_leaves_the_others(
    changes: Changes, project: Project, has: str, words: str
) -> None:
    project.file.write_text(
        "step_operators: {a: {flavor: subprocess}, b: {flavor: subprocess}}\n"
        "stacks:\n"
        f"  s: {{orchestrator: default, artifact_store: default, step_operators: {has}}}\n"
    )
    with pytest.raises(StackError, match=f"penstock stack update s {words}$"):
        changes.delete_component("step-operator", "a")
