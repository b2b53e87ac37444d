"""Bytes that are what their digest says, and were made up by somebody: the parser of every format
answers with an error of ours, and neither ends the process, nor hangs, nor fills the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples_of_formats import FORMATS
from sampling import Sample

CASES = 1000
GROUPS = 6
"""So many processes look at all formats: one for each would mostly load libraries."""


def children_of(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A run of a script of this folder, which may crash."""
    command = [sys.executable, "-X", "faulthandler", str(Path(__file__).with_name(script))]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("group", range(GROUPS))
def test_bytes_that_somebody_made_up_harm_nobody(group: int, sample: Sample) -> None:
    ids = list(FORMATS)[group::GROUPS]
    cases = len(sample(range(CASES), CASES // 5))
    done = children_of("hostile_bytes.py", str(cases), *ids)

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [id for id, _ in told] == ids
    for id, became in told:
        assert sum(became.values()) == cases
        assert became.pop("huge", 0) == 0, done.stderr[-3000:]
        assert became.pop("taken", 0) < cases or id in ("bytes/1", "bytearray/1")
