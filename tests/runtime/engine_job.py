"""A job of the little engine, see `engines`.

    python engine_job.py JOB

carries out the job in that folder: its commands one after the other, each a process of its own,
started where nothing of the project is. Whoever has submitted it may be gone long since.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType


def state(place: Path, word: str, *why: str) -> None:
    (place / "new").write_text("\n".join([word, *why]))
    (place / "new").replace(place / "state")


def carry_out(place: Path) -> None:
    """All commands, the last of them whatever became of the others."""
    job = json.loads((place / "job").read_text())
    home = {"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place)}
    running: list[subprocess.Popen[bytes]] = []
    ended: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        ended.append(number)
        for process in running:
            process.terminate()

    signal.signal(signal.SIGTERM, end)
    state(place, "RUNNING")
    (place / "work").mkdir()
    failed: list[str] = []
    for call, words in job["commands"].items():
        if ended or (failed and call != "--end"):
            continue
        process = subprocess.Popen(words, cwd=place / "work", env={**home, **job["environment"]})
        running[:] = [process]
        (place / f"pod-{call}").write_text(str(process.pid))
        if code := process.wait():
            why = "OOMKilled (exit code 137)" if code == -signal.SIGKILL else f"exit code {code}"
            failed.append(f"{call}: {why}")
    if ended:
        state(place, "CANCELED")
        return
    state(place, "FAILED" if failed else "SUCCEEDED", *failed)


if __name__ == "__main__":
    carry_out(Path(sys.argv[1]))
