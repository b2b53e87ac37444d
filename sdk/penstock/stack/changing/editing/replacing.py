"""Files that are replaced whole: whoever reads sees the old one or the new one."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def replace(target: Path, data: bytes, like: Path, folder: Path) -> None:
    """Write `target` whole or not at all, for whom `like` is. Only who has the lock calls this."""
    near = folder if folder.stat().st_dev == target.parent.stat().st_dev else target.parent
    temp = near / f"{target.name}.new"
    temp.unlink(missing_ok=True)  # of somebody who was killed
    with open(temp, "xb") as file:
        _make_alike(file.fileno(), like)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temp, target)
    _sync_folder(target.parent)


def _make_alike(file: int, like: Path) -> None:
    """The owner and the mode of `like`, where that is allowed."""
    with suppress(FileNotFoundError, PermissionError):
        status = like.stat()
        os.fchmod(file, stat.S_IMODE(status.st_mode))
        os.fchown(file, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
