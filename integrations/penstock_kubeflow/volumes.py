"""Volumes of a pod: which there are, and under which names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock_kubeflow.names import dashed
from penstock_kubeflow.parts import EmptyDir, Ephemeral
from penstock_kubeflow.references import claim_of, files_of

if TYPE_CHECKING:
    from penstock_kubeflow.settings import Settings

SHARED_MEMORY: Final = "/dev/shm"


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume, as a pod knows it."""

    name: str
    setting: str
    """The setting that asks for it."""
    path: str
    size: str = ""


def of(made: Settings) -> Iterator[Volume]:
    """All of a pod. Kubeflow names those of Secrets, ConfigMaps and claims after these."""
    for path, files in made.secret_files.items():
        yield Volume(files_of(files).name, "secret_files", path)
    for path, files in made.config_files.items():
        yield Volume(files_of(files).name, "config_files", path)
    for path, claim in made.claims.items():
        yield Volume(claim_of(claim).name, "claims", path)
    for path, folder in empty_dirs(made).items():
        yield Volume(named("folder", path), "empty_dirs", path, folder.size)
    for path, volume in ephemeral_volumes(made).items():
        yield Volume(named("volume", path), "ephemeral_volumes", path, volume.size)


def empty_dirs(made: Settings) -> dict[str, EmptyDir]:
    """With that of the shared memory: the driver of Kubeflow has no other way to it."""
    found = {
        path: said if isinstance(said, EmptyDir) else EmptyDir(size=said)
        for path, said in made.empty_dirs.items()
    }
    if made.shared_memory is not None:
        found[SHARED_MEMORY] = EmptyDir(size=made.shared_memory, medium="Memory")
    return found


def ephemeral_volumes(made: Settings) -> dict[str, Ephemeral]:
    return {
        path: said if isinstance(said, Ephemeral) else Ephemeral(size=said)
        for path, said in made.ephemeral_volumes.items()
    }


def named(kind: str, path: str) -> str:
    """The name of a volume that has none of its own."""
    return f"{kind}-{dashed(path)}"[:63].rstrip("-")
