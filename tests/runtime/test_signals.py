"""Any signal, at any instant: what is recorded, and that nothing is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HARNESS = Path(__file__).with_name("signalling.py")
ROUNDS = int(os.environ.get("PENSTOCK_SIGNALS", "36"))


def harness(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(HARNESS), *words],
        capture_output=True, text=True, check=False, timeout=60 + 5 * ROUNDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_signal_at_any_instant_leaves_a_run_stopped_or_lost_that_can_be_run_again() -> None:
    found = harness(str(ROUNDS))
    assert found["problems"] == []
    # They fell into all kinds of runs, and into their midst.
    assert len(found["statuses"]) == 9
    assert sum(each.get("stopped", 0) for each in found["statuses"].values()) > ROUNDS / 4


def test_runs_that_do_not_listen_do_not_pass() -> None:
    assert harness("12", "--deaf")["problems"]
