"""Cells: what a notebook has executed, statement by statement, with the names of each."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

_TRANSPARENT: Final = frozenset({"time", "capture", "prun"})
"""Magics that run a cell as it is, and do something beside that."""

_AT_ONCE: Final = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})

_COMPOUND: Final = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar),
    ast.Match,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """One that stands at the top level of a cell."""

    node: ast.stmt
    text: str
    cell: str
    """The whole text of its cell."""
    binds: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    """Names that must have been bound before it is executed."""
    uses: set[str] = field(default_factory=set)
    """Names that must have been bound when a function of it is called."""
    changes: set[str] = field(default_factory=set)
    """Names of whose values it sets an attribute or an item."""
    asks: set[str] = field(default_factory=set)
    """Names of whose values it calls a method, and does nothing else."""

    @property
    def may_bind(self) -> bool:
        """Whether what bound its names before may count as well: it depends on something that it
        binds them, or it only adds a module to a package."""
        if isinstance(self.node, ast.Import):
            return any("." in item.name and item.asname is None for item in self.node.names)
        return isinstance(self.node, _COMPOUND)

    @property
    def literal(self) -> ast.expr | None:
        """What it gives to its one name, if that is written out."""
        match self.node:
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=value):
                return value if value is not None and is_literal(value) else None
        return None


def statements(cells: Iterable[str], transformed: Any) -> list[Statement]:
    """Those of all cells, one after the other. What is no Python was not executed; `transformed`
    turns what only IPython understands into Python."""
    return [found for cell in cells for found in _of_cell(cell, transformed)]


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a constant, or a list, tuple, set or dict of such."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _of_cell(cell: str, transformed: Any) -> Iterator[Statement]:
    try:
        body = ast.parse(cell).body
    except (SyntaxError, ValueError):
        return
    lines = cell.split("\n")
    for at, node in enumerate(body):
        if (inner := _within_magic(node)) is not None:
            yield from _of_cell(transformed(inner), transformed)
            continue
        shared = {other.lineno for other in body[at + 1 :]} | {
            other.end_lineno for other in body[:at]
        }
        yield _statement(node, _text(node, lines, shared), cell)


def _within_magic(node: ast.stmt) -> str | None:
    """The cell below a line such as `%%time`."""
    match node:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(attr="run_cell_magic"),
                args=[ast.Constant(value=name), _, ast.Constant(value=str(text))],
            )
        ) if name in _TRANSPARENT:
            return text
    return None


def _text(node: ast.stmt, lines: list[str], shared: set[int | None]) -> str:
    """As it was typed, if its lines are its own."""
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", ()))])
    last = node.end_lineno or first
    if first in shared or last in shared:
        return ast.unparse(node)
    return "\n".join(lines[first - 1 : last])


def _statement(node: ast.stmt, text: str, cell: str) -> Statement:
    found = Statement(node, text, cell)
    table = symtable.symtable(ast.unparse(node), "<cell>", "exec")
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            found.binds.add(symbol.get_name())
        if symbol.is_referenced():
            found.reads.add(symbol.get_name())
    for scope in table.get_children():
        _note_scope(scope, found, later=False)
    for part in ast.walk(node):
        _note_changes(part, found)
        found.uses.update(_annotated(part))
    return found


def _note_scope(scope: symtable.SymbolTable, found: Statement, *, later: bool) -> None:
    """The global names of what stands in a statement: a class and a comprehension are executed with
    it, a function is called when everything is there."""
    later = later or (scope.get_type() == "function" and scope.get_name() not in _AT_ONCE)
    for symbol in scope.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            (found.uses if later else found.reads).add(symbol.get_name())
    for inner in scope.get_children():
        _note_scope(inner, found, later=later)


def _note_changes(part: ast.AST, found: Statement) -> None:
    match part:
        case ast.AugAssign(target=ast.Name(id=name)):
            found.reads.add(name)
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            found.changes.add(_root(part))
        case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
            found.asks.add(_root(method))


def _root(node: ast.expr) -> str:
    """The name with which `name.a[b].c` begins; empty if it does not begin with one."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _annotated(part: ast.AST) -> Iterator[str]:
    """Names in annotations that are texts: they are looked up by whoever asks for types."""
    match part:
        case ast.arg(annotation=hint) | ast.AnnAssign(annotation=hint):
            pass
        case ast.FunctionDef(returns=hint) | ast.AsyncFunctionDef(returns=hint):
            pass
        case _:
            return
    for item in ast.walk(hint) if hint is not None else ():
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            with suppress(SyntaxError, ValueError):
                inside = ast.walk(ast.parse(item.value, mode="eval"))
                yield from (name.id for name in inside if isinstance(name, ast.Name))
