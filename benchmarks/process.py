"""Child processes: what one costs as a whole, and what it says of a part of its work."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from types import FrameType
from typing import Final, NoReturn

from pairs import Cost

HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended."""

    cost: Cost
    out: str
    err: str

    @property
    def reported(self) -> Cost:
        """What its last line says (see `clock.took`), with its peak memory as seen from here."""
        return Cost(**json.loads(self.out.splitlines()[-1]), peak=self.cost.peak)


class Failed(Exception):
    """A process that ended with an error; what it said last is in the last lines."""


def python(
    folder: Path, *arguments: str, program: str = sys.executable, timeout: float = 600
) -> Finished:
    """Run Python in a folder and wait. Standard input and output are no terminal.

    Raises `Failed`, also when it takes longer than `timeout` seconds.
    """
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        start = time.perf_counter()
        child = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        alarm = threading.Timer(timeout, os.killpg, (child.pid, signal.SIGKILL))
        alarm.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()  # it writes no more
            raise
        finally:
            alarm.cancel()
        cost = _cost(usage, time.perf_counter() - start)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        finished = Finished(cost, out.read(), err.read())
    if child.returncode:
        raise Failed(f"{' '.join(arguments)} ended with {child.returncode}:\n{finished.err}")
    return finished


def script(name: str, folder: Path, *arguments: object) -> Finished:
    """Run a file that lies beside this one."""
    return python(folder, str(HERE / name), *map(str, arguments))


def fresh(folder: Path, count: int) -> Iterator[Path]:
    """`count` empty folders, one after the other; each is gone when the next one comes."""
    place = folder / "round"
    for _ in range(count):
        place.mkdir()
        yield place
        shutil.rmtree(place)


def lasting(folder: Path, count: int) -> Iterator[Path]:
    """`count` empty folders, which stay until the whole benchmark is over: for a minute after many
    files were deleted, ext4 takes ten times as long to make new ones."""
    for _ in range(count):
        yield Path(mkdtemp(prefix="round-", dir=folder))


def live_in(folder: Path) -> None:
    """From here on children are a user whose home is `folder`, who has configured nothing.

    Least of all that compiled modules are not kept, which would be most of what a process costs.
    """
    kept = "PYTHONPATH"
    for name in tuple(os.environ):
        if name.startswith(("PENSTOCK_", "PYTHON", "XDG_CONFIG_", "XDG_CACHE_")) and name != kept:
            del os.environ[name]
    os.environ["HOME"] = str(folder)


def leave_nothing() -> None:
    """Whoever asks this process to end ends it as an error does, so that its files are removed."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _cost(usage: resource.struct_rusage, wall: float) -> Cost:
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, see getrusage(2)
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss * unit)
