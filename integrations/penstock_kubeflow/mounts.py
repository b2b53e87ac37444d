"""Mounts: folders of a pod that Kubernetes or Kubeflow would refuse, or that hide each other."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from penstock_kubeflow import volumes
from penstock_kubeflow.references import claim_of
from penstock_kubeflow.settings import MOUNTS

if TYPE_CHECKING:
    from penstock_kubeflow.settings import Settings

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""The name of a volume (RFC 1123, a label)."""
_SCRATCH: Final = ("gcs", "s3", "minio", "dot-local", "dot-cache", "dot-config")
_VOLUMES: Final = frozenset({"kfp-launcher", *(f"{name}-scratch" for name in _SCRATCH)})
_FOLDERS: Final = frozenset(
    {"/kfp-launcher", *(f"/{name.replace('dot-', '.')}" for name in _SCRATCH)}
)
"""What each pod of Kubeflow's has already, and where."""


def refused(made: Settings) -> Iterator[str]:
    """What is wrong with the folders, a sentence each."""
    for group in MOUNTS:
        for path in getattr(made, group):
            yield from _path(group, path)
    yield from _twice(made)
    yield from _sub_paths(made)
    yield from _volumes(made)


def _path(group: str, path: str) -> Iterator[str]:
    if not path.startswith("/") or re.search("[:\0]", path) or folder(path) == "/":
        yield f"setting {group!r}: {path!r} is no absolute path of a folder."
    elif ".." in path.split("/"):
        yield f"setting {group!r}: {path!r} has '..' in it. Write {folder(path)!r}."
    elif folder(path) in _FOLDERS:
        yield f"setting {group!r}: at {path!r} Kubeflow mounts a folder of its own."


def folder(path: str) -> str:
    """The same place in one spelling: `/a/` and `//a` are `/a`."""
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _twice(made: Settings) -> Iterator[str]:
    """Kubernetes compares the text; a pod would hide one behind the other."""
    seen: dict[str, tuple[str, str]] = {}
    for group, paths in _places(made).items():
        for path in paths:
            earlier, so = seen.setdefault(folder(path), (group, path))
            if (earlier, so) != (group, path):
                spelt = f", as {so!r}" if so != path else ""
                yield (
                    f"setting {group!r}: the folder {path!r} is in {earlier!r} as well{spelt}. "
                    "A pod has one volume at one place."
                )


def _places(made: Settings) -> Mapping[str, list[str]]:
    places = {group: list(getattr(made, group)) for group in MOUNTS}
    return {**places, "shared_memory": [volumes.SHARED_MEMORY] if made.shared_memory else []}


def _sub_paths(made: Settings) -> Iterator[str]:
    """Kubernetes takes a path that leads down from the root of the volume."""
    for path, said in made.claims.items():
        inside = claim_of(said).sub_path
        if inside.startswith("/") or ".." in inside.split("/") or "\0" in inside:
            yield (
                f"setting 'claims': {inside!r} of {path!r} is no folder in the volume. "
                "Write a path without '..' and without a '/' before it."
            )


def _volumes(made: Settings) -> Iterator[str]:
    found = list(volumes.of(made))
    # Two spellings of one place have one name, and that was said already.
    at = {(each.name, folder(each.path)): each for each in found}
    for volume, count in Counter(name for name, _ in at).items():
        kinds = [each.setting for each in found if each.name == volume]
        if not _LABEL.fullmatch(volume) or volume in _VOLUMES:
            yield f"setting {kinds[0]!r}: {volume!r} cannot be the name of a volume of a pod."
        if count > 1:
            yield (
                f"setting {kinds[-1]!r}: {volume!r} is mounted {count} times. Kubeflow names a "
                "volume after what is in it, and a pod has each name once."
            )
