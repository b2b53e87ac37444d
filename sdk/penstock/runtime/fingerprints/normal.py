"""Normal form: a syntax tree as text without positions, comments and docstrings."""

from __future__ import annotations

import ast
from typing import Final

from penstock.digest import digest

_HAS_DOCSTRING: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)

_DERIVED: Final = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the others, or mean nothing."""

_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def of(node: ast.AST, *, without: frozenset[str] = frozenset()) -> str:
    """The digest of a tree's normal form, leaving out these fields of its top node."""
    pieces: list[str] = []
    _write(node, pieces, without)
    return digest("source/1", "\n".join(pieces))


def class_alone(node: ast.ClassDef) -> str:
    """The same of a class without the bodies of its methods."""
    pieces = ["class", node.name]
    for part in (*node.bases, *node.keywords, *node.decorator_list):
        _write(part, pieces)
    for item in _body(node):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            pieces.append(f"def {item.name}")
            for decorator in item.decorator_list:
                _write(decorator, pieces)
        else:
            _write(item, pieces)
    return digest("class source/1", "\n".join(pieces))


def _write(node: ast.AST, pieces: list[str], without: frozenset[str] = frozenset()) -> None:
    kind = type(node)
    names = _fields.get(kind)
    if names is None:
        names = _fields[kind] = tuple(name for name in kind._fields if name not in _DERIVED)
    pieces.append(kind.__name__)
    if not names:
        return
    if kind is ast.Name:
        pieces.append(node.id)  # type: ignore[attr-defined]
        return
    if kind is ast.Constant:
        value = node.value  # type: ignore[attr-defined]
        pieces.append(f"{type(value).__name__} {value!r}")
        return
    inside = vars(node)
    for name in names:
        if name in without:
            continue
        value = inside.get(name)
        if type(value) is list:
            if name == "body" and isinstance(node, _HAS_DOCSTRING):
                value = _body(node)
            pieces.append(f"[{len(value)}")
            for item in value:
                if isinstance(item, ast.AST):
                    _write(item, pieces)
                else:
                    pieces.append(repr(item))
        elif type(value) is str:
            pieces.append(value)
        elif isinstance(value, ast.AST):
            _write(value, pieces)
        else:
            pieces.append(repr(value))


def _body(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module,
) -> list[ast.stmt]:
    """What is in a definition but its docstring."""
    first = node.body[0] if node.body else None
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return node.body[1:] or [ast.Pass()]
    return node.body
