"""`penstock stack`: what there is, which one counts, and what is never shown."""

from pathlib import Path
from typing import Any

import pytest

YAML = """\
active: team
orchestrators:
  oven: {flavor: nowhere, api_key: s3cret, host: "${env:HOST}"}
artifact_stores:
  bucket: {flavor: local, path: store, signing_key: s3cret}
  safe: {flavor: local, path: store, signing_key: "${env:TEAM_KEY}"}
stacks:
  team: {orchestrator: default, artifact_store: bucket, steps: {train: {retries: 2}}}
  shared: {orchestrator: default, artifact_store: safe}
  far: {orchestrator: oven, artifact_store: default}
"""


@pytest.fixture
def file(project: Path) -> Path:
    path = project / "penstock.yaml"
    path.write_text(YAML)
    return path


def test_the_active_stack_comes_with_who_chose_it(penstock: Any, file: Path) -> None:
    assert penstock("stack", "get").out == "team (penstock.yaml:1)\n"


def test_set_chooses_for_this_checkout(penstock: Any, file: Path) -> None:
    assert penstock("stack", "set", "shared").code == 0
    assert penstock("stack", "get", "--json").data == {
        "stack": "shared",
        "origin": "penstock stack set, in .penstock/active",
    }


def test_set_warns_when_the_variable_wins(
    penstock: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "team")
    said = penstock("stack", "set", "shared")
    assert (said.code, said.out) == (0, "team (PENSTOCK_STACK)\n")
    assert said.err.startswith("Warning: PENSTOCK_STACK=team is set here and wins")


def test_set_to_an_unknown_stack_is_a_configuration_error(penstock: Any, project: Path) -> None:
    said = penstock("stack", "set", "defalt")
    assert said.code == 3
    assert "Did you mean 'default'?" in said.err
    assert not (project / ".penstock").exists()


@pytest.mark.parametrize("words", ["stack get", "run list", "stack describe", "artifact list"])
def test_an_unknown_stack_in_the_variable_is_a_configuration_error(
    words: str, penstock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prod")
    said = penstock(*words.split())
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("Error: There is no stack 'prod' (PENSTOCK_STACK). Stacks: ")


def test_the_list_is_printed_even_then(penstock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "prod")
    said = penstock("stack", "list", "--json")
    assert [(each["stack"], each["active"]) for each in said.data] == [("default", False)]
    assert penstock("stack", "list").err.startswith("Warning: There is no stack 'prod'")


@pytest.mark.parametrize("words", ["stack list", "stack get", "run list", "stack set default"])
def test_a_broken_file_is_a_configuration_error(words: str, penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text("stacks: {mine: {orchestrater: kf}}\n")
    said = penstock(*words.split())
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("Error: penstock.yaml")


@pytest.mark.parametrize("words", ["version", "--help", "stack --help"])
def test_a_broken_file_is_in_nobodys_way(words: str, penstock: Any, project: Path) -> None:
    (project / "penstock.yaml").write_text("\t")
    assert penstock(*words.split()).code == 0


@pytest.mark.parametrize("words", [["stack", "describe"], ["stack", "describe", "--json"]])
def test_a_secret_that_is_written_out_is_not_shown(
    words: list[str], penstock: Any, file: Path
) -> None:
    said = penstock(*words)
    assert "s3cret" not in said.out + said.err
    assert "***" in said.out


def test_a_reference_to_a_secret_is_shown_unresolved(
    penstock: Any, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "s3cret")
    assert "  signing_key: ${env:TEAM_KEY}\n" in penstock("stack", "describe", "shared").out


def test_where_the_flavor_cannot_be_loaded_names_tell_secrets(penstock: Any, file: Path) -> None:
    oven = penstock("stack", "describe", "far", "--json").data["components"][0]
    assert oven["options"] == {"api_key": "***", "host": "${env:HOST}"}


def test_describe_shows_the_options_of_steps(penstock: Any, file: Path) -> None:
    assert penstock("stack", "describe", "team").out.endswith("\nstep train\n  retries: 2\n")


def test_another_stack_is_looked_into_by_name(
    penstock: Any, file: Path, train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "a long secret")
    run = train.on("shared").run()
    found = penstock("run", "list", "--stack", "shared", "--json").data
    assert [(each["run"], each["stack"]) for each in found] == [(run.id, "shared")]


WITH_URLS = """\
active: here
artifact_stores:
  memory: {flavor: fsspec, path: "memory://checked"}
  google: {flavor: fsspec, path: "gs://bucket/x"}
  nowhere: {flavor: fsspec, path: "sftp://127.0.0.1/x", extra: {port: 1}}
stacks:
  here: {orchestrator: default, artifact_store: memory}
  far: {orchestrator: default, artifact_store: nowhere}
"""


@pytest.fixture
def urls(project: Path) -> None:
    (project / "penstock.yaml").write_text(WITH_URLS)


@pytest.mark.usefixtures("urls")
def test_a_check_is_a_line_for_each_thing_that_was_tried(penstock: Any) -> None:
    said = penstock("stack", "check")
    assert said.code == 0
    assert said.out.splitlines()[:2] == [
        "ok     orchestrator default",
        "ok     artifact store memory: open",
    ]


@pytest.mark.usefixtures("urls")
def test_a_check_that_finds_something_wrong_ends_with_5(penstock: Any) -> None:
    said = penstock("stack", "check", "far")
    assert said.code == 5
    assert said.out.splitlines()[1].startswith(
        "WRONG  artifact store nowhere: open: The artifact store 'nowhere' cannot use sftp://"
    )


@pytest.mark.usefixtures("urls")
def test_a_check_is_data_as_well(penstock: Any) -> None:
    said = penstock("stack", "check", "far", "--json")
    assert (said.code, said.data["stack"], said.data["ok"]) == (5, "far", False)
    assert [each["ok"] for each in said.data["findings"]] == [True, False]


def test_a_check_of_an_unknown_stack_is_a_configuration_error(penstock: Any) -> None:
    assert penstock("stack", "check", "prod").code == 3


FOLDERS = """\
active: kept
artifact_stores: {kept: {flavor: local, path: kept}}
stacks: {kept: {orchestrator: default, artifact_store: kept}}
"""


@pytest.fixture
def kept(project: Path) -> Path:
    """The folder that the active stack needs, which is not there."""
    (project / "penstock.yaml").write_text(FOLDERS)
    return project / "kept"


def test_up_and_down_say_what_became_of_each_component(penstock: Any, kept: Path) -> None:
    store, none = "artifact store kept: ", "orchestrator default: needs no place\n"
    made = f"{none}{store}made the folder {kept}\n"
    assert (penstock("stack", "up").out, kept.is_dir()) == (made, True)
    assert penstock("stack", "up", "kept").out == f"{none}{store}is there\n"
    left = f"{store}is left as it is: --force removes its folder; one with anything in it is never "
    assert penstock("stack", "down").out == f"{left}removed\n{none}"
    removed = f"{store}removed the folder {kept}\n{none}"
    assert (penstock("stack", "down", "--force").out, kept.exists()) == (removed, False)
    gone = f"{store}is left as it is: nothing of it was made from here\n{none}"
    assert penstock("stack", "down", "--force").out == gone


def test_what_up_and_down_did_is_data_as_well(penstock: Any, kept: Path) -> None:
    assert penstock("stack", "up", "--json").data == {
        "stack": "kept",
        "components": [
            {"category": "orchestrator", "name": "default", "flavor": "local",
             "said": ["needs no place"]},
            {"category": "artifact-store", "name": "kept", "flavor": "local",
             "said": [f"made the folder {kept}"]},
        ],
    }  # fmt: skip
    (store,) = penstock("artifact-store", "down", "--force", "--json").data["components"]
    assert store["said"] == [f"removed the folder {kept}"]


@pytest.mark.usefixtures("urls")
def test_the_place_of_an_artifact_store_is_made_by_its_name(penstock: Any) -> None:
    assert penstock("artifact-store", "down", "default").out.startswith("artifact store default: ")
    assert penstock("artifact-store", "up", "nowhere").code == 5
    assert penstock("artifact-store", "up", "memry").err.endswith("Did you mean 'memory'?\n")


def test_a_check_of_what_cannot_be_made_goes_on_with_the_rest(penstock: Any, file: Path) -> None:
    said = penstock("stack", "check", "far")
    assert said.code == 3
    first, *rest = said.out.splitlines()
    assert first.startswith("WRONG  orchestrator oven: flavor: penstock.yaml:3:3: No orchestrator ")
    assert [line.partition(":")[0] for line in rest] == ["ok     artifact store default"] * 6


@pytest.mark.usefixtures("urls")
def test_the_variable_moves_a_pipeline_to_another_store(
    penstock: Any, train: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_STACK", "default")
    at_home = train.run()
    monkeypatch.setenv("PENSTOCK_STACK", "here")
    away = train.run()
    assert away.stack == "here"
    assert {view.status for view in away} == {"completed"}
    assert [away[step].output.artifact.digest for step in ("load", "report")] == [
        at_home[step].output.artifact.digest for step in ("load", "report")
    ]
    assert {view.status for view in train.run()} == {"cached"}
    assert len(penstock("run", "list", "--json").data) == 2
