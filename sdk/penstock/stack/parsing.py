"""From the bytes of a penstock.yaml to its configuration, or to all complaints about it."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import Final

from penstock.stack.complaints import Complaints, shown
from penstock.stack.configuration import Configuration
from penstock.stack.nodes import parse
from penstock.stack.sections import Sections

_log: Final = logging.getLogger("penstock.stack")

LARGEST: Final = 1 << 20
"""Bytes. Nobody writes more by hand, and the parser is slow."""


def load(path: Path, status: os.stat_result) -> Configuration:
    """What the file says. Raises `BadConfiguration`."""
    complaints = Complaints(shown(path))
    text = content(path, status, complaints)
    complaints.tell()
    found = configuration(path, text)
    for remark in found.remarks:
        _log.warning(remark)
    return found


def configuration(path: Path, text: str) -> Configuration:
    """What `text`, the content of `path`, says. Raises `BadConfiguration`."""
    complaints = Complaints(shown(path))
    root = parse(text, complaints)
    found = Sections(path, complaints).configuration(root) if root else Configuration(path)
    complaints.tell()
    return found


def content(path: Path, status: os.stat_result, complaints: Complaints) -> str:
    """The text of the file; nothing if that is not to be had."""
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "something else"
        complaints.add((1, 1), f"This must be a file, and is {what}.")
        return ""
    if status.st_size > LARGEST:
        complaints.add((1, 1), f"This file has {status.st_size:,} bytes; at most 1 MiB is read.")
        return ""
    try:
        return decoded(path.read_bytes(), complaints)
    except OSError as error:
        complaints.add((1, 1), f"This file cannot be read: {error.strerror}.")
    return ""


def decoded(data: bytes, complaints: Complaints) -> str:
    """The text of a file; nothing if it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        before = error.object[error.object.rfind(b"\n", 0, error.start) + 1 : error.start]
        column = len(before.decode()) + 1
        complaints.add((line, column), "This file is not UTF-8; save it in that encoding.")
    return ""
