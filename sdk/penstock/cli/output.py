"""How results are printed: tables and facts for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click

from penstock.api.ending import say
from penstock.runtime import terminal

_dump: Final = json.JSONEncoder(indent=2, default=str).encode

F = TypeVar("F", bound=Callable[..., Any])


def json_option(*keys: str, many: bool = False) -> Callable[[F], F]:
    """Adds `--json` to a command. `keys` is what the object, or each of `many`, always has."""
    shape = "a list of objects" if many else "one object"
    help = f"Print JSON: {shape} with {', '.join(keys)}."
    return click.option("--json", "as_json", is_flag=True, help=help)


def print_json(data: object) -> None:
    """Data as JSON, indented, in ASCII."""
    say(_dump(data))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns as wide as what is in them. Nothing is ever cut short: on a terminal that is too
    narrow, the cells of each row stand below each other."""
    texts = [[_cell(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    if sum(widths) + 2 * len(widths) - 2 > columns():
        say("\n\n".join(_facts(_block(headings, row)) for row in texts[1:]))
        return
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)
    say("\n".join(lines))


def facts(data: Mapping[str, object]) -> None:
    """One `name: value` a line, the values under each other."""
    say(_facts(data))


def print_text(step: str | None, text: str, *, alone: bool) -> None:
    """What a step said; unless it is `alone`, each line with its name before it."""
    colours = sys.stdout is not None and terminal.has_colours(sys.stdout)
    begin = "" if alone else f"{step or '(the run)'} | "
    lines = [f"{begin}{line}" for line in text.splitlines()]
    if lines:
        say("\n".join(lines), colours=colours)


def moment(seconds: float) -> str:
    """A time as people read it, in their own time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def iso(seconds: float) -> str:
    """A time as programs read it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _block(headings: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    """A row by its headings; a mark in a column without one goes before the first."""
    pairs = list(zip(headings, row, strict=True))
    found = {heading: cell for heading, cell in pairs if heading}
    first = next(iter(found))
    marks = [cell for heading, cell in pairs if not heading]
    return found | {first: " ".join(filter(None, [*marks, found[first]]))}


def _facts(data: Mapping[str, object]) -> str:
    width = max(map(len, data), default=0) + 1
    return "\n".join(f"{f'{name}:':{width}} {_cell(data[name])}".rstrip() for name in data)


def _cell(value: object) -> str:
    """A value on one line."""
    return " ".join(str(value).splitlines())


def columns() -> float:
    """How wide the terminal is; what is no terminal has room for everything."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or float("inf")
    except (OSError, ValueError, AttributeError):
        return float("inf")
