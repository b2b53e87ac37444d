"""Local files and folders, looked at from outside: hashed once, and then known by their stamps."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from stat import S_ISDIR, S_ISREG
from typing import Final

from penstock.artifacts.hashed import hashed, stamp_of, tick_of
from penstock.artifacts.outside.unseen import Gone, Unreachable, Unseen
from penstock.digest import Buffer, digest, of_buffers
from penstock.model.file import Content

PIECE: Final = 1 << 20
"""Bytes that are hashed at once."""
WORTH_NOTING: Final = 1 << 16
"""Bytes below which a file is hashed again: it takes no longer than looking it up."""
WORTH_WAITING: Final = 64 << 20
"""Bytes from which a file that has just been written is not hashed before its stamp counts, so
that it is hashed only once."""
NOWHERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
"""What the system says of a link that leads to nothing."""


def look(path: str, most: Content | None = None) -> Content:
    """What is there. Of more than `most`, or of another size, only that it is so.

    Raises `Unseen`.
    """
    if not os.path.isabs(path):
        raise Gone("there is no such place on this system")
    try:
        status = os.stat(path)
        if S_ISDIR(status.st_mode):
            return _folder(path, most)
        return _file(path, status, most)
    except Unseen:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Gone("there is nothing") from error
    except OSError as error:
        what = f" ({error.filename})" if error.filename not in (None, path) else ""
        raise Unreachable(f"it cannot be read: {error.strerror or error}{what}") from error


def _file(path: str, status: os.stat_result, most: Content | None) -> Content:
    if most is not None and (most.kind != "file" or most.size != status.st_size):
        _check_regular(path, status)
        return Content("file", status.st_size)
    return Content("file", status.st_size, hash_of(path, status))


def hash_of(path: str, status: os.stat_result) -> str:
    """The digest of a file's bytes, read only if nobody knows it. Raises `Unseen`, `OSError`."""
    _check_regular(path, status)
    noted = status.st_size >= WORTH_NOTING
    if noted and (known := hashed().find(stamp_of(status))) is not None:
        return known
    young = max(status.st_mtime_ns, status.st_ctime_ns) + tick_of(status) - time.time_ns()
    if young > 0 and status.st_size >= WORTH_WAITING:
        time.sleep(min(young, tick_of(status)) / 1e9)
        young = 0
    found = _read(path, status)
    # A change in the same tick would leave the stamp as it is: then it says nothing, yet.
    if noted and young <= 0:
        hashed().add(stamp_of(status), found)
    return found


def _check_regular(path: str, status: os.stat_result) -> None:
    if not S_ISREG(status.st_mode):
        raise Gone(f"{path} is neither a file nor a folder, but a pipe, a socket or a device")


def _read(path: str, status: os.stat_result) -> str:
    """The digest of what a file holds while its stamp is this one."""
    # Should it have become a pipe meanwhile, nobody waits for its other end.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb", buffering=0) as file:
        if stamp_of(os.fstat(fd)) == stamp_of(status):
            found = of_buffers(_pieces(file.fileno(), status.st_size))
            if stamp_of(os.fstat(fd)) == stamp_of(status):
                return found
    raise Unreachable(f"{path} changed while it was read")


def _pieces(fd: int, size: int) -> Iterator[Buffer]:
    """What is in a file, and no more than it says: one that grows has no end."""
    # Read and not mapped: a mapping of a file that is cut short ends the process.
    buffer = memoryview(bytearray(min(PIECE, size + 1)))
    left = size
    while count := os.readv(fd, [buffer]):
        left -= count
        if left < 0:
            raise Unreachable("it holds more than it says")
        yield buffer[:count]


def _folder(path: str, most: Content | None) -> Content:
    size = files = 0
    told: list[str] = []
    for name, place, status, link in _walk(os.path.realpath(path), "", {}):
        told += (name, link)
        if status is None:
            continue
        size, files = size + status.st_size, files + 1
        if most is not None and (files > most.files or size > most.size or most.kind == "file"):
            return Content("folder", size, files=files)
        told.append(hash_of(place, status))
    return Content("folder", size, digest("folder/1", *told), files=files)


def _walk(
    folder: str, prefix: str, walked: dict[str, str]
) -> Iterator[tuple[str, str, os.stat_result | None, str]]:
    """All that is in a folder, in order: name, place, status of what is no folder and no link, and
    where a link leads. What that is follows under the same name.

    `folder` has no links in its path. `walked` are the folders that were come to, each by its first
    name: links to them are not followed again, as they could go in a circle, or double at each
    step.
    """
    walked.setdefault(folder, prefix)
    with os.scandir(folder) as found:
        inside = sorted(found, key=lambda entry: entry.name)
    for entry in inside:
        name, place = prefix + entry.name, entry.path
        if entry.is_symlink():
            yield name, place, None, f"-> {os.readlink(place)}"
            if _is_broken(entry):
                continue
            place = os.path.realpath(place) if entry.is_dir() else place
            if place in walked:
                yield name, place, None, f"= {walked[place]}"
                continue
        if entry.is_dir():
            yield name, place, None, "/"
            yield from _walk(place, f"{name}/", walked)
        else:
            yield name, place, entry.stat(), ""


def _is_broken(link: os.DirEntry[str]) -> bool:
    try:
        link.stat()
    except OSError as error:
        if error.errno in NOWHERE:
            return True
        raise
    return False
