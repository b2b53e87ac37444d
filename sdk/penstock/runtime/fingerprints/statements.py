"""Statements: which names of a module or class a file binds, and how."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from penstock.runtime.fingerprints.source import Definition


def written(body: Iterable[ast.stmt]) -> dict[str, ast.AST] | None:
    """Names with the statements that bind them; None if a statement may do anything else."""
    found: dict[str, ast.AST] = {}
    for node in body:
        bound = _bound(node)
        if bound is None:
            return None
        found |= dict.fromkeys(bound, node)
    return found


def sure(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Names that nothing but one statement binds, of those statements that bind names at all."""
    nodes = [*body]
    times = Counter(name for node in nodes for item in ast.walk(node) for name in _binds(item))
    for node in nodes:
        for name in _bound(node) or ():
            if times[name] == 1:
                yield name, node


def _binds(node: ast.AST) -> Iterator[str]:
    """The names that a node may bind, wherever it stands."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, Definition):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from _bound(node) or ()


def _bound(node: ast.stmt) -> tuple[str, ...] | None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=[ast.Name(id=name)]):
            return (name,)
        case ast.AnnAssign(target=ast.Name(id=name)):
            return (name,) if node.value is not None else ()
        case ast.Import() | ast.ImportFrom():
            return tuple(item.asname or item.name.partition(".")[0] for item in node.names)
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return ()
        case ast.If() if _is_for_others(node.test) and not node.orelse:
            return ()
    return None


def _is_for_others(test: ast.expr) -> bool:
    """Whether what stands under a condition is for type checkers, or for who runs the file."""
    return ast.unparse(test) in (
        *("TYPE_CHECKING", "typing.TYPE_CHECKING"),
        "__name__ == '__main__'",
    )
