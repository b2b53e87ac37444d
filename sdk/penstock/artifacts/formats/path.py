"""Files and folders: a manifest, and one object per file."""

from __future__ import annotations

import json
import mmap
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Composite, NotThisFormat, Objects, Part
from penstock.artifacts.store import Buffer
from penstock.errors import PenstockError, StoreUnavailable, UnsupportedValue

MAPPED: Final = 1 << 20
"""Bytes from which a file is mapped and not read."""

Put = Callable[[Sequence[Buffer]], Part]


class PathFormat(Composite[Path]):
    """A `pathlib.Path` of a file or a folder. What comes back is a copy, under the same name.

    Of a file's mode, only whether it can be executed is kept. Links inside a folder are kept if
    they cannot lead out of it.
    """

    format: ClassVar[str] = "path/1"
    suffix: ClassVar[str] = ".json"

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: Path, objects: Objects) -> Sequence[Buffer]:
        if type(value) is not type(Path()):
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a Path")
        try:
            mode = value.stat().st_mode
            name = value.name or value.resolve().name
            if stat.S_ISDIR(mode):
                manifest = _Tree(value, objects.put).manifest()
            else:
                manifest = {"kind": "file", "files": [_file(value, name, objects.put)]}
        except PenstockError:  # some of them, the store's, are OSErrors too
            raise
        except FileNotFoundError as error:
            raise UnsupportedValue(
                f"The path {str(value)!r} leads to no file or folder: {error.filename!r} is not "
                "there.",
                hint="Write the file before the step returns, or return str(path) to pass on "
                "only the name.",
            ) from error
        except OSError as error:
            raise UnsupportedValue(f"The path {str(value)!r} cannot be read: {error}") from error
        _allowed(name, value)
        return [json.dumps({"name": name, **manifest}, separators=(",", ":")).encode("ascii")]

    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> Path:
        manifest = self._manifest(data)
        here = folder()
        root: Path = here / manifest["name"]
        base = root if manifest["kind"] == "tree" else here
        try:
            base.mkdir(exist_ok=True)
            for name in manifest.get("folders", ()):
                (base / name).mkdir(parents=True, exist_ok=True)
            for entry in manifest["files"]:
                target = base / entry["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, objects.get(_part(entry)), entry["executable"])
            # Links last: nothing is ever written through one.
            for entry in manifest.get("links", ()):
                (base / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
                (base / entry["path"]).symlink_to(entry["target"])
        except PenstockError:
            raise
        except (OSError, ValueError) as error:
            raise StoreUnavailable(f"{root} cannot be written: {error}") from error
        return root

    def parts(self, data: Buffer) -> Iterable[Part]:
        return [_part(entry) for entry in self._manifest(data)["files"]]

    def _manifest(self, data: Buffer) -> Any:
        """The manifest, checked to write below the folder only, and each name once."""
        with reading(self.format):
            manifest = json.loads(bytes(data))
            files, kind = manifest["files"], manifest["kind"]
            links, folders = manifest.get("links", []), manifest.get("folders", [])
            if kind == "file":
                single = [manifest["name"]] == [entry["path"] for entry in files]
                if not single or links or folders:
                    raise ValueError("it is not one file")
            elif kind != "tree":
                raise ValueError(f"{kind!r} is neither a file nor a tree")
            for entry in files:
                if type(entry["size"]) is not int or type(entry["executable"]) is not bool:
                    raise TypeError("it lists what is no file")
                if type(entry["digest"]) is not str or entry["size"] < 0:
                    raise TypeError("it lists what is no file")
            leaves = [entry["path"] for entry in (*files, *links)]
            for path in (*leaves, *folders, manifest["name"]):
                if not _inside(path):
                    raise ValueError(f"{path!r} is not a name inside a folder")
            if "/" in manifest["name"] or not all(map(_links_inside, links)):
                raise ValueError("it leads out of its folder")
            above = {str(up) for path in (*leaves, *folders) for up in PurePosixPath(path).parents}
            if len({*leaves, *folders}) != len(leaves) + len(folders) or above & {*leaves}:
                raise ValueError("it names a file twice")
            return manifest


class _Tree:
    """A folder on its way into the store."""

    def __init__(self, root: Path, put: Put) -> None:
        self._root = root
        self._put = put
        self._files: list[dict[str, Any]] = []
        self._folders: list[str] = []
        self._links: list[dict[str, str]] = []

    def manifest(self) -> dict[str, Any]:
        self._walk(self._root, "")
        return {
            "kind": "tree",
            "files": self._files,
            "folders": self._folders,
            "links": self._links,
        }

    def _walk(self, folder: Path, prefix: str) -> None:
        with os.scandir(folder) as entries:
            inside = sorted(entries, key=lambda entry: entry.name)
        if prefix and not inside:
            self._folders.append(prefix.rstrip("/"))
        for entry in inside:
            path = prefix + entry.name
            _allowed(path, self._root)
            if entry.is_symlink():
                self._links.append(self._link(entry.path, path))
            elif entry.is_dir():
                self._walk(Path(entry.path), f"{path}/")
            else:
                self._files.append(_file(Path(entry.path), path, self._put))

    def _link(self, place: str, path: str) -> dict[str, str]:
        link = {"path": path, "target": os.readlink(place)}
        if not _links_inside(link):
            raise UnsupportedValue(
                f"The folder {str(self._root)!r} holds a link, {path!r}, to {link['target']!r}, "
                "which leads out of the folder or could.",
                hint="Copy what it points to into the folder, or make the link relative.",
            )
        return link


def _file(place: Path, path: str, put: Put) -> dict[str, Any]:
    status = place.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UnsupportedValue(
            f"{str(place)!r} is neither a file nor a folder, but a pipe, a socket or a device."
        )
    # A mapping, unlike a copy, follows a file that changes, and one that is cut short meanwhile
    # ends the process: who returns a path must be done with writing it.
    with place.open("rb") as file:
        data: Buffer
        if status.st_size < MAPPED:
            data = file.read()
        else:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    part = put([data])
    return {
        "path": path,
        "digest": part.digest,
        "size": part.size,
        "executable": bool(status.st_mode & stat.S_IXUSR),
    }


def _write(target: Path, data: Buffer, executable: bool) -> None:
    """A new file with the mode that the umask gives it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(target, flags, 0o777 if executable else 0o666), "wb") as file:
        file.write(data)


def _part(entry: dict[str, Any]) -> Part:
    return Part(entry["digest"], entry["size"])


def _allowed(path: str, root: Path) -> None:
    if not _inside(path):
        raise UnsupportedValue(
            f"{path!r} in {str(root)!r} has a name that not every system can write.",
            hint="Rename it: no backslash, and no letter followed by a colon at its beginning.",
        )


def _inside(path: Any) -> bool:
    """Whether a path leads to a name below a folder, on POSIX and on Windows alike."""
    if type(path) is not str or not path or "\0" in path or "\\" in path:
        return False
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names):
        return False
    # On Windows a colon also names a hidden stream of a file.
    return not PureWindowsPath(path).drive and not (os.name == "nt" and ":" in path)


def _links_inside(link: Any) -> bool:
    """Whether a link stays below the folder, whatever other links there are.

    '..' is allowed at the beginning only: behind another link it could lead anywhere.
    """
    target = link["target"]
    if type(target) is not str:
        return False
    depth, names = link["path"].count("/"), target.split("/")
    up = next((n for n, name in enumerate(names) if name != ".."), len(names))
    return up <= depth and (up == len(names) or _inside("/".join(names[up:])))


def refuse_paths_inside(value: Any) -> None:
    """Raise `UnsupportedValue` for a path in a collection.

    A path alone stands for what is in the file. In a collection it would be stored by its name,
    and who reads it would not run again when the file is another.
    """
    if isinstance(value, Path):
        raise UnsupportedValue(
            f"The path {str(value)!r} lies in a collection, where only its name would be stored.",
            hint="Return the folder that the files are in, or one output for each path; or write "
            "str(path) where the name is meant.",
        )
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            refuse_paths_inside(item)
