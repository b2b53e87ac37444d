"""The benchmark of a distant chain: what it compares is of the same run and of the same server."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "distant_chain.py"

QUICK = ["--length", "3", "--latency", "0.001", "--rounds", "1"]


@pytest.fixture(scope="module")
def told() -> list[str]:
    return said(*QUICK, "--server", "moto")


def said(*words: str) -> list[str]:
    """The lines that it prints."""
    done = subprocess.run(
        [sys.executable, BENCHMARK, *words], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.splitlines()


def test_chain_waits_and_a_bare_client_stand_beside_each_other(told: list[str]) -> None:
    cells = told[1].split()

    assert told[0].split()[:4] == ["chain", "waits", "bare", "client"]
    assert cells[1:6:2] == ["s", "s", "s"]
    assert cells[7:12:2] == ["x", "x", "x"]


def test_requests_are_counted_in_the_process_of_the_proxy(told: list[str]) -> None:
    counts = next(line for line in told if line.startswith("requests"))

    assert "'get': " in counts
    assert "'put': " in counts


def test_in_memory_there_is_no_server_to_compare_with() -> None:
    head, cells, *_ = said(*QUICK)

    assert "bare client" in head
    assert cells.count(" x") == 1
