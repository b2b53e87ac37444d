"""Meanings: whether a value is what an expression in a file says, without evaluating it.

There are three answers, as there are of agreement.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

from penstock.model import plain

_MISSING: Final = object()


def is_literal(value: Any, node: ast.expr | None) -> bool | None:
    """Whether a value is what a literal says. None if that is no literal."""
    if node is None:
        return None
    try:
        said = plain.encode(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, plain.NotPlain):
        return None
    try:
        return said == plain.encode(value)
    except plain.NotPlain:
        return False


def is_named(value: Any, node: ast.expr, space: Mapping[str, Any]) -> bool | None:
    """Whether a value is what a name, or a chain of them, leads to. None if nobody knows."""
    found = _led_to(node, space)
    return None if found is _MISSING else found is value


def is_annotation(value: Any, node: ast.expr, space: Mapping[str, Any]) -> bool | None:
    """Whether an annotation is what an expression says: as text, or as what it leads to."""
    if isinstance(node, ast.Constant):
        return type(value) is type(node.value) and value == node.value
    if isinstance(value, str):
        return value == ast.unparse(node)
    found = is_named(value, node, space)
    if found is None and repr(value) == ast.unparse(node):  # list[int]
        return True
    return found


def _led_to(node: ast.expr, space: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return space.get(node.id, vars(builtins).get(node.id, _MISSING))
    if isinstance(node, ast.Attribute):
        found = _led_to(node.value, space)
        if isinstance(found, ModuleType | type):
            return vars(found).get(node.attr, _MISSING)
    return _MISSING
