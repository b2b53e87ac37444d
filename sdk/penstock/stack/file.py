"""Reading penstock.yaml, at most once as long as it does not change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from penstock.errors import BadConfiguration
from penstock.lazy import lazy
from penstock.stack.configuration import Configuration

if TYPE_CHECKING:
    from penstock.stack import parsing
else:
    parsing = lazy("penstock.stack.parsing")  # not needed where there is no file

_read: Final[dict[Path, tuple[tuple[int, ...], Configuration]]] = {}
"""What was read in this process, each with the stamp of the file at that time."""


def read(path: Path) -> Configuration:
    """The file's content; an empty configuration if there is no file. Raises `BadConfiguration`."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Configuration(path)  # also where a home folder belongs to somebody else
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}.") from error
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    known = _read.get(path)
    if known is None or known[0] != stamp:
        known = _read[path] = stamp, parsing.load(path, status)
    return known[1]
