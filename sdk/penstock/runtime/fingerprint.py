"""Fingerprints: what code does, as a digest. What decides whether a step must run again.

The fingerprint of a function is its own normalised syntax tree (no comments, docstrings,
positions, decorators of ours), what its closure holds, the plain data and the files among the
globals that it names, and the same of the project's functions and classes that it reaches by name;
of a class, its whole definition.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from penstock.artifacts.formats import registry
from penstock.artifacts.materializer import Composite, NotThisFormat
from penstock.artifacts.objects import OnlyHashed
from penstock.artifacts.values import PATH, Code
from penstock.digest import digest, of_buffers
from penstock.errors import UnsupportedValue
from penstock.model import plain
from penstock.model.file import File
from penstock.model.names import reference
from penstock.model.records import Artifact
from penstock.model.step import Step
from penstock.runtime import loading, source
from penstock.runtime.libraries import is_project
from penstock.runtime.reach import Definition, methods, reached

_functions: dict[int, tuple[FunctionType, str]] = {}
_codes: dict[int, tuple[CodeType, str]] = {}
_classes: dict[int, tuple[type, str]] = {}


def of_step(step: Step[..., Any]) -> str:
    """The fingerprint of a step's function."""
    return of_function(step.function)  # type: ignore[arg-type]


def of_function(function: FunctionType, above: tuple[object, ...] = ()) -> str:
    """The fingerprint of a function, of what wraps it and of what its closure holds.

    `above` are the functions whose fingerprints need this one.
    """
    known = _functions.get(id(function))
    if known is not None and known[0] is function:
        return known[1]
    if any(item is function for item in above):
        return "itself"
    above = (*above, function)
    parts = _parts(function, above)
    parts += [f"{reference(item)}={_of_reached(item, above)}" for item in reached(function)]
    inner = getattr(function, "__wrapped__", None)
    if isinstance(inner, FunctionType):
        parts.append(of_function(inner, above))
    found = digest("function/1", *parts)
    if len(parts) == 1:  # a closure or a global may hold another value the next time
        _functions[id(function)] = (function, found)
    return found


def _parts(function: FunctionType, above: tuple[object, ...]) -> list[str]:
    """What a function is by itself."""
    parts = [_own(function.__code__, function.__globals__)]
    for cell in function.__closure__ or ():
        try:
            parts.append(_of_closed(cell.cell_contents, above))
        except ValueError:  # not assigned yet
            parts.append("empty")
    return parts + list(_data_globals(function.__code__, function.__globals__))


def _of_reached(item: Definition, above: tuple[object, ...]) -> str:
    """What a function or class that another one names adds, without what it names itself."""
    if isinstance(item, FunctionType):
        return digest("reached/1", *_parts(item, (*above, item)))
    data = [text for _, each in methods(item)
            for text in _data_globals(each.__code__, each.__globals__)]  # fmt: skip
    return digest("reached/1", of_class(item), *data)


def of_class(kind: type) -> str:
    """The fingerprint of a project class: its definition and those of its project bases."""
    known = _classes.get(id(kind))
    if known is not None and known[0] is kind:
        return known[1]
    parts = []
    for base in kind.__mro__:
        if is_project(base.__module__):
            parts.append(_class_text(base))
    found = digest("class/1", *parts)
    _classes[id(kind)] = (kind, found)
    return found


def of_names(names: Iterable[object], above: tuple[object, ...] = ()) -> Code:
    """One fingerprint for the project's classes and functions among `names`."""
    parts = {}
    for item in names:
        module = getattr(item, "__module__", None)
        if not isinstance(module, str) or not is_project(module):
            continue
        if isinstance(item, type):
            parts[reference(item)] = of_class(item)
        elif isinstance(item, FunctionType):
            parts[reference(item)] = of_function(item, above)
        elif isinstance(item, Step):
            parts[item.reference] = of_step(item)
    if not parts:
        return Code()
    ordered = sorted(parts.items())
    return Code(digest("names/1", *(text for pair in ordered for text in pair)),
                tuple(name for name, _ in ordered))  # fmt: skip


def of_artifact(artifact: Artifact) -> str:
    """The code that an artifact needs, as it is now and not as it was when it was stored.

    What is not loaded in this process counts as it was.
    """
    found = [loading.loaded(name) for name in artifact.names]
    if not found or None in found:
        return artifact.code
    return of_names(found).digest


def _own(code: CodeType, names: Mapping[str, Any]) -> str:
    known = _codes.get(id(code))
    if known is not None and known[0] is code:
        return known[1]
    node = source.function_tree(code)
    if node is None:
        text = _of_loaded(code)
    else:
        bare = _without_docstring(node)
        bare.decorator_list = [item for item in node.decorator_list if not _is_ours(item, names)]
        text = ast.dump(bare)
    _codes[id(code)] = (code, text)
    return text


def _of_loaded(code: CodeType) -> str:
    """The loaded code itself, where the source is not there or is another by now."""
    inner = [_of_loaded(item) for item in code.co_consts if isinstance(item, CodeType)]
    constants = [item for item in code.co_consts if not isinstance(item, CodeType)]
    text = repr(
        (
            *[code.co_name, code.co_names, code.co_varnames, code.co_freevars],
            *[code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount],
            list(map(source.constant, constants)),
        )
    )
    return digest("code/1", code.co_code, code.co_exceptiontable, text, *inner)


def _without_docstring(node: Any) -> Any:
    copy = type(node)(**{name: getattr(node, name, None) for name in node._fields})
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        copy.body = node.body[1:] or [ast.Pass()]
    return copy


def _is_ours(decorator: ast.expr, names: Mapping[str, Any]) -> bool:
    """Whether a decorator is one of penstock's, under whatever name it was imported."""
    target: Any = decorator.func if isinstance(decorator, ast.Call) else decorator
    path = []
    while isinstance(target, ast.Attribute):
        path.append(target.attr)
        target = target.value
    if not isinstance(target, ast.Name):
        return False
    found: Any = names.get(target.id)
    for name in reversed(path):
        found = getattr(found, name, None)
    module = getattr(found, "__module__", None) or ""
    return module == "penstock" or module.startswith("penstock.")


def _data_globals(code: CodeType, names: Mapping[str, Any]) -> Iterator[str]:
    """The globals that a function names, as far as they are plain data or files."""
    for name in sorted({*code.co_names}):
        # Of Python's own only the file counts: data is found beside it.
        counts = name in names and (not name.startswith("__") or name == "__file__")
        if counts and (text := _of_global(names[name])):
            yield f"{name}={text}"
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield from _data_globals(item, names)


def _of_global(value: Any) -> str:
    """What a global adds: plain data itself, a file what it leads to now, all else nothing."""
    return _plain(value) or (_of_stored(value, ()) if type(value) is File else "")


def _of_closed(value: Any, above: tuple[object, ...]) -> str:
    """What a closure variable adds: functions and classes their code, all else its value."""
    if isinstance(value, Step):
        value = value.function
    if isinstance(value, FunctionType):
        return of_function(value, above)
    if isinstance(value, type):
        return of_class(value) if is_project(value.__module__) else reference(value)
    if isinstance(value, ModuleType):
        return value.__name__
    try:
        return plain.canonical(value)
    except plain.NotPlain:
        return _of_stored(value, above)


def _of_stored(value: Any, above: tuple[object, ...]) -> str:
    """A value by the bytes that would be stored of it, and the code that these name."""
    for format in registry.candidates(value):
        if format.format == PATH:  # in a closure it is a name
            continue
        try:
            if isinstance(format, Composite):
                buffers = format.dump(value, OnlyHashed())
            else:
                buffers = format.dump(value)
            return digest("stored/1", format.format, of_buffers(buffers),
                          of_names(format.names(), above).digest)  # fmt: skip
        except (NotThisFormat, UnsupportedValue):
            continue
    return os.urandom(16).hex()  # nothing is known of it, so it is never the same


def _class_text(kind: type) -> str:
    """The definition if it is the one that was loaded, and the data that the class holds."""
    functions = dict(methods(kind))
    # Without Python's own, which say where and not what: the module, the first line.
    members = {name: item for name, item in vars(kind).items() if not name.startswith("__")}
    data = {name: _plain(item) for name, item in members.items()}
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    codes = [item.__code__ for item in functions.values()]
    node = source.class_tree(file, kind.__qualname__, codes) if file else None
    text = (
        ast.dump(node)
        if node is not None
        else repr(sorted((name, _of_loaded(item.__code__)) for name, item in functions.items()))
    )
    return text + repr(sorted((name, item) for name, item in data.items() if item))


def _plain(value: Any) -> str:
    try:
        return plain.canonical(value)
    except plain.NotPlain:
        return ""
