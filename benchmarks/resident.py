"""What a process holds in memory, as Linux counts it (proc_pid_status(5)).

    python resident.py 1234

says the most anonymous memory that a process had until standard input ended.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OFTEN: Final = 0.001
"""Seconds from one look to the next."""


def anonymous(process: int | str = "self") -> int:
    """Bytes that are no file's: what a copy takes."""
    return _said("RssAnon", process)


def touched() -> int:
    """Bytes of files and of memory that this process has used and still has."""
    return _said("VmRSS")


def addresses() -> int:
    """Bytes of address space: what RLIMIT_AS limits."""
    return _said("VmSize")


def available() -> int:
    """Bytes that programs can still have on this machine."""
    return _found("MemAvailable", Path("/proc/meminfo"))


class Peak:
    """The most that there was, when all is over."""

    bytes = 0


@contextmanager
def peak() -> Iterator[Peak]:
    """Watch this process's anonymous memory until the `with` ends.

    Another process does it: a thread would see nothing while somebody has Python's lock.
    """
    found, pid = Peak(), str(os.getpid())
    command = [sys.executable, "-S", __file__, pid]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout
        watcher.stdout.readline()  # it looks
        yield found
        said, _ = watcher.communicate()
    found.bytes = int(said)


def watch(process: int) -> int:
    most = anonymous(process)
    print("watching", flush=True)
    while not select.select([sys.stdin], [], [], OFTEN)[0]:
        most = max(most, anonymous(process))
    return max(most, anonymous(process))


def _said(name: str, process: int | str = "self") -> int:
    return _found(name, Path(f"/proc/{process}/status"))


def _found(name: str, file: Path) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB$", file.read_text(), re.MULTILINE)
    assert found, f"{file} says nothing of {name}"
    return int(found[1]) * 1024


if __name__ == "__main__":
    print(watch(int(sys.argv[1])))
