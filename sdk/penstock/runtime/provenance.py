"""Who runs what, and where: the facts that a run's record begins with."""

from __future__ import annotations

import os
import pwd
import sys
from functools import lru_cache
from pathlib import Path

from penstock._version import __version__


def user() -> str:
    """The login name of this process's user; `uid-1234` if it has none."""
    return _name(os.getuid())


@lru_cache(maxsize=4)
def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def host() -> str:
    """The name of this machine."""
    return os.uname().nodename


def process() -> int:
    """The id of this process on this machine."""
    return os.getpid()


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Of Python and of penstock."""
    return {"python": ".".join(map(str, sys.version_info[:3])), "penstock": __version__}


def commit(root: Path) -> str | None:
    """The git commit that is checked out in a folder, read from git's own files."""
    git = root / ".git"
    try:
        if git.is_file():  # a worktree or submodule: the file names the folder
            git = (root / git.read_text().partition(":")[2].strip()).resolve()
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        common = git / "commondir"
        home = (git / common.read_text().strip()).resolve() if common.exists() else git
        if (home / name).exists():
            return (home / name).read_text().strip()
        packed = (home / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except (OSError, UnicodeDecodeError):
        return None
