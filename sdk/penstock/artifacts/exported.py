"""Files for users, outside of any store: whole or not at all, and never over something else."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.artifacts.exclusive import exclusive_rename


@contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """An empty folder in the same place as `target`, for what is to be moved there."""
    import shutil  # heavy, and only for exports
    import tempfile

    parent = Path(os.path.abspath(target)).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # which would be said of `target`
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(parent)) from None
    folder = tempfile.mkdtemp(prefix=".penstock-", dir=parent)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def moved(made: Path, target: Path) -> Path:
    """Give a finished file or folder its name. Raises `FileExistsError`."""
    try:
        done = exclusive_rename(str(made), os.path.abspath(target))
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOTSUP):
            raise
        # Without such a rename, somebody who makes the same name in this very moment loses it.
        if done := not os.path.lexists(target):
            made.rename(target)
    if not done:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    return target
