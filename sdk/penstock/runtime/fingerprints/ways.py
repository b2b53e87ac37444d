"""Ways: how values of types that Python itself brings are walked through."""

from __future__ import annotations

import _thread
import gc
import pickle
import struct
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from functools import cmp_to_key, partial
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any, Final, ForwardRef

from penstock.digest import digest, of_buffers
from penstock.model.file import File
from penstock.model.step import Step
from penstock.runtime.fingerprints import modules, outline

if TYPE_CHECKING:
    from penstock.runtime.fingerprints.values import Token, Walk

INERT: Final = frozenset({_thread.LockType, _thread.RLock, object})
"""Types whose values hold nothing that could matter."""


def _unordered(walk: Walk, value: Any) -> Token:
    return digest(f"{type(value).__name__}/1", *sorted(map(walk.token, value)))


def _weak(walk: Walk, value: Any) -> Token:
    return walk.pairs("weak", value.items())


def _named(walk: Walk, value: Any) -> Token:
    """Functions in C, by name; of a method also the object."""
    of = getattr(value, "__self__", None)
    own = [walk.token(of)] if of is not None and not isinstance(of, ModuleType) else []
    kind = getattr(value, "__objclass__", None)
    own += [walk.token(kind)] if kind is not None else []
    return digest("named/1", getattr(value, "__module__", None) or "", value.__qualname__, *own)


def _cell(walk: Walk, value: CellType) -> Token:
    try:
        return walk.token(value.cell_contents)
    except ValueError:  # not assigned yet
        return "empty"


def _variable(walk: Walk, value: ContextVar[Any]) -> Token:
    try:
        return walk.all("variable", [value.name, value.get()])
    except LookupError:
        return walk.all("variable", [value.name])


def _finalizing(walk: Walk, value: weakref.finalize[Any, Any]) -> Token:
    """What will be called, of which nothing is in the object itself."""
    return walk.all("finalize", value.peek() or ())


def _comparing(walk: Walk, value: Any) -> Token:
    """What `functools.cmp_to_key` makes shows the function to nobody but the collector."""
    return walk.all("comparing", gc.get_referents(value))


def _forward(walk: Walk, value: ForwardRef) -> Token:
    """A note as text. It says in which module it is to be looked up."""
    parts = [getattr(value, f"__forward_{name}__", None) for name in _OF_FORWARDS]
    return walk.all("forward", [modules.home(value.__forward_module__ or ""), *parts])


_OF_FORWARDS: Final = ("arg", "evaluated", "value", "is_argument", "is_class")

WAYS: Final[dict[type, Callable[[Walk, Any], Token]]] = {
    float: lambda walk, value: f"float {struct.pack('>d', value).hex()}",
    bytes: lambda walk, value: digest("bytes/1", value),
    bytearray: lambda walk, value: digest("bytearray/1", value),
    complex: lambda walk, value: f"complex {struct.pack('>dd', value.real, value.imag).hex()}",
    list: lambda walk, value: walk.all("list", value),
    tuple: lambda walk, value: walk.all("tuple", value),
    dict: lambda walk, value: walk.pairs("dict", value.items()),
    MappingProxyType: lambda walk, value: walk.pairs("proxy", value.items()),
    set: _unordered,
    frozenset: _unordered,
    FunctionType: lambda walk, value: walk.function(value),
    ModuleType: lambda walk, value: walk.definitions.module(value, walk),
    MethodType: lambda walk, value: walk.all("method", [value.__func__, value.__self__]),
    CodeType: lambda walk, value: outline.of_code(value),
    CellType: _cell,
    property: lambda walk, value: walk.all("property", [value.fget, value.fset, value.fdel]),
    staticmethod: lambda walk, value: walk.all("static", [value.__func__]),
    classmethod: lambda walk, value: walk.all("class", [value.__func__]),
    partial: lambda walk, value: walk.all(
        "partial", [value.func, value.args, value.keywords, modules.at_home(vars(value))]
    ),
    type(cmp_to_key(max)): _comparing,
    pickle.PickleBuffer: lambda walk, value: of_buffers([value.raw()]),
    ContextVar: _variable,
    Step: lambda walk, value: walk.token(value.function),
    File: lambda walk, value: walk.definitions.file(value, walk),
    ForwardRef: _forward,
    weakref.WeakKeyDictionary: _weak,
    weakref.WeakValueDictionary: _weak,
    weakref.WeakSet: _unordered,
    weakref.finalize: _finalizing,
    _thread._local: lambda walk, value: walk.state(vars(value)),
    **dict.fromkeys(
        [
            *[BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType, MethodWrapperType],
            *[GetSetDescriptorType, MemberDescriptorType, ClassMethodDescriptorType],
        ],
        _named,
    ),
}
