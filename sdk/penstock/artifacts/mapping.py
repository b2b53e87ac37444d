"""Mappings: a file as private memory, without a copy and without a descriptor that stays open.

What is written to such memory is the writer's own; neither the file nor another mapping sees it.
`mmap.mmap` keeps a descriptor for as long as the mapping lives, which before Python 3.13 cannot be
helped: a process has 1,024 of them as a rule, and may well hold more values than that.
"""

from __future__ import annotations

import mmap
import os
import sys
import weakref
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from penstock.digest import Buffer

if TYPE_CHECKING:
    import ctypes

_UNRESERVED: Final = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)
"""Whoever maps more than there is memory may still read it (mmap(2))."""


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
        libc = _libc()
        address = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, private, fd, 0)
        if address == ctypes.c_void_p(-1).value:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        held = (ctypes.c_char * size).from_address(address)
        # Views of the memory keep `held`, and so the mapping. At the end of the process it stays:
        # a thread may still be reading.
        weakref.finalize(held, libc.munmap, address, size).atexit = False
        return memoryview(held).cast("B")


@cache
def _libc() -> Any:
    import ctypes  # as above

    library: ctypes.CDLL = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    library.mmap.argtypes = [
        *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        ctypes.c_long,
    ]
    library.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return library
