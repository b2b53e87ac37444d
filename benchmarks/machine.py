"""The machine that the figures are from, in words."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path


def described(folder: Path) -> dict[str, str]:
    """What to know of a table's figures. `folder` is where the files were written."""
    return {
        "processor": f"{_cores()} cores, {_processor()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.system(),
        "files": _file_system(folder),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _file_system(folder: Path) -> str:
    """Its type, where the system tells."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "an unknown file system"
    above = {str(parent) for parent in (folder, *folder.parents)}
    return max(((mount[1], mount[2]) for mount in mounts if mount[1] in above), default=("", ""))[1]
