"""Detours: what C code and other programs write to descriptors 1 and 2 takes a way through a file.

A file, not a pipe: code that holds the interpreter's lock and prints more than a pipe can hold
would wait for ever for the thread that empties it.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from penstock.runtime.capturing.ways import ToDescriptor

PIECE: Final = 64 * 1024
"""Bytes that are read at once."""

HOLE: Final = 16 * 1024 * 1024
"""Bytes after which what was read gives its memory back."""


class Detour:
    """A file in the place of descriptors that lead to one and the same real stream."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        # Not 0 to 2, which may be closed: others think that they know what these are.
        self._kept = {number: fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3) for number in numbers}
        self._mark: int | None
        self._file, self._mark = _inherited.pop(numbers[0], None) or (nameless(), None)
        self._read = self._holes = 0
        self._is_ours = True
        """Whether to be read here, and not by the parent of this process."""
        self.way = ToDescriptor(self._kept[numbers[0]])
        for number in numbers:
            os.dup2(self._file, number)

    def real(self, number: int) -> int | None:
        """Where a standard descriptor is meanwhile."""
        return self._kept.get(number)

    @property
    def has_news(self) -> bool:
        return self._next(1) != b""

    def news(self) -> Iterator[bytes]:
        """What was written since the last time."""
        while data := self._next(PIECE):
            self._read += len(data)
            if self._read - self._holes > HOLE:
                _punch(self._file, self._holes, self._read - self._holes)
                self._holes = self._read
            yield data
            self._note()  # only now: said twice is better than never, if it crashes in between

    def _note(self) -> None:
        """Tell the process that has made the file how far it need not read any more."""
        if self._mark is not None:
            with suppress(OSError):  # closed by a step
                os.lseek(self._mark, self._read, os.SEEK_SET)

    def _next(self, size: int) -> bytes:
        if not self._is_ours:
            return b""
        try:
            return os.pread(self._file, size, self._read)
        except OSError:  # a step has closed all descriptors that it found
            self._is_ours = False
            return b""

    def forked(self) -> None:
        """In a child: what it writes is read by its parent."""
        self._is_ours = False
        self.way.forked()

    def end(self) -> None:
        """Put the real ones back, but where somebody has put another file there."""
        for number, kept in self._kept.items():
            try:
                is_ours = os.path.sameopenfile(number, self._file)
            except OSError:  # closed by a step; the process needs it nevertheless
                is_ours = True
            if is_ours:
                with suppress(OSError):  # the kept one is closed as well
                    os.dup2(kept, number)

    def close(self) -> None:
        """Forget the file and the real ones."""
        self.way.close()
        marks = () if self._mark is None else (self._mark,)
        for descriptor in (self._file, *marks, *self._kept.values()):
            with suppress(OSError):  # as above
                os.close(descriptor)


_inherited: dict[int, tuple[int, int]] = {}
"""Of standard descriptors whose file is made already: the file, and where it is noted how far it
was read."""


def inherit(number: int, file: int, mark: int) -> None:
    """Use this file for a standard descriptor: who made it reads on if this process crashes."""
    for descriptor in (file, mark):
        os.set_inheritable(descriptor, False)
    _inherited[number] = file, mark


def detours() -> list[Detour]:
    """Made now, for the standard descriptors that are open: one, if both lead to one place."""
    places: dict[tuple[int, int], list[int]] = {}
    for number in (1, 2):
        with suppress(OSError):  # closed
            found = os.fstat(number)
            places.setdefault((found.st_dev, found.st_ino), []).append(number)
    made: list[Detour] = []
    for numbers in places.values():
        with suppress(OSError):  # too many files are open: this part is left out
            made.append(Detour(tuple(numbers)))
    return made


def flush_c() -> None:
    """Have C write what it holds back of standard output, if anybody here may have used it."""
    if (library := _c()) is not None:
        library.fflush(library.held)


class _C:
    """The functions of C's library that are needed here."""

    def __init__(self, ctypes: Any) -> None:
        library = ctypes.CDLL(None)
        self.fflush = library.fflush
        # Not all streams: a thread that waits for input holds the lock of its own.
        name = "__stdoutp" if sys.platform == "darwin" else "stdout"
        self.held = ctypes.c_void_p.in_dll(library, name)
        self.punch = getattr(library, "fallocate", None)
        if self.punch is not None:
            self.punch.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long)


_loaded: list[_C] = []


def _c() -> _C | None:
    """C's library, if somebody has loaded what it takes to call it."""
    ctypes = sys.modules.get("ctypes")
    if not _loaded and hasattr(ctypes, "CDLL"):
        _loaded.append(_C(ctypes))
    return _loaded[0] if _loaded else None


def nameless() -> int:
    """A file without a name. Everybody appends to it, also those who share no position."""
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("penstock")
    else:
        import tempfile  # heavy, and only where files need a place

        with tempfile.TemporaryFile() as made:
            file = os.dup(made.fileno())
    fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND | os.O_RDWR)
    return file if file > 2 else moved(file)


def moved(file: int) -> int:
    """Away from a standard descriptor that was closed: others write there."""
    elsewhere = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(file)
    return elsewhere


def _punch(file: int, start: int, size: int) -> None:
    """Give back the memory of what was read. Where that is not known, it is freed at the end."""
    import ctypes  # noqa: F401 - slow to import, and only for very much output

    library = _c()
    if library is not None and library.punch is not None:
        library.punch(file, 3, start, size)  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
