"""Fingerprints: what code does, as a digest. What decides whether a step must run again.

The fingerprint of a function is its own normalised syntax tree (no comments, docstrings,
positions, decorators of ours) and what its closure holds; of a class, its whole definition.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from penstock.digest import digest
from penstock.model import plain
from penstock.model.names import reference
from penstock.model.step import Step
from penstock.runtime import source

_STDLIB: Final = frozenset(sys.stdlib_module_names) | {"penstock"}
_INSTALLED: Final = tuple({str(Path(sysconfig.get_path(name))) for name in ("purelib", "platlib")})

_functions: dict[int, tuple[FunctionType, str]] = {}
_classes: dict[int, tuple[type, str]] = {}
_top_level: dict[str, bool] = {}


def of_step(step: Step[..., Any]) -> str:
    """The fingerprint of a step's function."""
    return of_function(step.function)  # type: ignore[arg-type]


def of_function(function: FunctionType) -> str:
    """The fingerprint of a function, of what wraps it and of what its closure holds."""
    known = _functions.get(id(function))
    if known is not None and known[0] is function:
        return known[1]
    parts = [_own(function.__code__, function.__globals__)]
    for cell in function.__closure__ or ():
        try:
            parts.append(_of_closed(cell.cell_contents, function))
        except ValueError:  # not assigned yet
            parts.append("empty")
    inner = getattr(function, "__wrapped__", None)
    if isinstance(inner, FunctionType):
        parts.append(of_function(inner))
    found = digest("function/1", *parts)
    _functions[id(function)] = (function, found)
    return found


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


def of_names(names: Iterable[object]) -> str:
    """One fingerprint for the project's classes and functions among `names`; empty if none."""
    parts = {}
    for item in names:
        module = getattr(item, "__module__", None)
        if not isinstance(module, str) or not is_project(module):
            continue
        if isinstance(item, type):
            parts[reference(item)] = of_class(item)
        elif isinstance(item, FunctionType):
            parts[reference(item)] = of_function(item)
        elif isinstance(item, Step):
            parts[item.reference] = of_step(item)
    if not parts:
        return ""
    return digest("names/1", *(text for pair in sorted(parts.items()) for text in pair))


def environment(step: Step[..., Any]) -> Mapping[str, str]:
    """The Python minor version, and versions of the installed libraries that the step names."""
    versions = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
    function: Any = step.function
    for name in sorted(_libraries(function.__code__, function.__globals__)):
        versions[name] = _version(name)
    return versions


def is_project(module: str) -> bool:
    """Whether a module is the user's own: not of the standard library, not installed."""
    top = module.partition(".")[0]
    known = _top_level.get(top)
    if known is None:
        known = _top_level[top] = top not in _STDLIB and not _is_installed(top)
    return known


def _own(code: CodeType, names: Mapping[str, Any]) -> str:
    node = source.function_tree(code)
    if node is None:
        return _of_loaded(code)
    kept = [item for item in node.decorator_list if not _is_ours(item, names)]
    bare = _without_docstring(node)
    bare.decorator_list = kept
    return ast.dump(bare)


def _of_loaded(code: CodeType) -> str:
    """The loaded code itself, where the source is not there or is another by now."""
    inner = [_of_loaded(item) for item in code.co_consts if isinstance(item, CodeType)]
    constants = [item for item in code.co_consts if not isinstance(item, CodeType)]
    text = repr((code.co_name, code.co_names, code.co_varnames, code.co_freevars, constants))
    return digest("code/1", code.co_code, text, *inner)


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


def _of_closed(value: Any, function: FunctionType) -> str:
    """What a closure variable adds: plain data its value, functions and classes their code."""
    if value is function:
        return "itself"
    if isinstance(value, Step):
        value = value.function
    if isinstance(value, FunctionType):
        return of_function(value)
    if isinstance(value, type):
        return of_class(value) if is_project(value.__module__) else reference(value)
    if isinstance(value, ModuleType):
        return value.__name__
    try:
        return plain.canonical(value)
    except plain.NotPlain:
        return reference(type(value))


def _class_text(kind: type) -> str:
    module = sys.modules.get(kind.__module__)
    file = getattr(module, "__file__", None)
    node = source.class_tree(file, kind.__qualname__) if file else None
    if node is not None:
        return ast.dump(node)
    members = sorted((name, item) for name, item in vars(kind).items() if not name.startswith("__"))
    functions = [(name, item) for name, item in members if isinstance(item, FunctionType)]
    return repr([(name, _of_loaded(item.__code__)) for name, item in functions])


def _libraries(code: CodeType, names: Mapping[str, Any]) -> set[str]:
    """Top-level names of installed libraries that a function's globals or imports lead to."""
    found = set()
    for name in code.co_names:
        value = names.get(name)
        module = value.__name__ if isinstance(value, ModuleType) else None
        module = module or getattr(value, "__module__", None)
        for candidate in (module, name if name not in names else None):
            if isinstance(candidate, str):
                top = candidate.partition(".")[0]
                if top not in _STDLIB and _is_installed(top):
                    found.add(top)
    for item in code.co_consts:
        if isinstance(item, CodeType):
            found |= _libraries(item, names)
    return found


def _is_installed(top: str) -> bool:
    """Whether a top-level module lies among the installed distributions."""
    module = sys.modules.get(top)
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if file is not None:
        return str(file).startswith(_INSTALLED)
    if module is not None:
        return False
    return any(Path(folder, top).is_dir() or Path(folder, f"{top}.py").is_file()
               for folder in _INSTALLED)  # fmt: skip


def _version(top: str) -> str:
    version = getattr(sys.modules.get(top), "__version__", None)
    if isinstance(version, str):
        return version
    from importlib.metadata import PackageNotFoundError, packages_distributions
    from importlib.metadata import version as installed  # costly, and rarely needed

    try:
        return installed(top)
    except PackageNotFoundError:
        names = packages_distributions().get(top, ())
        return ",".join(f"{name} {installed(name)}" for name in sorted(set(names))) or "unknown"
