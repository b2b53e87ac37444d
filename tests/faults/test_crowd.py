"""Many runs want one result at the same time, and somebody deletes it meanwhile."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from children import at_once

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, Status, pipeline, step

HERE = Path(__file__).parent

Told = dict[str, Any]


def crowd(*words: object) -> Told:
    """What the harness says."""
    beside = (HERE, HERE.parent / "artifacts")
    done = subprocess.run(
        [sys.executable, str(HERE / "crowd.py"), *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, beside))},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Told = json.loads(done.stdout.splitlines()[-1])
    return found


def test_sixty_four_processes_and_one_who_deletes_see_no_wrong_value_and_no_error() -> None:
    found = crowd(64, 2)
    assert found["seen"].keys() == {"completed", "cached"}
    assert found["deleted"] > 10
    assert found["after"] == []


def test_a_store_that_says_in_its_own_words_that_an_object_is_gone_does_not_pass() -> None:
    seen = crowd(8, 8, "forgetful")["seen"]
    assert any("KeyError" in each for each in seen)


@step
def meet(place: str) -> bytes:
    """Ends only when another process is in the midst of it, too; each gives something else."""
    Path(place, str(os.getpid())).touch()
    while len(os.listdir(place)) < 2:
        time.sleep(0.001)
    return str(os.getpid()).encode() * 2000


@pipeline(progress=False)
def meeting(place: str) -> bytes:
    return meet(place)


def test_two_runs_that_compute_one_key_at_once_are_both_right(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    stack = Stack("s", orchestrator=LocalOrchestrator(), artifact_store=store)
    (tmp_path / "place").mkdir()

    def one() -> tuple[str, bool]:
        run = meeting.on(stack).run(str(tmp_path / "place"))
        return run.id, run.result() == str(os.getpid()).encode() * 2000

    ends = at_once(one, 2)
    assert [right for _, right in ends] == [True, True]
    values = [Client(stack).run(id).result() for id, _ in ends]
    assert values[0] != values[1]
    third = meeting.on(stack).run(str(tmp_path / "place"))
    assert third["meet"].status is Status.CACHED
    assert third.result() in values
