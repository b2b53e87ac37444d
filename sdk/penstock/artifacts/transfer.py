"""Bytes from one open file to another, by the shortest way that the system has.

The file system's own: blocks that both files share until one is written to. Else the kernel copies,
else we read and write. Which of them works depends on both places, and only trying tells.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from typing import Final

PIECE: Final = 16 << 20
"""Bytes that the kernel copies in one call. Between two of them signals are heard."""
BUFFER: Final = 1 << 20
"""Bytes that are read at once, where nothing else works."""

FICLONE: Final = 0x40049409
"""Linux's number for: give a file all blocks of another. Python has no name for it."""

NOT_HERE: Final = frozenset(
    {
        *(errno.EXDEV, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.ENOTTY),
        *(errno.EINVAL, errno.ETXTBSY, errno.EBADF, errno.ENOTSOCK),
        *(errno.EPERM, errno.EACCES),  # a sandbox that knows the call by its number only
    }
)
"""What says that this way is none. Should it be meant seriously, the last way says it again."""

Way = Callable[[int, int, int, int], int]
"""Some of the bytes: from which file, to which file's position, starting where, how many. Returns
how many they were; 0 if there are no more, or none to be had like this."""


def copy(source: int, target: int) -> int:
    """The whole of an open file into another, which is empty. Returns the number of bytes.

    Where the two stand in their files afterwards is not said.
    """
    size = os.fstat(source).st_size
    if size and cloned(source, target):
        return size
    return copy_range(source, target, 0, size)


def copy_range(source: int, target: int, start: int, length: int) -> int:
    """`length` bytes of an open file, from `start` on, to where another one stands.

    Returns how many they were: fewer only if the file ends before.
    """
    done = 0
    for way in _WAYS:
        done += _by(way, source, target, start + done, length - done)
        if done == length:
            break
    return done


def _by(way: Way, source: int, target: int, start: int, length: int) -> int:
    """As many of the bytes as this way can bring."""
    done = 0
    while done < length:
        try:
            moved = way(source, target, start + done, min(PIECE, length - done))
        except OSError as error:
            if way is _read_and_write or error.errno not in NOT_HERE:
                raise
            break
        if not moved:  # the end; but some file systems answer so because they cannot
            break
        done += moved
    return done


def cloned(source: int, target: int) -> bool:
    """Whether the file system let both share the blocks."""
    if sys.platform != "linux":
        return False
    import fcntl  # not on every system

    try:
        fcntl.ioctl(target, FICLONE, source)
    except OSError as error:
        if error.errno not in NOT_HERE:
            raise
        return False
    return True


def _copy_file_range(source: int, target: int, start: int, length: int) -> int:
    return os.copy_file_range(source, target, length, offset_src=start)


def _sendfile(source: int, target: int, start: int, length: int) -> int:
    return os.sendfile(target, source, start, length)


def _read_and_write(source: int, target: int, start: int, length: int) -> int:
    data = memoryview(os.pread(source, min(BUFFER, length), start))
    left = data
    while left:
        left = left[os.write(target, left) :]
    return len(data)


_WAYS: Final[tuple[Way, ...]] = (
    *([_copy_file_range] if hasattr(os, "copy_file_range") else []),
    *([_sendfile] if hasattr(os, "sendfile") else []),
    _read_and_write,
)
