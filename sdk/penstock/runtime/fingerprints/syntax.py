"""Syntax trees, made by one thread at a time.

Python up to 3.11 counts the depth of a tree that it makes in one place for all threads, and raises
`SystemError` if two of them have counted together (python/cpython#106905).
"""

from __future__ import annotations

import ast
import os
import threading
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

TRIES: Final = 20
"""How often: threads that are not ours may make trees, too."""

_turn = threading.Lock()


def module(text: str, file: str) -> ast.Module:
    """The tree of a file. Raises what `ast.parse` raises."""
    return _made(lambda: ast.parse(text, file))


def expression(text: str) -> ast.expr:
    """The tree of an expression. Raises what `ast.parse` raises."""
    return _made(lambda: ast.parse(text, mode="eval")).body


def _made(make: Callable[[], T]) -> T:
    for _ in range(TRIES - 1):
        try:
            with _turn:
                return make()
        except SystemError:
            continue
    return make()


def _forked() -> None:
    """In a child nobody may be left to end the turn."""
    global _turn  # noqa: PLW0603 # there is one for all
    _turn = threading.Lock()


os.register_at_fork(after_in_child=_forked)
