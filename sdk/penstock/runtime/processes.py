"""Processes: which one it is, and whether it is still there."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Final

from penstock.digest import digest

_DEAD: Final = "ZX"
"""States of processes that have ended, though nobody has asked how (proc(5))."""

_STARTED: Final = 19
"""Where the start time is, counted from the state."""


@lru_cache(maxsize=1)
def machine() -> str:
    """A digest that only processes share for which a process id means the same process.

    Containers have process ids of their own, so that a host's name says too little; and the clone
    of a machine has its boot id, so that this alone says too little as well.
    """
    facts = [os.uname().nodename]
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            facts += [file.read().strip(), str(os.stat("/proc/self/ns/pid").st_ino)]
    except OSError:  # no Linux: the name must do
        pass
    return digest("machine/1", *facts)


@lru_cache(maxsize=1)
def own_start(process: int) -> str:
    """When this process started; by its id, for a child has another."""
    return started(process)


def started(process: int) -> str:
    """When a process started, in ticks since the machine did; empty where nobody tells."""
    facts = _facts(process)
    return facts[_STARTED] if facts else ""


def is_alive(process: int, started: str) -> bool:
    """Whether a process of this machine is still there, and no later one of the same id."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):  # or it is no number of a process at all
        return False
    except PermissionError:  # it is there, and somebody else's
        pass
    facts = _facts(process)
    if not facts or not started:
        return True
    return facts[0] not in _DEAD and facts[_STARTED] == started


def _facts(process: int) -> list[str]:
    """What /proc says of a process, from its state on; nothing where it may not be seen."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].decode().split()
    except OSError:
        return []
