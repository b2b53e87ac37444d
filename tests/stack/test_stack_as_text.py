from pathlib import Path
from types import ModuleType

import pytest

from penstock.errors import BadConfiguration, NameTaken, StackError, UnknownStack
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.sharing import Shared, export, import_
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry

FILE = """\
active: prod
flavors:
  orchestrator: {oven: "kitchen:Oven", unused: "kitchen:Other"}
orchestrators:
  big: {flavor: oven, host: "https://${env:HOST}", labels: {team: "${env:TEAM}"}}
  other: {flavor: local}
artifact_stores:
  bucket: {flavor: local, path: store, signing_key: "${env:TEAM_KEY}"}  # ours
stacks:
  prod:
    orchestrator: big
    artifact_store: bucket
    steps: {train: {retries: 2}}
    secrets: {DB: "${file:~/db}"}
  plain: {orchestrator: default, artifact_store: default}
"""

PROD = """\
orchestrators:
  big:
    flavor: oven
    host: "https://${env:HOST}"
    labels:
      team: "${env:TEAM}"
artifact_stores:
  bucket:
    flavor: local
    path: store
    signing_key: "${env:TEAM_KEY}"
flavors:
  orchestrator:
    oven: kitchen:Oven
stacks:
  prod:
    orchestrator: big
    artifact_store: bucket
    steps:
      train:
        retries: 2
    secrets:
      DB: "${file:~/db}"
"""


@pytest.fixture
def registry(project: Project) -> Registry:
    project.file.write_text(FILE)
    return Registry(project, Registered())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Changes:
    """Another project."""
    (tmp_path / "elsewhere").mkdir()
    project = Project(tmp_path / "elsewhere")
    project.file.write_text("# theirs\n")
    return Changes(Registry(project, Registered()))


def test_a_stack_is_exported_with_all_that_it_needs_and_nothing_else(registry: Registry) -> None:
    assert export(registry, "prod") == PROD


def test_built_in_components_need_not_be_given(registry: Registry) -> None:
    assert export(registry, "plain") == (
        "stacks:\n  plain:\n    orchestrator: default\n    artifact_store: default\n"
    )


def test_what_was_exported_is_imported(
    registry: Registry, elsewhere: Changes, kitchen: ModuleType
) -> None:
    changes = import_(elsewhere, export(registry, "prod"), "prod.yaml")

    assert [(change.what, change.how) for change in changes] == [
        ("orchestrator flavor oven", "registered"),
        ("orchestrator big", "registered"),
        ("artifact store bucket", "registered"),
        ("stack prod", "registered"),
    ]
    there = elsewhere.registry
    assert there.stacks()["prod"] == registry.stacks()["prod"]
    assert there.specs("prod") == registry.specs("prod")
    assert there.flavors == {"orchestrator": {"oven": "kitchen:Oven"}}
    assert "# theirs\n" in elsewhere.file.read_text()
    assert there.active().name == "default"


def test_what_is_here_already_is_left_as_it_is(
    registry: Registry, elsewhere: Changes, kitchen: ModuleType
) -> None:
    text = export(registry, "prod")
    import_(elsewhere, text, "prod.yaml")
    before = elsewhere.file.read_text()

    assert import_(elsewhere, text, "prod.yaml") == []
    assert elsewhere.file.read_text() == before


def test_what_is_different_here_is_told_all_at_once_and_nothing_is_written(
    registry: Registry, elsewhere: Changes
) -> None:
    theirs = (
        'flavors: {orchestrator: {oven: "pantry:Oven"}}\n'
        "artifact_stores: {bucket: {flavor: local, path: theirs}}\n"
        "stacks: {prod: {orchestrator: default, artifact_store: bucket}}\n"
    )
    elsewhere.file.write_text(theirs)

    with pytest.raises(BadConfiguration) as caught:
        import_(elsewhere, export(registry, "prod"), "prod.yaml")

    text = str(caught.value)
    assert text.startswith("prod.yaml has 3 problems:")
    assert "prod.yaml:8:3: the artifact store 'bucket' is another one here (" in text
    assert "prod.yaml:16:3: the stack 'prod' is another one here (" in text
    assert "the orchestrator flavor 'oven' is another one here (pantry:Oven)" in text
    assert elsewhere.file.read_text() == theirs


def test_one_difference_is_a_taken_name(registry: Registry, elsewhere: Changes) -> None:
    elsewhere.file.write_text("stacks: {plain: {orchestrator: default, artifact_store: default}}\n")
    elsewhere.update_stack("plain", {"secrets": {"A": "${env:A}"}})

    with pytest.raises(NameTaken, match="the stack 'plain' is another one here"):
        import_(elsewhere, export(registry, "plain"), "plain.yaml")


def test_every_reference_is_told_with_its_place() -> None:
    shared = Shared.read(PROD, "prod.yaml")

    assert shared.references == (
        ("prod.yaml:4:11", "${env:HOST}"),
        ("prod.yaml:6:7", "${env:TEAM}"),
        ("prod.yaml:11:18", "${env:TEAM_KEY}"),
        ("prod.yaml:23:7", "${file:~/db}"),
    )
    assert shared.flavors == (("orchestrator", "oven", "kitchen:Oven"),)


def test_a_secret_that_is_written_out_is_not_given_away(
    registry: Registry, project: Project
) -> None:
    written = FILE.replace("${env:TEAM_KEY}", "s3cret").replace("${file:~/db}", "s4cret")
    project.file.write_text(written)

    with pytest.raises(BadConfiguration) as caught:
        export(registry, "prod")

    text = str(caught.value)
    assert "The stack 'prod' has 2 problems:" in text
    assert "penstock.yaml:8:53: artifact store 'bucket' has a secret written out" in text
    assert "penstock.yaml:14:15: the secret 'DB' is written out" in text
    assert "s3cret" not in text
    assert "s4cret" not in text


def test_a_secret_in_a_text_is_not_taken(elsewhere: Changes) -> None:
    text = PROD.replace("${env:TEAM_KEY}", "s3cret").replace("oven", "local")

    with pytest.raises(BadConfiguration):
        import_(elsewhere, text, "prod.yaml")

    assert elsewhere.file.read_text() == "# theirs\n"


def test_a_broken_text_is_told_with_its_place(elsewhere: Changes) -> None:
    with pytest.raises(BadConfiguration, match=r"prod\.yaml:2:3: "):
        import_(elsewhere, "stacks:\n  prod: {orchestrator: default}\n", "prod.yaml")


@pytest.mark.parametrize("text", ["", "active: prod\n", "# nothing\n"])
def test_a_text_without_a_stack_is_told(elsewhere: Changes, text: str) -> None:
    with pytest.raises(BadConfiguration, match=r"prod\.yaml has no stack"):
        import_(elsewhere, text, "prod.yaml")


def test_an_unknown_stack_is_told(registry: Registry) -> None:
    with pytest.raises(UnknownStack, match=r"Did you mean 'prod'\?"):
        export(registry, "prd")


def test_everybody_has_the_built_in_stack(registry: Registry) -> None:
    with pytest.raises(StackError, match="The stack 'default' is built in: everybody has it"):
        export(registry, "default")
