"""`penstock gc`, `run pin`, `run delete`, `artifact tag`: what is said, and what is typed next."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from penstock import pipeline, step


@step
def text(word: str) -> str:
    return word * 5000


@pipeline(progress=False)
def writing(word: str = "a") -> str:
    return text(word)


@pytest.fixture
def written(project: Path) -> list[Any]:
    """Three runs, long ago."""
    runs = [writing.run(word) for word in "abc"]
    for file in (project / ".penstock").rglob("*"):
        if file.is_file() and file.stat().st_mtime > 1e9:
            os.utime(file, (1e9 - 1, 1e9 - 1))
    return runs


def test_what_would_go_is_a_table(penstock: Any, written: list[Any]) -> None:
    said = penstock("gc", "--keep-runs", "1")
    rows = [line.split("  ")[0] for line in said.out.splitlines()]

    assert rows[:4] == ["WHAT", "runs", "cache entries", "objects"]
    assert "Runs that stay: 1 among the newest of their pipeline." in said.out
    assert "Nothing was deleted." in said.err
    assert "penstock gc --delete" in said.err
    assert [run["run"] for run in penstock("run", "list", "--json").data] == [
        run.id for run in written[::-1]
    ]


def test_what_goes_is_gone(penstock: Any, written: list[Any]) -> None:
    said = penstock("gc", "--keep-runs", "1", "--delete")

    assert (said.code, said.err) == (0, "")
    assert "Deleted " in said.out
    assert [run["run"] for run in penstock("run", "list", "--json").data] == [written[-1].id]
    assert "Deleted 0 B" in penstock("gc", "--keep-runs", "1", "--delete").out


def test_the_same_as_json(penstock: Any, written: list[Any], project: Path) -> None:
    data = penstock("gc", "--keep-runs", "1", "--json").data

    assert sorted(data["runs"]) == [run.id for run in written[:2]]
    assert data["kept"] == {"among the newest of their pipeline": [written[2].id]}
    assert data["kinds"]["runs"]["gone"]["count"] == 2
    assert (data["deleted"], data["store"]) == (False, str(project / ".penstock"))


def test_an_empty_store_has_nothing(penstock: Any, project: Path) -> None:
    said = penstock("gc")

    assert said.err == f"Nothing is stored in {project / '.penstock'} yet.\n"
    assert not (project / ".penstock").exists()


def test_what_is_not_ours_is_named(penstock: Any, written: list[Any], project: Path) -> None:
    (project / ".penstock" / "notes.txt").write_text("mine")

    assert "Not of penstock, and not touched: notes.txt" in penstock("gc").err


@pytest.mark.parametrize(
    "words", [["--grace", "soon"], ["--keep-cache", "x"], ["--keep-compiled", "y"]]
)
def test_what_is_no_time_is_an_error(penstock: Any, words: list[str]) -> None:
    said = penstock("gc", *words)

    assert said.code == 2
    assert "no span of time" in said.err


def test_a_run_that_is_pinned_says_so(penstock: Any, written: list[Any]) -> None:
    tail = written[0].id[-4:]
    assert penstock("run", "pin", tail).out == f"{written[0].id} is pinned\n"
    assert "completed, pinned" in penstock("run", "list").out
    assert "pinned:" in penstock("run", "show", tail).out
    assert penstock("run", "show", tail, "--json").data["pinned"] is True

    assert penstock("run", "pin", tail, "--off").out == f"{written[0].id} is no longer pinned\n"
    assert "pinned" not in penstock("run", "list").out


def test_runs_are_deleted(penstock: Any, written: list[Any]) -> None:
    said = penstock("run", "delete", *[run.id for run in written[:2]])

    assert said.out == "".join(f"{run.id} is deleted\n" for run in written[:2])
    assert "penstock gc --delete" in said.err
    assert penstock("run", "delete", "last", "--json").data == {"deleted": [written[2].id]}
    assert penstock("run", "list", "--json").data == []


def test_a_run_that_is_not_deleted_says_what_to_type(penstock: Any, written: list[Any]) -> None:
    penstock("run", "pin", "last")
    said = penstock("run", "delete", "last")

    assert said.code == 1
    assert f"penstock run pin --off {written[2].id}" in said.err


def test_logs_of_a_run_that_was_cleaned_are_said_to_be_gone(
    penstock: Any, trained: Any, train: Any
) -> None:
    again = train.run()
    penstock("run", "delete", trained.id)
    said = penstock("run", "logs", again.id)

    assert f"Run {trained.id} was cleaned, and with it the logs of load, " in said.err


def test_an_artifact_is_tagged_and_found_by_its_tag(penstock: Any, written: list[Any]) -> None:
    said = penstock("artifact", "tag", f"{written[0].id}/text", "prod")
    assert said.out == f"writing/text prod is {written[0].id}/text/output\n"

    shown = penstock("artifact", "show", "writing/text", "--tag", "prod", "--json").data
    newest = penstock("artifact", "show", "writing/text", "--json").data
    assert (shown["run"], newest["run"]) == (written[0].id, written[2].id)
    penstock("artifact", "export", "writing/text", "made.txt", "--tag", "prod")
    assert Path("made.txt").read_text() == "a" * 5000


def test_a_tag_on_what_a_part_of_a_pipeline_made_says_so(penstock: Any, written: list[Any]) -> None:
    part = writing.with_options(from_step="text").run("d")
    said = penstock("artifact", "tag", "writing/text", "prod")
    assert said.out == (
        f"writing/text prod is {part.id}/text/output, "
        "of a run of a part of the pipeline: from text\n"
    )


def test_tagged_artifacts_are_listed(penstock: Any, written: list[Any]) -> None:
    penstock("artifact", "tag", "writing/text", "prod")
    said = penstock("artifact", "list", "--tag", "prod")
    [data] = penstock("artifact", "list", "--tag", "prod", "--json").data

    assert said.out.splitlines()[1].split()[:3] == [
        "writing/text", "prod", f"{written[2].id}/text/output",
    ]  # fmt: skip
    assert (data["pipeline"], data["name"], data["tag"]) == ("writing", "text", "prod")
    assert penstock("artifact", "list", "--tag", "best").err == "No such tags.\n"


def test_a_tag_comes_off_and_back(penstock: Any, written: list[Any]) -> None:
    penstock("artifact", "tag", "writing/text", "prod")
    said = penstock("artifact", "tag", "writing/text", "prod", "--off")

    assert said.out == "writing/text is no longer tagged prod\n"
    back = said.err.partition("penstock ")[2].split()
    assert penstock(*back).code == 0
    assert len(penstock("artifact", "list", "--tag", "prod", "--json").data) == 1


def test_a_place_that_is_no_store_is_not_cleaned(
    penstock: Any, written: list[Any], project: Path
) -> None:
    (project / ".penstock" / "store.json").unlink()
    said = penstock("gc", "--delete")

    assert said.code == 5
    assert "has no store.json" in said.err
    shutil.rmtree(project / ".penstock")
