"""Renaming where nothing is yet, for file systems that refuse hard links."""

from __future__ import annotations

import errno
import os
from typing import Final

LINKS_REFUSED: Final = frozenset(
    {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
)
"""What `link` fails with where there are no hard links, or no more for this file."""

_AT_FDCWD: Final = -100
_NOREPLACE: Final = 1


def exclusive_rename(source: str, target: str) -> bool:
    """Move `source` to `target` unless something is there; False if so (renameat2(2), Linux).

    Raises `OSError` where neither links nor such a rename exist.
    """
    import ctypes  # not needed where there are links

    os.makedirs(os.path.dirname(target), exist_ok=True)
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        raise _neither(target)
    failed = function(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _NOREPLACE)
    if not failed:
        return True
    number = ctypes.get_errno()
    if number == errno.EEXIST:
        return False
    if number in (errno.EINVAL, errno.ENOSYS):
        raise _neither(target)
    raise OSError(number, os.strerror(number), target)


def _neither(target: str) -> OSError:
    text = "it has neither hard links nor renames that replace nothing"
    return OSError(errno.EOPNOTSUPP, text, target)
