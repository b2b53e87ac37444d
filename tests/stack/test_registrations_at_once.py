"""Many processes that register at once in one file: none is lost, though some are killed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sampling import takes_all

from penstock.stack.changing.document import Document

HERE = Path(__file__).parent
FILE = Path("penstock.yaml")
PROCESSES = 64
EACH = 20 if takes_all() else 1


def registered(processes: int, each: int, killed: int, *planted: str) -> tuple[set[str], set[str]]:
    """What they were told, and what the file says."""
    command = [HERE / "registering.py", FILE, processes, each, killed, *planted]
    run = subprocess.run([sys.executable, *map(str, command)], stdout=subprocess.PIPE, check=True)
    found = json.loads(run.stdout)
    assert found["failed"] == 0
    components = Document(FILE.read_text(), FILE).configuration.components
    return set(found["told"]), {spec.name for spec in components}


KILLED = max(EACH, 3)


@pytest.mark.parametrize("killed", [0, KILLED], ids=["in peace", "with holders killed"])
def test_of_registrations_at_once_none_is_lost(killed: int) -> None:
    told, there = registered(PROCESSES, EACH, killed)

    assert len([name for name in told if name.startswith("c-")]) == PROCESSES * EACH
    assert told <= there
    assert len(there - told) <= killed  # written, and killed before it could say so


def test_whoever_writes_without_a_lock_is_found_out() -> None:
    FILE.write_text("")

    told, there = registered(2, 1, 0, "planted")

    assert len(told) == 2
    assert len(there) == 1
