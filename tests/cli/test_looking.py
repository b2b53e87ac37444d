"""Looking at runs: which one, what is left out, and that it writes nothing."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import Client
from penstock.errors import NotFound


def tree(folder: Path) -> dict[str, int]:
    """Every file, with the time it was written."""
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if not path.is_dir()}


def test_looking_into_an_empty_folder_makes_nothing(penstock: Any, project: Path) -> None:
    before = sorted(project.rglob("*"))
    for words in ("run list", "artifact list", "stack list", "run show last", "stack describe"):
        penstock(*words.split())
    assert sorted(project.rglob("*")) == before
    assert list(Path.home().rglob("*")) == []


def test_looking_at_anothers_runs_makes_no_key_and_no_store_id(
    penstock: Any, trained: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = project.parent / "stranger"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(stranger))
    Path(".penstock/store.json").unlink()
    before = tree(project)
    assert penstock("run", "show", trained.id).code == 0
    assert not stranger.exists()
    assert tree(project) == before


def test_a_store_that_cannot_be_written_can_be_read(project: Path, trained: Any) -> None:
    for path in [project / ".penstock", *(project / ".penstock").rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        assert Client().run("last").result().read_text() == "1\n2"
    finally:
        for path in [project / ".penstock", *(project / ".penstock").rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def test_a_tail_is_enough_to_find_a_run(penstock: Any, trained: Any) -> None:
    assert penstock("run", "show", trained.id[-4:], "--json").data["run"] == trained.id


def test_a_tail_of_several_runs_is_answered_with_all(penstock: Any, project: Path) -> None:
    for id in ("20260101-000000-aaaa-zzzz", "20260102-000000-bbbb-zzzz"):
        (project / ".penstock/runs" / id).mkdir(parents=True)
    said = penstock("run", "show", "zz")
    assert said.code == 4
    assert said.err == (
        "Error: 2 runs end in 'zz': '20260102-000000-bbbb-zzzz', '20260101-000000-aaaa-zzzz'.\n"
        "Type more of the one that you mean.\n"
    )


def test_a_misspelt_run_is_asked_about(penstock: Any, trained: Any) -> None:
    wrong = trained.id[:-1] + "."
    assert penstock("run", "show", wrong).err == (
        f"Error: There is no run {wrong!r} in {Path.cwd()}/.penstock.\n"
        f"Did you mean {trained.id!r}?\n"
    )


def test_no_run_has_an_empty_name(trained: Any) -> None:
    with pytest.raises(NotFound, match="There is no run ''"):
        Client().run("")


def test_last_before_the_first_run_says_what_to_do(penstock: Any) -> None:
    said = penstock("run", "show", "last")
    assert said.code == 4
    assert "has started no run in" in said.err


def test_what_others_leave_in_a_store_is_no_run(penstock: Any, trained: Any, project: Path) -> None:
    runs = project / ".penstock/runs"
    (runs / ".DS_Store").touch()
    (runs / "@eaDir").mkdir()
    assert [each["run"] for each in penstock("run", "list", "--json").data] == [trained.id]


@pytest.mark.parametrize("record", ["run.json", "end.json"])
def test_a_run_that_cannot_be_read_is_left_out_and_told(
    record: str, penstock: Any, trained: Any, train: Any, project: Path
) -> None:
    other = train.run()
    (project / ".penstock/runs" / trained.id / record).write_text("{}")
    said = penstock("run", "list", "--json")
    assert (said.code, [each["run"] for each in said.data]) == (0, [other.id])
    assert said.err.startswith(f"Warning: Run {trained.id} is left out: The record runs/")


@pytest.mark.parametrize("record", ["run.json", "end.json"])
def test_of_all_runs_that_cannot_be_read_one_line_tells(
    record: str, penstock: Any, train: Any, project: Path
) -> None:
    runs = [train.run().id for _ in range(5)]
    for run in runs[1:]:
        (project / ".penstock/runs" / run / record).write_text("{}")
    said = penstock("run", "list", "--json")
    assert [each["run"] for each in said.data] == runs[:1]
    newest = runs[4]
    assert said.err == (
        f"Warning: 4 runs are left out, for they cannot be read: {newest}, {runs[3]}, {runs[2]} "
        f"and 1 more. For the reason, type: penstock run show {newest}. If nobody needs them: "
        "penstock run delete RUN…\n"
    )


@pytest.mark.parametrize("record", ["run.json", "end.json"])
def test_what_is_said_of_a_run_that_cannot_be_read_is_a_way_to_be_rid_of_it(
    record: str, penstock: Any, trained: Any, project: Path
) -> None:
    (project / ".penstock/runs" / trained.id / record).write_text("{}")
    cure = penstock("run", "list").err.splitlines()[0].rpartition("run: penstock ")[2]
    assert penstock(*cure.split()).code == 0
    assert penstock("run", "list").err == "No runs yet.\n"


def test_runs_that_cannot_be_read_are_told_once_by_who_looks_for_an_artifact(
    penstock: Any, trained: Any, train: Any, project: Path
) -> None:
    other = train.run()
    (project / ".penstock/runs" / other.id / "run.json").write_text("{}")
    said = penstock("artifact", "show", "training/load")
    assert (said.code, said.err.count(f"Warning: Run {other.id} is left out")) == (0, 1)


def test_a_step_that_cannot_be_read_is_left_out_of_the_artifacts(
    penstock: Any, trained: Any, project: Path
) -> None:
    (project / ".penstock/runs" / trained.id / "steps/split.json").write_text("{}")
    said = penstock("artifact", "list", "--json")
    assert {each["step"] for each in said.data} == {"load", "square.0", "square.1", "report"}
    assert said.err.startswith(f"Warning: Step split of run {trained.id} is left out: ")


@pytest.mark.parametrize("fields", [{}, {"calls": 1}, {"calls": [], "store": "x"}])
def test_a_signed_record_without_what_must_be_in_it_is_corrupt(
    fields: dict[str, Any], penstock: Any, trained: Any
) -> None:
    ledger = trained._ledger
    key = f"runs/{trained.id}/run.json"
    ledger.store.put(key, [ledger.keys.sign(json.dumps(fields).encode())])
    said = penstock("run", "show", trained.id)
    assert (said.code, said.err.startswith(f"Error: The record {key} in ")) == (5, True)


def test_the_json_of_a_step_says_where_a_cached_result_is_from(
    penstock: Any, trained: Any, train: Any
) -> None:
    train.run()
    first = penstock("run", "show", "last", "--json").data["steps"][0]
    assert (first["status"], first["source"]) == ("cached", {"run": trained.id, "step": "load"})


def test_the_json_of_a_failed_step_has_its_traceback_and_inputs(penstock: Any, failed: Any) -> None:
    failure = penstock("run", "show", "last", "--json").data["steps"][1]["failure"]
    assert (failure["kind"], failure["inputs"]) == (
        "IndexError", {"rows": "load/output", "limit": 0.5},
    )  # fmt: skip
    assert "in broken" in failure["traceback"]
    assert "penstock/runtime" not in failure["traceback"]


def test_parameters_are_json_where_they_are_plain_data(penstock: Any, train: Any) -> None:
    train.run(count=5)
    assert penstock("run", "list", "--json").data[0]["parameters"] == {"count": 5}


def test_the_logs_of_a_cached_step_are_those_of_its_source(
    penstock: Any, trained: Any, train: Any
) -> None:
    train.run()
    assert penstock("run", "logs", "last", "load").out == "3 rows…\n"


def test_the_logs_of_a_retried_step_are_of_all_attempts(penstock: Any, failed: Any) -> None:
    assert penstock("run", "logs", "last", "broken").out.count("one more try") == 2


def test_logs_of_nothing_say_so(penstock: Any, trained: Any) -> None:
    said = penstock("run", "logs", "last", "split")
    assert (said.out, said.err) == ("", f"Nothing was printed or logged in run {trained.id}.\n")


def test_logs_of_an_unknown_step_say_which_there_are(penstock: Any, trained: Any) -> None:
    said = penstock("run", "logs", "last", "splitt")
    assert said.code == 4
    assert "Its steps: 'load', 'split', 'square.0'" in said.err
    assert "Did you mean 'split'?" in said.err


def test_logs_as_json_name_the_step_of_each(penstock: Any, trained: Any) -> None:
    logs = penstock("run", "logs", "last", "load", "--json").data["logs"]
    assert logs == [{"step": "load", "text": "3 rows…\n"}]


def test_a_log_cannot_steer_the_terminal(penstock: Any, trained: Any, project: Path) -> None:
    log = project / ".penstock/runs" / trained.id / "logs/load/zzz-000000"
    log.write_text("\x1b]0;title\x07 \x1b[31mred\x1b[0m\n")
    assert penstock("run", "logs", "last", "load").out == ("3 rows…\n\\x1b]0;title\\x07 red\n")


KILLED = """\
import os, signal
from penstock import pipeline, step

@step
def first() -> int:
    return 1

@step
def second(value: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)

@pipeline
def doomed() -> int:
    return second(first())

doomed.run()
"""


def test_a_run_whose_process_was_killed_is_lost(penstock: Any, project: Path) -> None:
    (project / "doomed.py").write_text(KILLED)
    done = subprocess.run(
        [sys.executable, "doomed.py"], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    said = penstock("run", "show", "last")
    assert "status:   lost\n" in said.out
    assert "which ran it, is gone. Run the pipeline again" in said.err


def test_a_lost_run_took_as_long_as_there_were_signs_of_it(penstock: Any, project: Path) -> None:
    (project / "doomed.py").write_text(KILLED)
    subprocess.run([sys.executable, "doomed.py"], capture_output=True, check=False, timeout=60)
    run = Client().run("last")
    (record,) = (project / ".penstock/runs" / run.id / "steps").iterdir()
    os.utime(record, (run.started + 7, run.started + 7))
    assert penstock("run", "show", "last", "--json").data["seconds"] == 7
