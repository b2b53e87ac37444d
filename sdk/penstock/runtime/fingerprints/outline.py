"""Outlines: what the source of a function, class or file says, whatever its names lead to now.

Nothing of it depends on values, so each is made once in a process.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from penstock.digest import digest
from penstock.runtime.fingerprints import normal, source
from penstock.runtime.fingerprints.names import Names


@dataclass(frozen=True, slots=True)
class Outline:
    """The text of a definition, as a digest, and the names that it reads."""

    digest: str
    names: Names = field(default_factory=Names)
    file: str = ""
    first: int = 0
    last: int = 0


_functions: dict[int, tuple[CodeType, Outline]] = {}
_classes: dict[int, tuple[type, Outline]] = {}
_files: dict[int, tuple[source.Module, Outline]] = {}


def of_function(function: FunctionType) -> Outline:
    """The outline of a function: its source if it can be believed, else its loaded code."""
    code = function.__code__
    known = _functions.get(id(code))
    if known is not None and known[0] is code:
        return known[1]
    node = None if _is_salted(code) else source.function_tree(code)
    found = _of_loaded(code) if node is None else _of_tree(node, code, function.__globals__)
    _functions[id(code)] = (code, found)
    return found


def _of_tree(node: source.Function, code: CodeType, around: Mapping[str, Any]) -> Outline:
    fields: Any = {name: getattr(node, name, None) for name in node._fields}
    bare = type(node)(**fields)
    bare.decorator_list = [item for item in node.decorator_list if not _is_ours(item, around)]
    names = Names()
    for part in (node.args, *bare.decorator_list):
        names.add(part)
    names.add_annotation(node.returns)
    known = {name for item in source.all_codes(code) for name in item.co_names}
    for statement in node.body:
        names.add(statement, known)
    names.add_texts(code)
    return Outline(normal.of(bare), names.settled(), code.co_filename, code.co_firstlineno,
                   node.end_lineno or 0)  # fmt: skip


def _of_loaded(code: CodeType) -> Outline:
    names = Names()
    names.add_code(code)
    lines = [line for item in source.all_codes(code) for *_, line in item.co_lines() if line]
    return Outline(of_code(code), names.settled(), code.co_filename, code.co_firstlineno,
                   max(lines, default=0))  # fmt: skip


def of_code(code: CodeType) -> str:
    """The loaded code itself, where the source is not there or is another by now."""
    inner = [of_code(item) for item in code.co_consts if isinstance(item, CodeType)]
    constants = [item for item in code.co_consts if not isinstance(item, CodeType)]
    if _is_salted(code):
        constants = [item for item in constants if type(item) is not int]
    text = repr(
        (
            *[code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_flags],
            *[code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount],
            list(map(source.constant, constants)),
        )
    )
    return digest("code/1", code.co_code, code.co_exceptiontable, text, *inner)


def _is_salted(code: CodeType) -> bool:
    """Whether there is a number in a function that is another one in every process: attrs puts the
    hash of a text into the `__hash__` that it writes for a class."""
    return code.co_name == "__hash__" and code.co_filename.startswith("<attrs generated ")


def of_class(kind: type, file: str, codes: Collection[CodeType]) -> Outline:
    """The outline of a class without its methods, whose code `codes` is.

    Where the source is not what was loaded, its names still count, and its text does not.
    """
    known = _classes.get(id(kind))
    if known is not None and known[0] is kind:
        return known[1]
    located = source.class_tree(file, kind.__qualname__, codes) if file else None
    if located is None or located.node is None:
        found = Outline("", file=file)
    else:
        node = located.node
        names = Names()
        for part in (*node.bases, *node.keywords, *node.decorator_list, *_own(node)):
            names.add(part)
        first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
        text = normal.class_alone(node) if located.believed else ""
        found = Outline(text, names.settled(), file, first, node.end_lineno or 0)
    _classes[id(kind)] = (kind, found)
    return found


def _own(node: ast.ClassDef) -> Iterator[ast.AST]:
    """What is in the body of a class but the methods and classes in it, which are its members."""
    for item in node.body:
        if isinstance(item, source.Definition):
            yield from item.decorator_list
        else:
            yield item


def of_file(file: source.Module, path: str) -> Outline:
    """The outline of a whole file."""
    known = _files.get(id(file))
    if known is not None and known[0] is file:
        return known[1]
    names = Names()
    names.add(file.tree)
    found = Outline(normal.of(file.tree), names.settled(), path, 1, len(file.lines))
    _files[id(file)] = (file, found)
    return found


def _is_ours(decorator: ast.expr, around: Mapping[str, Any]) -> bool:
    """Whether a decorator is one of penstock's, under whatever name it was imported."""
    target: Any = decorator.func if isinstance(decorator, ast.Call) else decorator
    path = []
    while isinstance(target, ast.Attribute):
        path.append(target.attr)
        target = target.value
    if not isinstance(target, ast.Name):
        return False
    found: Any = around.get(target.id)
    for name in reversed(path):
        found = getattr(found, name, None)
    module = getattr(found, "__module__", None) or ""
    return module == "penstock" or module.startswith("penstock.")
