"""The manifest: what a bundle says of itself, so that a process can work in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from penstock.errors import CorruptArtifact

NAME: Final = "manifest.json"
"""Of the member that has it."""

PROJECT: Final = "project"
MORE: Final = "more"
PENSTOCK: Final = "penstock.tar.gz"
MAIN: Final = "main.py"
"""Where things are in an archive: the project's files, code that is from elsewhere, penstock
itself, and the cells of a notebook."""

_dump: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Where things are in an unpacked bundle. Paths are absolute."""

    path: tuple[str, ...]
    """Folders for `sys.path`, in this order, before all others."""
    cwd: str
    """The project's folder."""
    main: str | None
    """The file with what the cells of a notebook have defined, if steps are from there."""
    penstock: str | None
    """The archive that has penstock itself, if it came from a checkout."""
    python: str
    """The Python that the code was packed with, for example `3.11`."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """The digests of the packages in that one."""


def python() -> str:
    """The Python of this process, as manifests name it."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def to_bytes(path: tuple[str, ...], *, main: bool, sources: Mapping[str, str]) -> bytes:
    """Of an archive that has these folders, relative to it."""
    data = {
        "version": _VERSION,
        "python": python(),
        "path": path,
        "cwd": PROJECT,
        "main": MAIN if main else None,
        "penstock": PENSTOCK if sources else None,
        "sources": dict(sources),
    }
    return _dump(data).encode()


def from_bytes(data: bytes, folder: Path) -> Manifest:
    """That of a bundle in this folder. Raises `CorruptArtifact`."""
    try:
        found = json.loads(data)
        return _read(found, folder)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise CorruptArtifact(f"The manifest of the code cannot be read: {error!r}.") from error


def _read(found: Mapping[str, Any], folder: Path) -> Manifest:
    def placed(name: Any) -> str:
        if not isinstance(name, str) or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is no place in it")
        return str(folder / name)

    return Manifest(
        path=tuple(map(placed, found["path"])),
        cwd=placed(found["cwd"]),
        main=placed(found["main"]) if found["main"] else None,
        penstock=placed(found["penstock"]) if found["penstock"] else None,
        python=str(found["python"]),
        sources={str(name): str(digest) for name, digest in found["sources"].items()},
    )
