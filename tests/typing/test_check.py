import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("check.py")

PLANTED = """\
def half(n: int) -> float:
    return n / 2

half("marked, and an error")  # E
half("an error, but not marked")
half(4)  # E: marked, but no error
"""


@pytest.fixture(autouse=True)
def checkers() -> None:
    for checker in ("mypy", "basedpyright"):
        pytest.importorskip(checker, reason="`make lint` installs the type checkers")


def test_each_checker_sees_an_unmarked_error_and_a_mark_without_one(tmp_path: Path) -> None:
    # Never the same text twice: mypy's cache knows equal files by the first one's path.
    file = tmp_path / "planted.py"
    file.write_text(f"{PLANTED}# {file}\n")

    command = [sys.executable, str(CHECK), str(file)]
    run = subprocess.run(command, capture_output=True, check=False, text=True)

    assert run.returncode == 1, run.stdout + run.stderr
    complaints = [line.rpartition("planted.py:")[2] for line in run.stdout.splitlines()]
    assert [line.split(": ")[:2] for line in complaints[:-1]] == [
        ["5", "mypy"],
        ["6", "mypy"],
        ["5", "pyright"],
        ["6", "pyright"],
    ]
    assert complaints[-1] == "2 marked lines, 4 complaints"


def test_good_lines_are_accepted_and_bad_ones_rejected_by_both_checkers() -> None:
    run = subprocess.run([sys.executable, str(CHECK)], capture_output=True, check=False, text=True)

    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.endswith(" marked lines, 0 complaints\n")
