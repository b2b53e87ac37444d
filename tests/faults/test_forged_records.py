"""Records that are cut, damaged or forged, and strangers in a store: errors of ours at most, and no
value that no step has made."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sampling import Sample

HERE = Path(__file__).parent

CASES = {
    "cache": 960,
    "steps": 600,
    "run": 150,
    "end": 90,
    "attempts,tags,store,plan,code,object": 40,
    "logs,beat,cancel": 20,
}
"""How many versions of the records of each kind; the rare ones are tried in one process."""

Told = dict[str, Any]


@cache
def spoilt(kind: str, count: int = 0, store: str = "local", first: int = 0, every: int = 1) -> Told:
    """What the harness says."""
    beside = (HERE, HERE.parent / "artifacts", HERE.parent / "runtime")
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzzing.py"), *map(str, (kind, count, store, first, every))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, beside))},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: Told = json.loads(done.stdout.splitlines()[-1])
    return found


def test_there_are_two_thousand_forgeries() -> None:
    assert sum(count * len(kinds.split(",")) for kinds, count in CASES.items()) >= 2000


def swept(sample: Sample, kind: str, count: int = 0, width: int = 5) -> Told:
    """One case of so many, or all, if they are asked for."""
    every = sample.every(width)
    found = spoilt(kind, count, "local", every.start or 0, every.step or 1)
    sample.leave_out(found["left"])
    return found


@pytest.mark.parametrize("kinds", CASES)
def test_a_spoilt_record_is_a_miss_or_an_error_of_ours(kinds: str, sample: Sample) -> None:
    found = swept(sample, kinds, CASES[kinds], 15 if CASES[kinds] > 100 else 3)
    expected = CASES[kinds] * len(kinds.split(","))
    assert found["wrong"] == []
    assert found["cases"] + found["left"] >= expected
    assert found["cases"] >= expected / 20


def test_a_record_that_is_cut_short_at_any_length_is_not_believed(sample: Sample) -> None:
    found = swept(sample, "cuts", width=5)
    assert found["wrong"] == []
    assert found["cases"] + found["left"] > 3000


def test_what_does_not_belong_into_a_store_does_no_harm(sample: Sample) -> None:
    assert swept(sample, "places", width=8)["wrong"] == []


@pytest.mark.parametrize("kind", ["cache", "steps", "run"])
def test_a_store_that_reads_what_it_holds_does_not_pass(kind: str) -> None:
    assert spoilt(kind, 40, "parsing")["wrong"]


def test_a_store_whose_objects_never_seem_to_change_does_not_pass() -> None:
    assert any("a wrong value" in each for each in spoilt("object", 40, "unmoved")["wrong"])
