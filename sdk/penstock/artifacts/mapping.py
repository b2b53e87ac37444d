"""Mappings: a file as private memory, without a copy and without a descriptor that stays open.

What is written to such memory is the writer's own; neither the file nor another mapping sees it.
`mmap.mmap` keeps a descriptor for as long as the mapping lives, which before Python 3.13 cannot be
helped: a process has 1,024 of them as a rule, and may well hold more values than that.
"""

from __future__ import annotations

import mmap
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from penstock.digest import Buffer

if TYPE_CHECKING:
    import ctypes

_UNRESERVED: Final = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)
"""Whoever maps more than there is memory may still read it (mmap(2))."""

_FIXED: Final = 0x10
"""MAP_FIXED, of Linux, macOS and the BSDs: in the place of what is mapped there."""


if sys.version_info >= (3, 13):

    def mapped(fd: int, size: int) -> Buffer:
        """The first `size` bytes of an open file, as private memory. Raises `OSError`."""
        private = mmap.MAP_PRIVATE | _UNRESERVED
        writable = mmap.PROT_READ | mmap.PROT_WRITE
        return mmap.mmap(fd, size, flags=private, prot=writable, trackfd=False)

else:

    def mapped(fd: int, size: int) -> Buffer:
        """The first `size` bytes of an open file, as private memory. Raises `OSError`."""
        import ctypes  # what numpy loads as well; and only for large values

        private = mmap.MAP_PRIVATE | _UNRESERVED
        # The file takes the place of memory that Python will unmap by itself, in C: what a signal
        # raises in a finalizer is lost, and unmapping takes long enough for one to come.
        held = mmap.mmap(-1, size, flags=private | mmap.MAP_ANONYMOUS)
        address = ctypes.addressof(ctypes.c_char.from_buffer(held))
        access = mmap.PROT_READ | mmap.PROT_WRITE
        found = _libc().mmap(address, size, access, private | _FIXED, fd, 0)
        if found == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return memoryview(held)


@cache
def _libc() -> Any:
    import ctypes  # as above

    library: ctypes.CDLL = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        ctypes.c_long,
    ]
    return library
