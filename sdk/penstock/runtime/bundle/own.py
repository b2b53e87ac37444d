"""Penstock's own code: if it runs from a checkout, no other machine can install what runs here, so
it travels with the project, as an archive in the archive. Mostly nobody has to unpack that."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from penstock._version import __version__
from penstock.digest import digest
from penstock.errors import OURS
from penstock.runtime.bundle import archive
from penstock.runtime.bundle.archive import Member
from penstock.runtime.bundle.manifest import Manifest

Code = Mapping[str, Mapping[str, bytes]]
"""Package → path in it → content."""

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})
_ENDS: Final = (".py", ".typed")


def is_running(manifest: Manifest) -> bool:
    """Whether this process has the penstock that a bundle brings, file for file."""
    return sources(read(_folders(manifest.sources))) == manifest.sources


def penstock_of(manifest: Manifest) -> str:
    """The folder of the penstock that a bundle brings: for `PYTHONPATH`."""
    assert manifest.penstock is not None
    folder = manifest.penstock.removesuffix(".tar.gz")
    if not os.path.isdir(folder):
        fresh = tempfile.mkdtemp(dir=os.path.dirname(folder))
        archive.unpacked(archive.read(Path(manifest.penstock).read_bytes()), Path(fresh))
        with suppress(OSError):  # another process was first, and its folder is as good
            os.rename(fresh, folder)
    return folder


def packages() -> dict[str, Path]:
    """The folders of the packages that travel, by name: of penstock and our integrations, if they
    are from a checkout."""
    return {} if is_installed(OURS) else _folders(["penstock", *_integrations()])


def is_installed(file: str) -> bool:
    """Whether a file is of an installed distribution, and not where it is written."""
    return not _INSTALLED.isdisjoint(file.split("/"))


def sources(code: Code) -> dict[str, str]:
    """The digests of packages: of the names and bytes of their files."""
    return {name: _digest(files) for name, files in sorted(code.items())}


def packed(code: Code) -> bytes:
    """An archive of packages. With them goes what `importlib.metadata` is to say of penstock: the
    flavors of this checkout, not those of whatever release an image has."""
    members = [
        Member(f"{name}/{path}", data) for name, files in code.items()
        for path, data in files.items()
    ]  # fmt: skip
    return archive.written([*members, *_about()])


def _about() -> Iterator[Member]:
    folder = f"penstock-{__version__}.dist-info"
    head = f"Metadata-Version: 2.1\nName: penstock\nVersion: {__version__}\n"
    yield Member(f"{folder}/METADATA", head.encode())
    yield Member(f"{folder}/entry_points.txt", _entry_points().encode())


def _integrations() -> list[str]:
    """The packages of our own flavors, which are of the same distribution."""
    targets = [line.partition("=")[2].strip() for line in _entry_points().splitlines()]
    names = {target.partition(":")[0].partition(".")[0] for target in targets if target}
    return sorted(names - {"penstock"})


@cache
def _entry_points() -> str:
    from importlib.metadata import PackageNotFoundError, distribution  # slow to import

    try:
        return distribution("penstock").read_text("entry_points.txt") or ""
    except PackageNotFoundError:  # its folder is on the path, and nothing is installed
        return ""


def _folders(names: Iterable[str]) -> dict[str, Path]:
    """Where packages lie, none of them imported for it."""
    found = {}
    for name in names:
        if name == "penstock":
            found[name] = Path(OURS)
        elif (spec := PathFinder.find_spec(name)) is not None and spec.origin is not None:
            found[name] = Path(spec.origin).parent
    return found


def _digest(files: Mapping[str, bytes]) -> str:
    parts: list[str | bytes] = []
    for path, data in files.items():
        parts += [path, data]
    return digest("sources/1", *parts)


def read(packages: Mapping[str, Path]) -> Code:
    """The files of packages that count, in order."""
    return {
        name: {path: _bytes(f"{folder}/{path}") for path in sorted(_files(folder))}
        for name, folder in packages.items()
    }


def _files(folder: Path) -> Iterator[str]:
    for above, _, names in os.walk(folder):
        for name in names:
            if name.endswith(_ENDS):
                yield os.path.relpath(os.path.join(above, name), folder)


def _bytes(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.readall()
