"""System calls that change files: their numbers, and what they are about.

What is written through a shared mapping is none of them; nothing of a store is written like that.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from dataclasses import dataclass
from typing import Final

NUMBERS: Final[dict[str, dict[str, int]]] = {
    "x86_64": {
        "openat": 257, "write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "pwritev2": 328,
        "copy_file_range": 326, "sendfile": 40, "splice": 275, "ftruncate": 77, "truncate": 76,
        "fallocate": 285, "link": 86, "linkat": 265, "rename": 82, "renameat": 264,
        "renameat2": 316, "unlink": 87, "unlinkat": 263, "rmdir": 84, "mkdir": 83, "mkdirat": 258,
        "symlink": 88, "symlinkat": 266, "utimensat": 280, "chmod": 90, "fchmod": 91,
        "fchmodat": 268,
    },
    "aarch64": {
        "openat": 56, "write": 64, "pwrite64": 68, "writev": 66, "pwritev": 70, "pwritev2": 287,
        "copy_file_range": 285, "sendfile": 71, "splice": 76, "ftruncate": 46, "truncate": 45,
        "fallocate": 47, "linkat": 37, "renameat": 38, "renameat2": 276, "unlinkat": 35,
        "mkdirat": 34, "symlinkat": 36, "utimensat": 88, "fchmod": 52, "fchmodat": 53,
    },
}  # fmt: skip
SECCOMP: Final = {"x86_64": 317, "aarch64": 277}
POSSIBLE: Final = sys.platform == "linux" and platform.machine() in NUMBERS

_FILES: Final = {
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2", "sendfile"), 0),
    **dict.fromkeys(("ftruncate", "fallocate", "fchmod"), 0),
    **dict.fromkeys(("copy_file_range", "splice"), 2),
}
"""Which argument is the file that is changed, where that is open."""

_PATHS: Final = {
    **dict.fromkeys(("unlink", "rmdir", "mkdir", "chmod", "truncate"), 0),
    **dict.fromkeys(("openat", "unlinkat", "mkdirat", "fchmodat", "utimensat"), 1),
    **dict.fromkeys(("link", "rename", "symlink"), 1),
    **dict.fromkeys(("symlinkat",), 2),
    **dict.fromkeys(("linkat", "renameat", "renameat2"), 3),
}
"""Which argument is the path of what is changed; of two, the new one."""


@dataclass(frozen=True)
class Change:
    """A system call that somebody is about to make."""

    name: str
    path: str
    thread: int
    arguments: tuple[int, ...]

    @property
    def holds_data(self) -> bool:
        """Whether it can be done by halves."""
        return self.name in ("write", "writev", "pwrite64")

    def do_half(self) -> None:
        """Write the first half of what it would write, in the place of whoever was about to."""
        file, place, count, offset, *_ = self.arguments
        data = _memory(self.thread, place, count) if self.name != "writev" else b"".join(
            _memory(self.thread, *struct.unpack("QQ", _memory(self.thread, place + 16 * n, 16)))
            for n in range(count)
        )  # fmt: skip
        with open(f"/proc/{self.thread}/fdinfo/{file}") as facts:
            position = int(facts.readline().split()[1])
        own = os.open(f"/proc/{self.thread}/fd/{file}", os.O_WRONLY)
        try:
            begin = offset if self.name == "pwrite64" else position
            os.pwrite(own, data[: len(data) // 2], begin)
        finally:
            os.close(own)


def change(number: int, thread: int, arguments: tuple[int, ...]) -> Change:
    """What a thread that waits in this system call is about to change."""
    name = _NAMES[number]
    if name in _FILES:
        path = os.readlink(f"/proc/{thread}/fd/{arguments[_FILES[name]]}")
    elif name == "utimensat" and not arguments[1]:
        path = os.readlink(f"/proc/{thread}/fd/{arguments[0]}")
    else:
        path = os.path.join(os.readlink(f"/proc/{thread}/cwd"), _text(thread, arguments, name))
    return Change(name, path, thread, arguments)


def _text(thread: int, arguments: tuple[int, ...], name: str) -> str:
    """The path that an argument leads to."""
    place, text = arguments[_PATHS[name]], b""
    while b"\0" not in text:  # in pieces: what comes after a page may not be there
        text += _memory(thread, place + len(text), 256 - (place + len(text)) % 256)
    return os.fsdecode(text.partition(b"\0")[0])


def _memory(thread: int, place: int, size: int) -> bytes:
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(place)
        return memory.read(size)


_NAMES: Final = (
    {number: name for name, number in NUMBERS[platform.machine()].items()} if POSSIBLE else {}
)

_LOAD, _EQUAL, _ANY, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000
_THIRD_ARGUMENT = 32
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NO_NEW_PRIVILEGES, _FILTER, _LISTENER = 38, 1, 8


def ask() -> int:
    """From now on the kernel asks before this process changes a file, for good (seccomp(2), user
    notification). Returns the descriptor on which it asks."""
    known = NUMBERS[platform.machine()]
    rules = [(_LOAD, 0, 0, 0), (_EQUAL, 0, 4, known["openat"]), (_LOAD, 0, 0, _THIRD_ARGUMENT)]
    rules += [(_ANY, 0, 1, _CHANGES), (_RETURN, 0, 0, _ASK), (_RETURN, 0, 0, _ALLOW)]
    for name, number in known.items():
        if name != "openat":
            rules += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    rules.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(rules), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    number = SECCOMP[platform.machine()]
    listener: int = libc.syscall(number, _FILTER, _LISTENER, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener
