"""Bytes that are what their digest says, and were made up by somebody: the parser of every format
answers with an error of ours, and neither ends the process, nor hangs, nor fills the machine."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from samples_of_formats import FORMATS

CASES = 1000


def children_of(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A run of a script of this folder, which may crash."""
    command = [sys.executable, "-X", "faulthandler", str(Path(__file__).with_name(script))]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("id", FORMATS)
def test_bytes_that_somebody_made_up_harm_nobody(id: str) -> None:
    done = children_of("hostile_bytes.py", id, str(CASES))

    assert done.returncode == 0, done.stderr[-3000:]
    became = json.loads(done.stdout)
    assert sum(became.values()) == CASES
    assert became.pop("huge", 0) == 0, done.stderr[-3000:]
    assert became.pop("taken", 0) < CASES or id in ("bytes/1", "bytearray/1")
