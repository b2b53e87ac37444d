"""`make test-containers`: a docker daemon, images, the tests of this folder in them, and the end.

Where no containers can be run, that is the last line; the exit code is 1, and with
PENSTOCK_CONTAINERS=optional 0, unless it is the images that could not be made. These are kept in
~/.cache/penstock-containers (or below XDG_CACHE_HOME); deleting that folder costs the time that
making them takes. Words after the name of this file go to pytest.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from debian_images import ROOT, NotMade, made
from docker_daemon import NoContainers, answering

IMAGES: Final = "PENSTOCK_CONTAINER_IMAGES"
"""The variable that tells the tests of the images, and by which they know that they are meant."""


def main(words: Sequence[str]) -> int:
    """The exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # with all that is to be ended
    try:
        with alone(folder()) as cache, answering(cache):
            return tested(made(cache), words)
    except (NoContainers, NotMade, subprocess.SubprocessError) as error:
        return not_run(error)
    except KeyboardInterrupt:
        return 130


def tested(images: Mapping[str, str], words: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", *(words or [str(Path(__file__).parent)])]
    environment = {**os.environ, IMAGES: json.dumps(dict(images))}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def not_run(error: Exception) -> int:
    """Say it so that nobody takes it for a success."""
    said = getattr(error, "stderr", None) or ""
    print(f"\npenstock: {error}\n{said}".rstrip(), file=sys.stderr)
    line = "NOT RUN: the tests in containers (the reason is above)"
    print(f"{line:=^80}", file=sys.stderr)
    optional = os.environ.get("PENSTOCK_CONTAINERS") == "optional"
    return 0 if optional and isinstance(error, NoContainers) else 1


def folder() -> Path:
    """Where images are kept, from one time to the next."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root, "penstock-containers")


@contextmanager
def alone(cache: Path) -> Iterator[Path]:
    """Two at once go one after the other. The lock goes with the process."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("penstock: waiting for another one to end...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
