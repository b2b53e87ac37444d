"""By value: the code that a worker cannot import is sent to it.

Steps that are defined in a notebook, at a prompt, on a command line or inside a function have no
name under which another process finds them; nor do the classes of a notebook, which values name.
They travel in memory from this process to the workers that it starts, and never through a store.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from inspect import unwrap
from types import FunctionType, ModuleType
from typing import Any

from penstock.artifacts.formats import pickle as pickles
from penstock.errors import CannotRun
from penstock.model.names import module_name
from penstock.model.step import Step
from penstock.runtime import loading

Names = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent, as it was here."""

    functions: Mapping[int, FunctionType] = field(default_factory=dict)
    """Of the steps that cannot be found, by their number in the plan."""
    hints: Mapping[int, Names] = field(default_factory=dict)
    """Their annotations, which may have been names."""
    modules: Mapping[str, Names] = field(default_factory=dict)
    """The functions and classes of modules that cannot be imported."""
    sources: Mapping[str, list[str]] = field(default_factory=dict)
    """Lines of files that do not exist, for tracebacks."""


class Finder:
    """Gives the steps of a plan, one after the other: what was sent, or what the name leads to."""

    def __init__(self, parcel: Parcel) -> None:
        self._parcel = parcel
        self._number = -1

    def __call__(self, reference: str) -> Step[..., Any]:
        self._number += 1
        sent = self._parcel.functions.get(self._number)
        return loading.find_step(reference) if sent is None else Step(sent, None)


def packed(steps: Iterable[Step[..., Any]]) -> bytes:
    """What the steps of a plan, in its order, need to be sent; nothing if they need nothing.

    Raises `CannotRun` for a step that cannot be.
    """
    numbered = {number: step for number, step in enumerate(steps) if not _is_found(step)}
    strange = dict.fromkeys(_module(step) for step in numbered.values())
    modules = {name: _defined(name) for name in ("__main__", *strange) if not _is_importable(name)}
    if not numbered and not any(modules.values()):
        return b""
    with _by_value(modules):
        for step in numbered.values():
            _check(step, modules)
        parcel = Parcel(
            {number: step.function for number, step in numbered.items()},  # type: ignore[misc]
            {number: step.signature.hints for number, step in numbered.items()},
            {name: _that_can_be(names, modules) for name, names in modules.items()},
            _sources(),
        )
        return _dumped(parcel, modules)


def unpacked(data: bytes) -> Parcel:
    """What was sent, put where names lead to it."""
    if not data:
        return Parcel()
    with loading.importing("what the steps of its pipeline need"):
        parcel: Parcel = pickles.unpickle(data, ())
    for file, lines in parcel.sources.items():
        linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
    for module, names in parcel.modules.items():
        vars(_made(module)).update(names)
    for number, function in parcel.functions.items():
        unwrap(function).__annotations__ = dict(parcel.hints[number])
    return parcel


def _module(step: Step[..., Any]) -> str:
    return step.function.__module__


def _is_found(step: Step[..., Any]) -> bool:
    """Whether its name leads to it in another process, too."""
    found = loading.loaded(step.reference)
    there = isinstance(found, Step) and found.function is step.function
    return there and _is_importable(_module(step))


def _is_importable(module: str) -> bool:
    """Whether another process that looks in the same places finds this module."""
    known = sys.modules.get(module)
    if module == "__main__":
        file = getattr(known, "__file__", None) or ""
        named = module_name(module) != module
        return named and (getattr(known, "__spec__", None) is not None or file.endswith(".py"))
    return known is not None and _is_on_path(module.partition(".")[0])


@cache
def _is_on_path(top: str) -> bool:
    known = getattr(sys.modules.get(top), "__spec__", None)
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is not None and (spec := find(top, None)) is not None:
            return known is None or spec.origin == known.origin
    return False


def _defined(module: str) -> dict[str, Any]:
    """The functions and classes that a module defines, its steps, and the file that it is."""
    names = vars(sys.modules[module]) if module in sys.modules else {}
    return {
        name: item
        for name, item in names.items()
        if _is_of(item, module) or (name == "__file__" and module == "__main__")
    }


def _is_of(item: object, module: str) -> bool:
    code = isinstance(item, FunctionType | type | Step)
    return code and getattr(item, "__module__", None) == module


def _that_can_be(names: Names, modules: Mapping[str, Names]) -> Names:
    """Those of the names that can be sent: a step that needs none of the others is to run."""
    try:
        _dumped(names, modules)
    except Exception:  # a class may refuse with any error
        return {name: item for name, item in names.items() if _complaint(item, modules) is None}
    return names


def _check(step: Step[..., Any], modules: Mapping[str, Names]) -> None:
    if (error := _complaint(step.function, modules)) is not None:
        raise CannotRun(
            f"Step {step.name!r} ({step.signature.where}) cannot be sent to a worker process: "
            f"{type(error).__name__}: {error}.",
            hint="Define it at the top level of a module, where a worker finds it by its name, or "
            "take LocalOrchestrator(workers='threads').",
        ) from error


def _complaint(item: Any, modules: Mapping[str, Names]) -> Exception | None:
    try:
        _dumped(item, modules)
    except Exception as error:  # a class may refuse with any error
        return error
    return None


def _dumped(value: Any, modules: Mapping[str, Names]) -> bytes:
    # What is defined in a script that can be imported is found by its name.
    return pickles.by_value(value, script="__main__" in modules)


class _by_value:  # noqa: N801 - used like a function
    """While this lasts, what these modules define is pickled by value, as that of `__main__` is."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._modules = [sys.modules[name] for name in modules if name != "__main__"]

    def __enter__(self) -> None:
        import cloudpickle  # heavy: needed for few pipelines

        for module in self._modules:
            cloudpickle.register_pickle_by_value(module)

    def __exit__(self, *error: object) -> None:
        import cloudpickle

        for module in self._modules:
            cloudpickle.unregister_pickle_by_value(module)


def _sources() -> dict[str, list[str]]:
    """The lines of what was typed into cells and prompts."""
    return {
        file: list(entry[2])
        for file, entry in tuple(linecache.cache.items())
        if len(entry) == 4 and not os.path.exists(file)
    }


def _made(name: str) -> ModuleType:
    """The module of this name, and those that it lies in; empty ones if they are not there."""
    package, _, _ = name.rpartition(".")
    if package:
        _made(package)
    if name not in sys.modules:
        try:
            import_module(name)
        except ImportError:
            sys.modules[name] = ModuleType(name)
    return sys.modules[name]
