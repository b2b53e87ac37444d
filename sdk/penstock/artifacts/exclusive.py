"""Renaming where nothing is yet, for file systems that refuse hard links."""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Final

_AT_FDCWD: Final = -100
_NOREPLACE: Final = 1


def exclusive_rename(source: str, target: str) -> bool:
    """Move `source` to `target` unless something is there; False if so (renameat2(2), Linux).

    Raises `OSError` where neither links nor such a rename exist.
    """
    os.makedirs(os.path.dirname(target), exist_ok=True)
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        raise OSError(errno.ENOTSUP, "neither hard links nor exclusive renames exist here", target)
    failed = function(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _NOREPLACE)
    if not failed:
        return True
    number = ctypes.get_errno()
    if number == errno.EEXIST:
        return False
    raise OSError(number, os.strerror(number), target)
