"""Agreement: whether a loaded module is what its file says."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from penstock.model import plain
from penstock.runtime.fingerprints import modules, source

_CONSTANT = (int, float, str, bytes, bool, type(None))


def holds(module: ModuleType, found: source.Module) -> bool:
    """Whether everything that the file binds at its top level is what the file says.

    A value that is computed cannot be told from the file, so there is no agreement then: a module
    that is loaded counts as it is loaded, rather than as it might have been.
    """
    space = vars(module)
    package = space.get("__package__") or ""
    bound = dict(_bindings(found.tree))
    strange = {name for name in space if not _is_pythons(name)} - bound.keys()
    return not strange and all(
        name in space and _agrees(space[name], node, name, found, package)
        for name, node in bound.items()
    )


def is_outdated(module: ModuleType, path: str) -> bool:
    """Whether a function of a loaded module is not in its file any more, as when it was edited."""
    found = source.module(path)
    return found is not None and any(
        code.co_filename == path and not _is_there(code, found) for code in _codes(vars(module))
    )


def _codes(space: Mapping[str, Any]) -> Iterator[CodeType]:
    """The code of functions among names, and of those in the classes among them."""
    for item in space.values():
        if isinstance(item, FunctionType):
            yield item.__code__
        elif type(item) is type and item.__module__ == space.get("__name__"):
            yield from _codes(vars(item))


def _is_pythons(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Names with the statements that bind them; what is bound in another way is not here."""
    for node in tree.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, node
            case ast.Import() | ast.ImportFrom():
                for item in node.names:
                    yield item.asname or item.name.partition(".")[0], node
            case _:
                continue


def _agrees(value: Any, node: ast.AST, name: str, found: source.Module, package: str) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return not node.decorator_list and _is_defined(value, name, found)
    if isinstance(node, ast.ClassDef):
        return not node.decorator_list and _is_class(value, node, found)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return _is_imported(value, node, name, package)
    return _is_literal(value, getattr(node, "value", None))


def _is_defined(value: Any, qualname: str, found: source.Module) -> bool:
    if not isinstance(value, FunctionType) or value.__code__.co_qualname != qualname:
        return False
    if value.__dict__ or not all(map(_is_constant, value.__defaults__ or ())):
        return False
    return _is_there(value.__code__, found)


def _is_there(code: CodeType, found: source.Module) -> bool:
    known = found.codes.get((code.co_qualname, code.co_firstlineno), ())
    return any(source.same_code(code, other) for other in known)


def _is_class(value: Any, node: ast.ClassDef, found: source.Module) -> bool:
    if type(value) is not type:
        return False
    written = dict(_bindings(ast.Module(node.body, [])))
    members = {name: item for name, item in vars(value).items() if not _is_pythons(name)}
    if not members.keys() <= written.keys():
        return False
    for name, item in vars(value).items():
        if isinstance(item, FunctionType):
            if not _is_defined(item, f"{value.__qualname__}.{name}", found):
                return False
        elif name in members and not _agrees(item, written[name], name, found, ""):
            return False
    return True


def _is_imported(value: Any, node: ast.Import | ast.ImportFrom, name: str, package: str) -> bool:
    if isinstance(node, ast.Import):
        return isinstance(value, ModuleType)
    origin = modules.loaded(modules.absolute(node.module or "", node.level, package))
    own = next((item.name for item in node.names if (item.asname or item.name) == name), name)
    return origin is not None and (own == "*" or vars(origin).get(own) is value)


def _is_literal(value: Any, node: ast.expr | None) -> bool:
    if node is None:
        return False
    try:
        return plain.encode(ast.literal_eval(node)) == plain.encode(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, plain.NotPlain):
        return False


def _is_constant(value: Any) -> bool:
    return type(value) in _CONSTANT
