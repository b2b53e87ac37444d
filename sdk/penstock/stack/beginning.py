"""How a project begins: a file to be committed, a folder that is not, perhaps an example."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from penstock.errors import StackError
from penstock.stack import schema
from penstock.stack.complaints import shown
from penstock.stack.project import FILE, FOLDER, Project

EXAMPLE: Final = "example.py"

_FILE: Final = """\
{line}

# Where pipelines run and where artifacts live. Commit this file: that is how stacks are shared.
# The stack `default` is always there: it runs here, and keeps artifacts in .penstock. More of them:
#
#   penstock artifact-store register shared --flavor=local --path=../artifacts
#   penstock stack register team --orchestrator=default --artifact-store=shared
#   penstock stack set team               # in this checkout; for the whole team: --project
#   penstock flavor list                  # what else there is

"""

_PIPELINE: Final = '''\
"""A pipeline to begin with: python example.py, and once more, for the cache."""

from penstock import pipeline, step


@step
def load(count: int) -> list[int]:
    return list(range(1, count + 1))


@step
def mean(numbers: list[int]) -> float:
    return sum(numbers) / len(numbers)


@pipeline
def example(count: int = 10) -> float:
    return mean(load(count))


if __name__ == "__main__":
    example.cli()
'''


@dataclass(frozen=True, slots=True)
class Begun:
    """What `begin` has done, paths relative to the folder."""

    folder: Path
    """Absolute."""
    made: tuple[str, ...]
    left: tuple[str, ...]
    """What was there already."""
    remarks: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {"folder": str(self.folder), "made": list(self.made), "left": list(self.left)}


def begin(folder: Path, *, example: bool = False) -> Begun:
    """Make a folder a project. Nothing that is there is changed. Raises `StackError`."""
    project = Project(Path(os.path.abspath(folder)))
    remarks = tuple(_remarks(project))
    wanted = {FILE: _FILE.format(line=schema.schema_line(project.file))}
    if example:
        wanted[EXAMPLE] = _PIPELINE
    _make_folder(project.root)
    there = project.folder.is_dir()
    project.prepared()
    made = [name for name, text in wanted.items() if _made(project.root / name, text)]
    if FILE in made:
        schema.keep_schema(project)
    left = tuple(name for name in wanted if name not in made)
    return Begun(
        project.root,
        (*made, *(() if there else (FOLDER,))),
        (*left, *((FOLDER,) if there else ())),
        remarks,
    )


def _remarks(project: Project) -> Iterator[str]:
    around = Project.find(project.root)
    if around.root != project.root and around.file.exists():
        yield (
            f"{project.root} lies in the project {around.root}: "
            f"what {FILE} says there does not hold here any more."
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StackError(
            f"{shown(folder)} cannot be a project: there is a file in its way.",
            hint="Give another folder: penstock init FOLDER",
        ) from error
    except OSError as error:
        raise StackError(f"{shown(folder)} cannot be made: {error.strerror}.") from error


def _made(path: Path, text: str) -> bool:
    """Whether the file was made now. A link that leads nowhere is there as well."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise StackError(f"{shown(path)} cannot be written: {error.strerror}.") from error
    return True
