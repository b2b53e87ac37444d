"""The kernel refuses: system calls fail with the error of one's choice, in this process and for
good. A filter of seccomp(2), so that it needs no privilege and works in containers.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"link": 86, "linkat": 265, "renameat2": 316, "writev": 20, "fsync": 74},
    "aarch64": {"linkat": 37, "renameat2": 276, "writev": 66, "fsync": 82},
}
POSSIBLE = sys.platform == "linux" and platform.machine() in NUMBERS

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2


def refuse(**errors: int) -> None:
    """For example `refuse(link=errno.EPERM)`, which covers `linkat` too."""
    if "link" in errors:
        errors["linkat"] = errors["link"]
    known = NUMBERS[platform.machine()]
    calls = [(known[name], error) for name, error in errors.items() if name in known]
    rules = [(_LOAD, 0, 0, 0)]
    for number, error in calls:
        rules += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | error)]
    rules.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(rules), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    for given in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, program, 0, 0)):
        if libc.prctl(*given) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
