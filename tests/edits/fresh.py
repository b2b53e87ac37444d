"""Processes that have loaded penstock and nothing of any project, as fast as a fork is.

Started as a program it reads one request per line, runs the `main.py` that it names in a child
of its own, and says how that ended. What the child says is in files.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WARM = """
from penstock import pipeline, step
@step
def one() -> int:
    return 1
@pipeline(progress=False)
def all() -> int:
    return one()
if __name__ == "__main__":
    import json, sys
    for _ in range(2):
        all.run()
    print(json.dumps([name for name in sys.modules if not name.startswith("__")]))
"""


def environment(**variables: str) -> dict[str, str]:
    """The variables of a process that is nobody's in particular."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PENSTOCK_", "PYTHONUNB", "PYTHONDONT"))
    }
    return {**inherited, **variables}


def home(place: Path) -> dict[str, str]:
    """Where the key lies that pickles are signed with."""
    return {"HOME": str(place.parent), "XDG_CONFIG_HOME": str(place.parent / ".config")}


def started(words: Sequence[str], folder: Path, variables: dict[str, str]) -> str:
    """What a Python prints that is started from nothing."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Fresh:
    """A process to fork from, whose sets of words have an order of their own."""

    def __init__(self, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment(PYTHONHASHSEED=str(seed)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, words: Sequence[str], variables: Mapping[str, str]) -> str:
        """What `main.py` of a folder prints in a process of its own."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"folder": str(folder), "words": [*words], "variables": {**variables}}
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        ended = self._process.stdout.readline()
        assert ended == "0\n", f"{ended}{(folder.parent / 'stderr').read_text('utf-8')}"
        return (folder.parent / "stdout").read_text("utf-8")

    def close(self) -> None:
        self._process.communicate()


def preload() -> None:
    """Load what a run loads."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "warm.py").write_text(WARM, "utf-8")
        done = subprocess.run(
            [sys.executable, "warm.py"], cwd=folder, capture_output=True, check=True,
            env=environment(HOME=folder, XDG_CONFIG_HOME=folder),
        )  # fmt: skip
    for name in json.loads(done.stdout):
        importlib.import_module(name)


def serve() -> None:
    """Answer until nobody asks any more."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
            return
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)


def become(asked: Mapping[str, Any]) -> None:
    """Be what `python main.py` would be in a folder."""
    folder = asked["folder"]
    for number, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{folder}/../{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.update(asked["variables"])
    sys.argv = ["main.py", *asked["words"]]
    sys.path[0] = folder
    runpy.run_path("main.py", run_name="__main__")


if __name__ == "__main__":
    preload()
    serve()
