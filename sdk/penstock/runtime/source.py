"""Source code as it was loaded: the syntax tree of a function or class, if it can be believed."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Module:
    """One file, parsed."""

    lines: list[str]
    tree: ast.Module
    code: CodeType


_modules: dict[str, Module | None] = {}


def module(file: str) -> Module | None:
    """The file parsed and compiled, or nothing where there is no source. Read once per content."""
    lines = linecache.getlines(file)
    known = _modules.get(file)
    if known is not None and known.lines is lines:
        return known
    try:
        tree = ast.parse("".join(lines), file)
        found = Module(lines, tree, compile(tree, file, "exec", dont_inherit=True))
    except (SyntaxError, ValueError, RecursionError):
        found = None
    _modules[file] = found
    return found


def function_tree(code: CodeType) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The definition of the function with this code.

    Only if compiling the file yields this very code: a file edited since its import describes
    another function than the one that runs.
    """
    if (file := module(code.co_filename)) is None:
        return None
    if not any(same_code(code, other) for other in _all_codes(file.code)):
        return None
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None


def class_tree(file: str, qualname: str) -> ast.ClassDef | None:
    """The definition of a class, by the names it is nested in."""
    if (found := module(file)) is None:
        return None
    node: ast.AST = found.tree
    for name in qualname.split("."):
        inside = [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, Definition) and child.name == name
        ]
        if not inside:
            return None
        node = inside[-1]
    return node if isinstance(node, ast.ClassDef) else None


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, wherever they come from."""
    return (
        one.co_name == other.co_name
        and one.co_firstlineno == other.co_firstlineno
        and one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_constant, one.co_consts, other.co_consts))
    )


def constants(code: CodeType) -> str:
    """The constants of a code object as text, without positions or file names."""
    return repr(
        [constants(item) if isinstance(item, CodeType) else item for item in code.co_consts]
    )


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return same_code(one, other)
    return type(one) is type(other) and repr(one) == repr(other)


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _all_codes(item)
