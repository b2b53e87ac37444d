"""Where no container can be run: it is said so that nobody takes it for a success."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("in_containers.py")


@pytest.mark.parametrize(("whether", "code"), [("", 1), ("optional", 0)])
def test_tests_that_have_not_run_are_the_last_line(whether: str, code: int, tmp_path: Path) -> None:
    variables = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PENSTOCK_CONTAINERS": whether}
    done = subprocess.run(
        [sys.executable, PROGRAM], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    *_, why, last = done.stderr.splitlines()
    assert why == "penstock: there is no dockerd and no docker: apt-get install docker.io"
    assert "NOT RUN" in last
