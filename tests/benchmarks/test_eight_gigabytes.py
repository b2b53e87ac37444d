"""An array goes through a pipeline under a limit that a copy would break; here a smaller one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "eight_gigabytes.py"


def started(folder: Path, size: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), "--size", str(size)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, list[str], list[Path]]:
    """How the show ends, what it prints, and what it leaves behind."""
    folder = tmp_path_factory.mktemp("large")
    process = started(folder, 256)
    out, err = process.communicate(timeout=120)
    assert not err
    return process.returncode, out.splitlines(), list(folder.iterdir())


def test_an_array_comes_through_under_the_limit(shown: tuple[int, list[str], list[Path]]) -> None:
    assert shown[0] == 0
    assert shown[1][1].startswith("penstock: written, read and right")


def test_a_copy_breaks_the_limit(shown: tuple[int, list[str], list[Path]]) -> None:
    assert shown[1][2] == "a format that copies: MemoryError, as it must be"


def test_it_leaves_nothing_behind(shown: tuple[int, list[str], list[Path]]) -> None:
    assert shown[2] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_nothing_behind_when_it_is_stopped(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = started(tmp_path, 256)
    while not list(tmp_path.glob("penstock-large-*/round/.penstock/tmp")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_is_told_at_once(tmp_path: Path) -> None:
    process = started(tmp_path, 1 << 30)
    _, err = process.communicate(timeout=60)
    assert err.startswith(f"{tmp_path} has ")
    assert err.endswith("free: set TMPDIR to a larger place.\n")
