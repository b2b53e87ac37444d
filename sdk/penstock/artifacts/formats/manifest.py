"""The manifest of a file or a folder: the names in it, and the object that each file is.

Whoever could write to the store may have written it: nothing in it leads out of its folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.store import Buffer
from penstock.model.records import Part

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode


def written(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as it is stored."""
    return _dump(manifest).encode("ascii")


def read(format: str, data: Buffer) -> Any:
    """The manifest, checked to name places below its folder only, and each once.

    Raises `CorruptArtifact`.
    """
    with reading(format):
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
            _check_file(entry)
        leaves = [entry["path"] for entry in (*files, *links)]
        for path in (*leaves, *folders, manifest["name"]):
            if not is_inside(path):
                raise ValueError(f"{path!r} is not a name inside a folder")
        if "/" in manifest["name"] or not all(map(link_stays_inside, links)):
            raise ValueError("it leads out of its folder")
        if len({*leaves, *folders}) != len(leaves) + len(folders):
            raise ValueError("it names a file twice")
        if not {*above((*leaves, *folders))}.isdisjoint(leaves):
            raise ValueError("it names a file that is a folder, too")
        return manifest


def part_of(entry: Mapping[str, Any]) -> Part:
    """The object that a file is."""
    return Part(entry["digest"], entry["size"])


def above(paths: Iterable[str]) -> Iterator[str]:
    """The folders that these lie in, each one once and behind those that it is in itself."""
    seen = set()
    for path in paths:
        cut = path.rfind("/")
        if cut < 0 or path[:cut] in seen:
            continue
        names = path[:cut].split("/")
        for depth in range(1, len(names) + 1):
            folder = "/".join(names[:depth])
            if folder not in seen:
                seen.add(folder)
                yield folder


def is_inside(path: Any) -> bool:
    """Whether a path leads to a name below a folder, on POSIX and on Windows alike."""
    if type(path) is not str or not path or "\0" in path or "\\" in path:
        return False
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        return False
    # On Windows a letter and a colon is a drive, and any colon names a hidden stream of a file.
    return path[1:2] != ":" and not (os.name == "nt" and ":" in path)


def link_stays_inside(link: Mapping[str, Any]) -> bool:
    """Whether a link stays below the folder, whatever other links there are.

    '..' is allowed at the beginning only: behind another link it could lead anywhere.
    """
    target = link["target"]
    if type(target) is not str:
        return False
    depth, names = link["path"].count("/"), target.split("/")
    up = next((n for n, name in enumerate(names) if name != ".."), len(names))
    return up <= depth and (up == len(names) or is_inside("/".join(names[up:])))


def _check_file(entry: Mapping[str, Any]) -> None:
    size, digest = entry["size"], entry["digest"]
    if type(size) is not int or size < 0 or type(digest) is not str:
        raise TypeError("it lists what is no file")
    if type(entry["executable"]) is not bool:
        raise TypeError("it lists what is no file")
