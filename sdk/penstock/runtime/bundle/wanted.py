"""Wanted: those statements of cells without which some steps cannot be.

Who imports them must find what is there now. So of each name the last definition counts, and of
plain data the value.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from types import FunctionType
from typing import Any, Final

from penstock.errors import CannotRun
from penstock.runtime.bundle import plain
from penstock.runtime.bundle.cells import Statement
from penstock.runtime.bundle.declared import Declared
from penstock.runtime.fingerprints.modules import is_given

_CONTAINERS: Final = (list, dict, set, bytearray, deque, defaultdict, OrderedDict, Counter)
"""What is filled by methods. A method of anything else may do anything, in every pod again."""


class Wanted:
    """The statements that are needed."""

    def __init__(self, space: Mapping[str, Any], executed: Sequence[Statement]) -> None:
        self._space = space
        self._all = executed
        self._end = len(executed)
        self._chosen: set[int] = set()
        self._values: dict[str, str] = {}
        self._asked: set[tuple[str, int]] = set()
        self._who = ""

    def add(self, declared: Declared) -> None:
        """All that one step needs."""
        self._who = declared.reference.partition(":")[2]
        self._need(self._who, self._end)

    def source(self) -> str:
        """The module."""
        future = [item.text for item in self._all if _is_future(item.node)]
        chosen = [self._all[at].text for at in sorted(self._chosen)]
        values = [f"{name} = {text}" for name, text in sorted(self._values.items())]
        return "\n".join([*dict.fromkeys(future), *chosen, *values, ""])

    def _need(self, name: str, before: int) -> None:
        """What a name was when one statement was executed, or is at the end of all."""
        if (name, before) in self._asked:
            return
        self._asked.add((name, before))
        at = self._last(name, before)
        if before == self._end and self._is_value(name, at):
            return
        if at is None:
            if before == self._end and name in self._space:
                raise self._cannot(f"{name!r}, and no cell says where that is from")
            return
        changed = [
            later for later in range(at + 1, before) if self._changes(self._all[later], name)
        ]
        for each in (at, *changed):
            self._take(each, before)
        if self._all[at].may_bind:
            self._need(name, at)

    def _is_value(self, name: str, at: int | None) -> bool:
        """Whether a name stands for plain data that no statement gives to it as it is: a cell may
        have changed a list in any way, and a magic may have bound a name."""
        if name not in self._space or is_given(name, self._space):
            return at is None
        literal = self._all[at].literal if at is not None else None
        if at is not None and literal is None:
            return False
        value = self._space[name]
        text = plain.written(value)
        if text is None or (literal is not None and plain.is_of(literal, value)):
            return False
        self._values[name] = text
        return True

    def _take(self, at: int, before: int) -> None:
        """A statement, and what it needs: some of it at once, and some when it is used."""
        found = self._all[at]
        if at not in self._chosen:
            self._refuse(found)
            self._chosen.add(at)
        for name in sorted(found.reads):
            self._need(name, at)
        for name in sorted(found.uses):
            self._need(name, before)

    def _last(self, name: str, before: int) -> int | None:
        """The statement by which a name came to what it is, as far as it says that itself."""
        found = [
            at for at in range(before)
            if name in self._all[at].binds or _is_star(self._all[at].node, name)
        ]  # fmt: skip
        lines = lines_of(self._space.get(name)) if before == self._end else None
        # A cell that has failed may not have come so far as to define it anew.
        sure = [at for at in found if _is_in(lines, self._all[at])]
        return max(sure or found, default=None)

    def _changes(self, found: Statement, name: str) -> bool:
        """Whether a statement changes what a name stands for."""
        if name in found.changes:
            return True
        return name in found.asks and isinstance(self._space.get(name), _CONTAINERS)

    def _refuse(self, found: Statement) -> None:
        names = ", ".join(map(repr, sorted(found.binds)))
        if "get_ipython" in found.reads:
            raise self._cannot(f"{names}, made by a magic that only a notebook has")
        try:
            compile(found.text, "<cell>", "exec", dont_inherit=True)
        except SyntaxError as error:
            raise self._cannot(f"{names}, from a cell that is no module's: {error.msg}") from error

    def _cannot(self, what: str) -> CannotRun:
        return CannotRun(
            f"The step {self._who!r} of this notebook cannot run on another machine: it needs "
            f"{what}.",
            hint="Define it in a cell, in plain Python, or hand it to the step as an input.",
        )


def lines_of(value: object) -> list[str] | None:
    """The cell in which a function was defined, a step's or a pipeline's as well."""
    function = getattr(value, "function", value)
    if not isinstance(function, FunctionType) or function.__module__ != "__main__":
        return None
    return linecache.getlines(function.__code__.co_filename) or None


def _is_in(lines: list[str] | None, found: Statement) -> bool:
    return lines is not None and "".join(lines).rstrip("\n") == found.cell.rstrip("\n")


def _is_star(node: ast.stmt, name: str) -> bool:
    """Whether `from module import *` has brought a name."""
    if not isinstance(node, ast.ImportFrom) or node.names[0].name != "*":
        return False
    return hasattr(sys.modules.get(node.module or ""), name)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
