"""Kill it at any instant and run it again: nothing is lost, nothing half-written counts."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sampling import Sample

from penstock import Client

HARNESS = Path(__file__).with_name("crashing.py")


def harness(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(HARNESS), *words],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_runs_killed_at_two_hundred_instants_leave_nothing_broken_and_lose_nothing(
    sample: Sample,
) -> None:
    found = harness(str(len(sample(range(200), 50))))
    assert found["problems"] == []
    assert len(set(found["reached"])) > 10  # the kills fell all over the run


def test_a_store_that_writes_in_place_does_not_pass() -> None:
    assert harness("200", "--in-place")["problems"]


SLEEPING = """
import signal, sys, time
from penstock import pipeline, step

@step
def first() -> int:
    return 1

@step
def sleep(value: int) -> int:
    print("asleep", file=sys.stderr, flush=True)
    time.sleep(60)
    return value

@pipeline
def sleeping() -> int:
    return sleep(first())

if __name__ == "__main__":
    if "handler" in sys.argv:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    sleeping.run()
"""


@pytest.mark.parametrize(
    ("words", "number", "status", "code"),
    [
        ([], signal.SIGINT, "stopped", -signal.SIGINT),
        ([], signal.SIGTERM, "stopped", 128 + signal.SIGTERM),
        ([], signal.SIGHUP, "stopped", 128 + signal.SIGHUP),
        (["handler"], signal.SIGTERM, "stopped", 3),
        ([], signal.SIGKILL, "lost", -signal.SIGKILL),
    ],
)
def test_a_signal_leaves_a_run_that_says_how_it_ended(
    tmp_path: Path, words: list[str], number: int, status: str, code: int
) -> None:
    (tmp_path / "sleeping.py").write_text(SLEEPING)
    process = subprocess.Popen(
        [sys.executable, "sleeping.py", *words], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line == "asleep\n":
            break
    assert Client().run("last").status == "running"
    time.sleep(0.05)
    process.send_signal(number)
    process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == code
    run = Client().run("last")
    assert run.status == status
    assert run["first"].status == "completed"
    assert run["sleep"].status == ("stopped" if status == "stopped" else "pending")
