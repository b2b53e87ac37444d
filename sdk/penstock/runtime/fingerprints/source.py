"""Source code as it was loaded: the syntax tree of a function or class, if it can be believed."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import NamedTuple

from penstock.runtime.fingerprints import syntax

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Module:
    """One file, parsed."""

    lines: list[str]
    tree: ast.Module
    codes: dict[tuple[str, int], list[CodeType]]
    """Of all functions, classes and what is in them, by qualified name and first line."""
    functions: dict[tuple[str, int], Function]
    """By name and first line, decorators included."""
    classes: dict[str, list[ast.ClassDef]]
    """By qualified name."""


class Located(NamedTuple):
    """A class in a file."""

    node: ast.ClassDef | None
    """None where nobody knows which one it is."""
    believed: bool
    """Whether that is what was loaded."""


_modules: dict[str, Module | None] = {}


def lines(file: str) -> list[str]:
    """The text of a file as it was when somebody last looked at it; empty if there is none."""
    return linecache.getlines(file) if file.endswith(".py") or file.startswith("<") else []


def module(file: str) -> Module | None:
    """The file parsed and compiled, or nothing where there is no source. Read once per content."""
    text = linecache.getlines(file)
    known = _modules.get(file)
    if known is not None and known.lines is text:
        return known
    found = _parsed(text, file) if text else None
    _modules[file] = found
    return found


def _parsed(text: list[str], file: str) -> Module | None:
    try:
        tree = syntax.module("".join(text), file)
        code = compile(tree, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        return None
    codes: dict[tuple[str, int], list[CodeType]] = {}
    for item in all_codes(code):
        codes.setdefault((item.co_qualname, item.co_firstlineno), []).append(item)
    found = Module(text, tree, codes, {}, {})
    _index(tree, "", found)
    return found


def _index(node: ast.AST, above: str, found: Module) -> None:
    """Note all definitions in a node; `above` is what their qualified names begin with."""
    for child in _statements(node):
        if isinstance(child, Function):
            first = min([child.lineno, *(item.lineno for item in child.decorator_list)])
            found.functions[child.name, first] = child
            _index(child, f"{above}{child.name}.<locals>.", found)
        elif type(child) is ast.ClassDef:
            found.classes.setdefault(f"{above}{child.name}", []).append(child)
            _index(child, f"{above}{child.name}.", found)
        elif type(child) in _BLOCKS:
            _index(child, above, found)


_BLOCKS = {
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar),
    *(ast.Match, ast.ExceptHandler, ast.match_case),
}


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a node line by line: definitions are nowhere else."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        found = getattr(node, name, None)
        if type(found) is list:
            yield from found


def function_tree(code: CodeType) -> Function | None:
    """The definition of the function with this code.

    Only if compiling the file yields this very code: a file edited since its import describes
    another function than the one that runs.
    """
    found = _module_with(code.co_filename, [code])
    return found.functions.get((code.co_name, code.co_firstlineno)) if found else None


def class_tree(file: str, qualname: str, codes: Collection[CodeType]) -> Located:
    """The definition of a class; `codes` are its functions'.

    As with functions it is believed only if the file still describes the class that was loaded,
    which only functions can tell.
    """
    own = [code for code in codes if code.co_filename == file]
    found = _module_with(file, own) or module(file)
    nodes = found.classes.get(qualname, []) if found else []
    firsts = {code.co_firstlineno for code in own}
    around = [node for node in nodes if all(
        node.lineno <= line <= (node.end_lineno or 0) for line in firsts)]  # fmt: skip
    if len(around) != 1:
        return Located(None, False)
    return Located(around[0], bool(own) and found is not None and _holds(found, own))


def _module_with(file: str, codes: Collection[CodeType]) -> Module | None:
    """The file, if its source compiles to this code among other."""
    for _ in range(2):
        found = module(file)
        if found is not None and _holds(found, codes):
            return found
        linecache.checkcache(file)  # it may have been edited and then loaded anew
    return None


def _holds(found: Module, codes: Collection[CodeType]) -> bool:
    return all(
        any(
            same_code(code, other)
            for other in found.codes.get((code.co_qualname, code.co_firstlineno), ())
        )
        for code in codes
    )


def same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two code objects do the same, wherever they come from."""
    return (
        one.co_name == other.co_name
        and one.co_argcount == other.co_argcount
        and one.co_posonlyargcount == other.co_posonlyargcount
        and one.co_kwonlyargcount == other.co_kwonlyargcount
        and one.co_flags == other.co_flags
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
    return type(one) is type(other) and (one is other or constant(one) == constant(other))


def all_codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and all that are defined in it."""
    yield code
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from all_codes(item)
