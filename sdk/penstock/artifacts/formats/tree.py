"""Files and folders on their way into the store, and out of it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from typing import Any, Final

from penstock.artifacts.formats.manifest import above, is_inside, link_stays_inside, part_of
from penstock.artifacts.materializer import Objects
from penstock.artifacts.source import OpenFile
from penstock.artifacts.store import LARGE
from penstock.errors import UnsupportedValue

# Opened without waiting: if it has just become a pipe, nobody may ever write into it.
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class Tree:
    """What is in a folder. There is no `pathlib` here: of many small files it takes the most time.

    Raises `UnsupportedValue` for what cannot be stored, and `OSError`.
    """

    def __init__(self, root: str, objects: Objects) -> None:
        self._root = root
        self._objects = objects
        self._files: list[dict[str, Any]] = []
        self._folders: list[str] = []
        self._links: list[dict[str, str]] = []

    def manifest(self) -> dict[str, Any]:
        """Stores every file, and says what there is."""
        self._walk(self._root, "")
        return {
            "kind": "tree",
            "files": self._files,
            "folders": self._folders,
            "links": self._links,
        }

    def _walk(self, folder: str, prefix: str) -> None:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
        if prefix and not inside:
            self._folders.append(prefix.rstrip("/"))
        for entry in inside:
            path = prefix + entry.name
            check_name(path, self._root)
            if entry.is_file(follow_symlinks=False):
                self._files.append(stored(entry.path, path, self._objects))
            elif entry.is_dir(follow_symlinks=False):
                self._walk(entry.path, f"{path}/")
            elif entry.is_symlink():
                self._links.append(self._link(entry.path, path))
            else:
                refuse(entry.path)

    def _link(self, place: str, path: str) -> dict[str, str]:
        link = {"path": path, "target": os.readlink(place)}
        if not link_stays_inside(link):
            raise UnsupportedValue(
                f"The folder {self._root!r} holds a link, {path!r}, to {link['target']!r}, "
                "which leads out of the folder or could.",
                hint="Copy what it points to into the folder, or make the link relative.",
            )
        return link


def stored(place: str, path: str, objects: Objects) -> dict[str, Any]:
    """Store a file, and describe it for a manifest."""
    fd = os.open(place, _READ)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            refuse(place)
        if status.st_size < LARGE:
            part = objects.put([_all(fd, status.st_size)])
        else:
            with io.FileIO(fd, closefd=False) as file:
                part = objects.put(OpenFile(file))
    finally:
        os.close(fd)
    executable = bool(status.st_mode & stat.S_IXUSR)
    return {"path": path, "digest": part.digest, "size": part.size, "executable": executable}


def give(manifest: Mapping[str, Any], base: str, objects: Objects) -> None:
    """Write all that a checked manifest names: new files, the user's own. Raises `OSError`."""
    files, folders = manifest["files"], manifest.get("folders", ())
    links = manifest.get("links", ())
    leaves = (entry["path"] for entry in (*files, *links))
    for folder in (*above((*leaves, *folders)), *folders):
        os.makedirs(f"{base}/{folder}", exist_ok=True)
    for entry in files:
        # The mode is what the umask makes of it.
        fd = os.open(f"{base}/{entry['path']}", _CREATE, 0o777 if entry["executable"] else 0o666)
        try:
            objects.write(part_of(entry), fd)
        finally:
            os.close(fd)
    # Links last: nothing is ever written through one.
    for entry in links:
        os.symlink(entry["target"], f"{base}/{entry['path']}")


def check_name(path: str, root: str) -> None:
    """Raise `UnsupportedValue` for a name that not every system has."""
    if not is_inside(path):
        raise UnsupportedValue(
            f"{path!r} in {root!r} has a name that not every system can write.",
            hint="Rename it: no backslash, and no letter followed by a colon at its beginning.",
        )


def refuse(place: str) -> None:
    """Raise `UnsupportedValue` for what is no file."""
    raise UnsupportedValue(
        f"{place!r} is neither a file nor a folder, but a pipe, a socket or a device."
    )


def _all(fd: int, size: int) -> bytes:
    """What a small file holds, also if it has grown meanwhile."""
    data = os.read(fd, size + 1)
    while more := os.read(fd, LARGE) if len(data) > size else b"":
        data += more
    return data
