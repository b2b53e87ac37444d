"""What is installed: penstock, Python, the libraries of extras, packages that bring flavors."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import penstock
from penstock.cli.health.observation import Observation
from penstock.runtime import provenance
from penstock.stack import categories, install, installed, requirements

EXTRAS: Final = ("s3", "kubeflow", "zstd")
"""Those for users."""


def observed() -> Iterator[Observation]:
    """Nothing is imported for that."""
    versions = provenance.versions()
    folder = Path(penstock.__file__).parent
    yield Observation("penstock", f"{versions['penstock']}, {folder}")
    yield Observation("Python", f"{versions['python']}, {sys.executable}")
    yield Observation("platform", platform.platform())
    for extra in EXTRAS:
        yield _extra(extra)
    packages = {each.package: each.version for each in installed.offers()}
    for name, version in packages.items():
        if name != "penstock":
            yield Observation(f"package {name}", f"{version}, brings {_brought(name)}")
    for text in categories.strays():
        yield Observation("package", text, mark="note")


def _extra(extra: str) -> Observation:
    what, found = f"extra {extra}", requirements.versions("penstock", [extra])
    if not found:
        return Observation(what, "unknown: penstock is run from its sources")
    if missing := [name for name, version in found.items() if not version]:
        said = f"not installed ({', '.join(missing)}). To install:"
        return Observation(what, said, install.command("penstock", extra))
    return Observation(what, ", ".join(f"{name} {version}" for name, version in found.items()))


def _brought(package: str) -> str:
    found = [each for each in installed.offers() if each.package == package]
    return ", ".join(f"{categories.name_of(each.section)} {each.name}" for each in found)
