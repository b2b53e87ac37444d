"""Small projects, as text: files that a test writes into its folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

SHAPES: Final = {
    "pyproject.toml": '[project]\nname = "ours"\nversion = "1"\n',
    "lengths.py": "def area(side: int) -> int:\n    return side * side\n",
    "shapes.py": """\
import os
from pathlib import Path

from lengths import area
from penstock import Retry, pipeline, step


def tell(what: str) -> None:
    with (Path(os.environ["TOLD"]) / what).open("a") as file:
        print(what, file=file)


def started(run) -> None:
    tell("on_start")


def succeeded(run) -> None:
    tell(f"on_success-{run.status}")


def failed(run) -> None:
    tell(f"on_failure-{run.status}")


def step_failed(record) -> None:
    tell(f"step_on_failure-{record.call}")


@step
def sides(count: int) -> list[int]:
    return list(range(count))


@step
def measured(side: int) -> int:
    tell(f"measured-{side}")
    print("measured", side)
    mended = Path(os.environ["TOLD"], "mended").exists()
    if str(side) == os.environ.get("BROKEN") and not mended:
        raise ValueError(f"side {side} is broken")
    return area(side)


@step
def total(areas: list[int]) -> int:
    tell("total")
    return sum(areas)


@step(on_failure=step_failed)
def broken(areas: int) -> int:
    raise RuntimeError(f"{areas} is too much")


@step(retries=Retry(times=2, delay=0, on=(OSError,)))
def stubborn(folder: str) -> int:
    tell("stubborn")
    tries = len((Path(os.environ["TOLD"]) / "stubborn").read_text().splitlines())
    if tries < 3:
        raise OSError(f"not yet: {tries}")
    return tries


@step(retries=Retry(times=2, delay=0, on=(OSError,)))
def hopeless() -> int:
    tell("hopeless")
    raise ValueError("never")


@step
def is_large(number: int) -> bool:
    return number > 10


@step
def shout(number: int) -> str:
    return f"{number}!"


@pipeline(progress=False)
def known(count: int = 5) -> int:
    return total(measured.map(list(range(count))))


@pipeline(progress=False)
def unknown(count: int = 5) -> int:
    return total(measured.map(sides(count)))


@pipeline(progress=False, on_start=started, on_success=succeeded, on_failure=failed)
def hooked(count: int = 2, breaks: bool = False) -> int:
    areas = total(measured.map(list(range(count))))
    return broken(areas) if breaks else areas


@pipeline(progress=False)
def trying() -> int:
    return stubborn("")


@pipeline(progress=False)
def giving_up() -> int:
    return hopeless()


@pipeline(progress=False)
def choosing(number: int = 1) -> str | None:
    return shout.when(is_large(number))(number)


@pipeline(progress=False)
def failing() -> int:
    return total([broken(measured(2)), 1])
""",
}

SMALL: Final = """\
import sys

from penstock import pipeline, step


@step
def doubled(number: int) -> int:
    return 2 * number


@pipeline
def small(number: int = 21) -> int:
    return doubled(number)


if __name__ == "__main__":
    run = small.with_options(wait="later" not in sys.argv).run()
    if "later" not in sys.argv:
        print(run.result())
"""
"""A script with one step, which says 42; with the word `later`, it does not wait for that."""


@contextmanager
def imported(folder: Path, files: dict[str, str], name: str) -> Iterator[ModuleType]:
    """A module of a project that lies there, as long as this lasts."""
    for file, text in files.items():
        (folder / file).write_text(text)
    names = {Path(file).stem for file in files if file.endswith(".py")}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))
        for each in names:
            sys.modules.pop(each, None)
