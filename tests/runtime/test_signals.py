"""Any signal, at any instant: what is recorded, and that nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from sampling import Sample

HARNESS = Path(__file__).with_name("signalling.py")
ROUNDS = 36


def harness(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(HARNESS), *words],
        capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_signal_at_any_instant_leaves_a_run_stopped_or_lost_that_can_be_run_again(
    sample: Sample,
) -> None:
    rounds = len(sample(range(ROUNDS), ROUNDS // 2))
    found = harness(str(rounds))
    assert found["problems"] == []
    # They fell into all kinds of runs, and into their midst.
    assert len(found["statuses"]) == 9
    assert sum(each.get("stopped", 0) for each in found["statuses"].values()) > rounds / 4


def test_runs_that_do_not_listen_do_not_pass() -> None:
    assert harness("4", "--deaf")["problems"]
