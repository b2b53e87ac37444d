"""Git's list of what is in a folder: what it tracks, and what it would if asked to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_OF_HOOKS: Final = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"),
        *("GIT_OBJECT_DIRECTORY", "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS"),
    }
)


class Known(NamedTuple):
    """A path below a folder, with forward slashes."""

    name: str
    tracked: bool
    """It is in git, so it is there on purpose."""


class Refused(Exception):
    """Git does not answer: the work tree is somebody else's, its index is broken, …"""


def is_above(folder: Path) -> bool:
    """Whether a folder is in a work tree. Git is not started for it."""
    return any(os.path.lexists(above / ".git") for above in (folder, *folder.parents))


def files(folder: Path) -> Iterator[Known]:
    """What is below a folder as git sees it, and in work trees inside of it. Raises `Refused`."""
    # Without it git would run a program that the repository names.
    command = ["git", "-c", "core.fsmonitor=false", "ls-files", "-z", "-t"]
    done = subprocess.run(
        [*command, "--cached", "--others", "--exclude-standard"],
        cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").splitlines() or [f"exit {done.returncode}"]
        raise Refused(lines[0])
    for item in dict.fromkeys(done.stdout.split(b"\0")):
        tag, name = item[:1], os.fsdecode(item[2:])
        inside = f"{folder}/{name}".rstrip("/")
        if not name:
            continue
        if not os.path.isdir(inside) or os.path.islink(inside):
            yield Known(name, tracked=tag != b"?")
        elif os.path.lexists(f"{inside}/.git"):  # a submodule, or a clone in it
            above = name.rstrip("/")
            for known in files(Path(inside)):
                yield Known(f"{above}/{known.name}", known.tracked)


def _environment() -> dict[str, str]:
    """Without what git itself sets for its hooks: it would mean another work tree."""
    return {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}
