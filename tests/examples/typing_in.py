"""Typing commands as a person would who has the virtual environment active."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def typed(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    temporary = folder / ".tmp"
    temporary.mkdir(exist_ok=True)
    common = {"PATH": path, "PYTHONWARNINGS": "error", "TMPDIR": str(temporary)}
    return subprocess.run(
        ["bash", "-c", f"set -e\n{script}"],
        cwd=folder,
        env={**os.environ, **common, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
