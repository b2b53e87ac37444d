"""Agreement: whether a loaded module is what its file says, as far as a file can say it.

There are three answers: yes, no, and None where nobody can tell, as of a value that is computed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from penstock.runtime.fingerprints import meaning, modules, source, statements

Verdict = bool | None

_OF_CLASSES: Final = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
        *("__slotnames__", "__static_attributes__", "__firstlineno__", "__annotate_func__"),
        *("__annotations_cache__", "__classdictcell__"),
    }
)
"""What is in a class though no statement of its body binds it."""


def holds(module: ModuleType, found: source.Module) -> bool:
    """Whether everything that the file does at its top level is what is loaded.

    A value that is computed cannot be told from the file, so there is no agreement then: a module
    that is loaded counts as it is loaded, rather than as it might have been.
    """
    space = vars(module)
    written = statements.written(found.tree.body)
    if written is None:
        return False
    strange = {name for name in space if name not in modules.PYTHONS_OWN} - written.keys()
    return not strange and all(
        name in space and _agrees(space[name], node, name, found, space) is True
        for name, node in written.items()
    )


def is_outdated(module: ModuleType, path: str) -> bool:
    """Whether anything of a loaded module is certainly not what its file says, as when one of the
    two was changed."""
    found = source.module(path)
    if found is None:
        return False
    space = vars(module)
    if any(code.co_filename == path and not _is_there(code, found) for code in _codes(space)):
        return True
    return any(
        name not in space or _agrees(space[name], node, name, found, space) is False
        for name, node in statements.sure(found.tree.body)
    )


def _codes(space: Mapping[str, Any]) -> Iterator[CodeType]:
    """The code of functions among names, and of those in the classes among them."""
    for item in space.values():
        if isinstance(item, FunctionType):
            yield item.__code__
        elif isinstance(item, type) and item.__module__ == space.get("__name__"):
            yield from _codes(vars(item))


def _agrees(
    value: Any, node: ast.AST, name: str, found: source.Module, space: Mapping[str, Any]
) -> Verdict:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return None if node.decorator_list else _is_defined(value, node, name, found, space)
        case ast.ClassDef():
            return None if node.decorator_list else _is_class(value, node, name, found, space)
        case ast.Import() | ast.ImportFrom():
            return _is_imported(value, node, name, space)
        case ast.AnnAssign(target=ast.Name(id=own)):
            notes = {own: node.annotation}
            noted = {own: space.get("__annotations__", {}).get(own)}
            return _all(meaning.is_literal(value, node.value), _are_noted(noted, notes, space))
        case ast.Assign():
            return meaning.is_literal(value, node.value)
    return None


def _is_defined(
    value: Any,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    qualname: str,
    found: source.Module,
    space: Mapping[str, Any],
) -> Verdict:
    if not isinstance(value, FunctionType) or value.__code__.co_qualname != qualname:
        return False
    if value.__dict__ or not _is_there(value.__code__, found):
        return False
    given = value.__defaults__ or ()
    named = value.__kwdefaults__ or {}
    asked = {item.arg: default for item, default in
             zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if default}  # fmt: skip
    if len(given) != len(node.args.defaults) or named.keys() != asked.keys():
        return False
    return _all(
        *map(meaning.is_literal, given, node.args.defaults),
        *(meaning.is_literal(named[name], asked[name]) for name in asked),
        _are_noted(value.__annotations__, _notes(node), space),
    )


def _notes(node: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs,
             arguments.kwarg]  # fmt: skip
    found = {item.arg: item.annotation for item in every if item and item.annotation}
    return found | ({"return": node.returns} if node.returns else {})


def _are_noted(
    values: Mapping[str, Any], notes: Mapping[str, ast.expr], space: Mapping[str, Any]
) -> Verdict:
    """Whether annotations are these expressions."""
    if values.keys() != notes.keys():
        return False
    return _all(*(meaning.is_annotation(values[name], notes[name], space) for name in notes))


def _is_there(code: CodeType, found: source.Module) -> bool:
    known = found.codes.get((code.co_qualname, code.co_firstlineno), ())
    return any(source.same_code(code, other) for other in known)


def _is_class(
    value: Any, node: ast.ClassDef, qualname: str, found: source.Module, space: Mapping[str, Any]
) -> Verdict:
    if not isinstance(value, type):
        return False
    written = statements.written(node.body)
    if node.keywords or written is None or type(value) is not type:
        return None
    members = {name: item for name, item in vars(value).items() if _counts(name, item, written)}
    if members.keys() != written.keys():
        return False if value.__bases__ == (object,) else None  # a base may have changed it
    notes = {item.target.id: item.annotation for item in node.body
             if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)}  # fmt: skip
    return _all(
        _are_bases(value.__bases__, node.bases, space),
        _are_noted(vars(value).get("__annotations__", {}), notes, space),
        *(
            _member(members[name], item, f"{qualname}.{name}", found, space)
            for name, item in written.items()
        ),
    )


def _member(
    value: Any, node: ast.AST, qualname: str, found: source.Module, space: Mapping[str, Any]
) -> Verdict:
    if isinstance(node, ast.AnnAssign):  # its annotation is the class's
        return meaning.is_literal(value, node.value)
    return _agrees(value, node, qualname, found, space)


def _counts(name: str, value: Any, written: Mapping[str, Any]) -> bool:
    made = name == "__hash__" and value is None and "__eq__" in written
    return name in written or not (name in _OF_CLASSES or made)


def _are_bases(bases: tuple[type, ...], nodes: list[ast.expr], space: Mapping[str, Any]) -> Verdict:
    if not nodes:
        return bases == (object,)
    if len(bases) != len(nodes):
        return None
    return _all(
        *(meaning.is_named(base, node, space) for base, node in zip(bases, nodes, strict=True))
    )


def _is_imported(
    value: Any, node: ast.Import | ast.ImportFrom, name: str, space: Mapping[str, Any]
) -> Verdict:
    if isinstance(node, ast.Import):
        asked = next((item.name for item in node.names if item.asname == name), name)
        return value is modules.loaded(asked)
    package = space.get("__package__") or ""
    origin = modules.loaded(modules.absolute(node.module or "", node.level, package))
    own = next((item.name for item in node.names if (item.asname or item.name) == name), name)
    if origin is None or own == "*":
        return None
    return vars(origin).get(own) is value


def _all(*verdicts: Verdict) -> Verdict:
    """No if any is, else None if any is, else yes."""
    if False in verdicts:
        return False
    return None if None in verdicts else True
