"""Runs on disks that fill up in the midst of a large write, and are made larger then. Must be run
where one may mount: `unshare --mount python work_on_a_full_disk.py FOLDER`. Prints JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Stack,
    SubprocessStepOperator,
    pipeline,
    step,
)
from penstock.artifacts.store import ArtifactStore
from penstock.digest import of_buffers
from penstock.errors import RunFailed
from penstock.model.step import Step

MEGABYTE = 1 << 20

Told = dict[str, Any]


class Parcel:
    """What only pickle takes."""

    def __init__(self, content: object) -> None:
        self.content = content


@step
def small() -> bytes:
    return b"s" * 10_000


@step
def large_bytes(small: bytes) -> bytes:
    return small * 600


@step
def large_array(small: bytes) -> np.ndarray[Any, Any]:
    return np.zeros(6 * MEGABYTE // 8) + len(small)


@step
def large_pickle(small: bytes) -> object:
    return Parcel([np.arange(MEGABYTE // 4), np.ones(MEGABYTE // 2), small])


@step
def many_files(small: bytes) -> Path:
    tree = Path(mkdtemp(), "tree")
    tree.mkdir()
    for number in range(30):
        (tree / str(number)).write_bytes(bytes([number]) * 200_000)
    return tree


@step
def large_noise(small: bytes) -> np.ndarray[Any, Any]:
    return np.random.default_rng(len(small)).random(6 * MEGABYTE // 8)


@step
def size(value: Any) -> str:
    return type(value).__name__


@pipeline(progress=False)
def filling(number: int) -> Any:
    return size(STEPS[number](small()))


@pipeline(progress=False)
def filling_elsewhere(number: int) -> Any:
    return size(STEPS[number].with_options(step_operator="apart")(small()))


STEPS: list[Step[..., Any]] = [large_bytes, large_array, large_pickle, many_files, large_noise]


def mounted(folder: Path, *options: str) -> None:
    """A disk of four megabytes in the place of a folder, or that disk in another size."""
    command = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        ",".join(options or ("size=4m",)),
        "tmpfs",
        str(folder),
    ]
    subprocess.run(command, check=True)


def halves(store: ArtifactStore) -> list[str]:
    """What is left of what was not written: temporary files, and objects that are not whole."""
    objects = [file for file in Path(store.path, "objects").rglob("*") if file.is_file()]
    wrong = [file.name for file in objects if of_buffers([unpacked(file)]) != file.name[:64]]
    return wrong + os.listdir(Path(store.path, "tmp"))


def unpacked(file: Path) -> bytes:
    if file.suffix != ".zst":
        return file.read_bytes()
    import zstandard

    return zstandard.ZstdDecompressor().decompress(file.read_bytes())


def story(
    disk: Path, run: Callable[[Stack], Any], workers: Any = "threads", **options: Any
) -> Told:
    """What happens on a small disk, and after there is room on it."""
    disk.mkdir(parents=True)
    mounted(disk)
    store = LocalArtifactStore(path=str(disk / "store"), **options)
    stack = Stack(
        "full",
        orchestrator=LocalOrchestrator(workers=workers),
        artifact_store=store,
        step_operators=[SubprocessStepOperator(name="apart")],
    )
    try:
        run(stack)
    except RunFailed as error:
        [why] = error.run.failures
        said = f"{why.kind}: {why.message}".replace(str(disk), "DISK")
        before = {view.id: str(view.status) for view in error.run}
    else:
        said, before = "nothing", {}
    left = halves(store)
    mounted(disk, "remount", "size=60m")
    after = run(stack)
    return {
        "said": said,
        "before": list(before.values()),
        "left": left,
        "after": [str(view.status) for view in after],
        "result": after.result(),
        "left after": halves(store),
    }


def main(folder: Path) -> dict[str, Told]:
    """What is told of each story."""
    told = {
        each.name: story(folder / each.name, lambda stack, n=n: filling.on(stack).run(n))
        for n, each in enumerate(STEPS)
    }
    return {
        **told,
        "many_files in a process of its own": story(
            folder / "apart", lambda stack: filling_elsewhere.on(stack).run(3)
        ),
        "large_array in a worker": story(
            folder / "worker", lambda stack: filling.on(stack).run(1), workers="processes"
        ),
        "large_array to outlive a power failure": story(
            folder / "power", lambda stack: filling.on(stack).run(1), durability="power"
        ),
        "large_noise compressed": story(
            folder / "packed", lambda stack: filling.on(stack).run(4), compression="zstd"
        ),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1])), indent=1))
