"""A run is killed at each single write, and the next run loses nothing and repeats nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from changing_calls import POSSIBLE
from sampling import Sample

HERE = Path(__file__).parent

pytestmark = pytest.mark.skipif(
    not POSSIBLE, reason="NOT TESTED: no way to have the kernel ask before a write is known here"
)

Told = list[dict[str, Any]]


@cache
def interrupted(*words: str) -> Told:
    """What the harness says of every interruption."""
    beside = (HERE, HERE.parent / "artifacts", HERE.parent / "runtime")
    done = subprocess.run(
        [sys.executable, str(HERE / "interrupting.py"), *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, beside))},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: Told = json.loads(done.stdout.splitlines()[-1])
    return found


def wrong(found: Told) -> Iterator[str]:
    for each in found:
        yield from (f"{each['at']}: {problem}" for problem in each["problems"])


def swept(sample: Sample, pipeline: str, how: str, width: int) -> Told:
    """One of so many interruptions in a row, or all, if they are asked for."""
    every = sample.every(width)
    found = interrupted(pipeline, how, str(every.start or 0), str(every.step or 1))
    sample.leave_out(len(found) * ((every.step or 1) - 1))
    return found


@pytest.mark.parametrize(
    ("pipeline", "width"), [("chain", 1), ("fan", 7), ("heavy", 9), ("mapped", 7)]
)
def test_a_run_killed_before_any_write_loses_nothing_and_repeats_nothing(
    pipeline: str, width: int, sample: Sample
) -> None:
    found = swept(sample, pipeline, "die", width)
    assert list(wrong(found)) == []
    assert len({one["committed"] for one in found}) > 2


@pytest.mark.parametrize("pipeline", ["chain", "heavy"])
def test_a_run_killed_in_the_midst_of_any_write_loses_nothing_and_repeats_nothing(
    pipeline: str, sample: Sample
) -> None:
    assert list(wrong(swept(sample, pipeline, "die halfway", 5))) == []


@pytest.mark.parametrize("pipeline", ["chain", "heavy"])
def test_a_disk_that_is_full_at_any_write_loses_nothing_and_repeats_nothing(
    pipeline: str, sample: Sample
) -> None:
    assert list(wrong(swept(sample, pipeline, "full", 7))) == []


def test_steps_without_a_cache_are_taken_from_the_run_that_was_killed(sample: Sample) -> None:
    found = swept(sample, "uncached", "die", 3)
    assert list(wrong(found)) == []
    assert len({one["committed"] for one in found}) > 3


def test_every_kind_of_write_is_interrupted() -> None:
    found = interrupted("chain", "die", "0", "1")
    files = ("store.json", "/key", "/objects/", "run.json", "/cache/", "small-3.json", "/logs/")
    assert [each for each in files if not any(each in one["at"] for one in found)] == []
    assert {one["at"].split()[0] for one in found} >= {"openat", "writev", "link", "unlink"}
    assert {one["committed"] for one in found} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("how", ["die", "die halfway"])
def test_a_store_that_writes_in_place_does_not_pass(how: str) -> None:
    assert list(wrong(interrupted("chain", how, "in-place")))
