"""Source code as it was loaded: the syntax tree of a function or class, if it can be believed."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterable, Iterator
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
    if (file := _module_with(code.co_filename, [code])) is None:
        return None
    for node in ast.walk(file.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None


def class_tree(file: str, qualname: str, codes: Iterable[CodeType]) -> ast.ClassDef | None:
    """The definition of a class, by the names it is nested in; `codes` are its functions'.

    As with functions, only if the file still describes the class that was loaded.
    """
    own = [code for code in codes if code.co_filename == file]
    if (found := _module_with(file, own)) is None:
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


def _module_with(file: str, codes: Collection[CodeType]) -> Module | None:
    """The file, if its source compiles to this code among other."""
    for _ in range(2):
        found = module(file)
        if found is not None and all(
            any(same_code(code, other) for other in _all_codes(found.code)) for code in codes
        ):
            return found
        linecache.checkcache(file)  # it may have been edited and then loaded anew
    return None


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, wherever they come from."""
    return (
        one.co_name == other.co_name
        and one.co_argcount == other.co_argcount
        and one.co_posonlyargcount == other.co_posonlyargcount
        and one.co_kwonlyargcount == other.co_kwonlyargcount
        and one.co_exceptiontable == other.co_exceptiontable
        and one.co_firstlineno == other.co_firstlineno
        and one.co_code == other.co_code
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and len(one.co_consts) == len(other.co_consts)
        and all(map(_same_constant, one.co_consts, other.co_consts))
    )


def constant(value: object) -> str:
    """A constant of a code object as text that is the same in every process."""
    if isinstance(value, frozenset):  # its order is not
        return f"frozenset({sorted(map(constant, value))})"
    if isinstance(value, tuple):
        return f"tuple({list(map(constant, value))})"
    return f"{type(value).__name__}({value!r})"


def _same_constant(one: object, other: object) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return same_code(one, other)
    return constant(one) == constant(other)


def _all_codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _all_codes(item)
