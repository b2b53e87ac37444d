"""Opening a bundle: it is unpacked, and what cells have defined becomes a module."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

from penstock.errors import CorruptArtifact
from penstock.runtime.bundle import archive, manifest
from penstock.runtime.bundle.manifest import Manifest


def opened(data: bytes, folder: Path) -> Manifest:
    """Unpack it into a folder that is empty, or is made. Nothing is written outside of it.

    Raises `CorruptArtifact`; part of it may be unpacked then.
    """
    members = archive.unpacked(archive.read(data), folder)
    if manifest.NAME not in members:
        raise CorruptArtifact("The archive of the code has no manifest.")
    found = reopened(folder)
    os.makedirs(found.cwd, exist_ok=True)
    return found


def reopened(folder: Path) -> Manifest:
    """Of a bundle that was opened in this folder before. Raises `FileNotFoundError`."""
    folder = folder.absolute()
    return manifest.from_bytes((folder / manifest.NAME).read_bytes(), folder)


def as_main(file: str) -> ModuleType:
    """What the cells of a notebook have defined, as this process's `__main__`.

    It has no `__file__`, as in a notebook: with one its names would be those of a module.
    """
    with open(file, encoding="utf-8") as source:
        code = compile(source.read(), file, "exec", dont_inherit=True)
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    exec(code, vars(module))
    return module
