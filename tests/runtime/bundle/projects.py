"""Projects on disk, and what is collected of them."""

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from penstock.runtime.bundle import packing
from penstock.runtime.bundle.packing import Collected
from penstock.stack.project import Project

SHOP = {
    "penstock.yaml": "",
    "src/shop/__init__.py": "",
    "src/shop/steps.py": "RATE = 3\n",
    "data/prices 2024.csv": "a,b\n1,2\n",
}


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def git(folder: Path, *words: str) -> None:
    """Git, as somebody who has configured nothing."""
    who = {
        f"GIT_{role}_{what}": "a@b.c"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    command = ["git", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main", *words]
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)


def committed(folder: Path) -> Path:
    """The folder as a repository with all that is in it."""
    git(folder, "init")
    git(folder, "add", "--all")
    git(folder, "commit", "-m", "all", "--allow-empty")
    return folder


def collected(
    folder: Path,
    files: Sequence[Path] = (),
    secrets: Mapping[str, str] | None = None,
    limit: int = 50 << 20,
    without: Collection[str] = (),
) -> Collected:
    """What travels of a folder as a project, of which steps reach these files."""
    reached = [str(file) for file in files]
    return packing.collected(
        Project(folder), [], reached, secrets or {}, limit=limit, without=without
    )


def sent(found: Collected) -> list[str]:
    """The names of the project's files."""
    names = (member.name for member in found.members)
    return sorted(name.removeprefix("project/") for name in names if name.startswith("project/"))
