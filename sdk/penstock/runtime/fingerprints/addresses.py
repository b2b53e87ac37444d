"""Addresses: whether the name of a function, class or module leads to it, in any process."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

from penstock.model.step import Step
from penstock.runtime.fingerprints import modules
from penstock.runtime.fingerprints.insides import HEAP
from penstock.runtime.fingerprints.libraries import is_project, module_of

_IMPORTERS: Final = ("importlib", "importlib.util", "importlib._bootstrap", "runpy", "pkgutil",
                     "pydoc", "logging.config")  # fmt: skip
"""Modules whose functions and classes import what they are told to."""


_EVALUATORS: Final = frozenset(
    {("pandas.core.computation.eval", "eval"), ("numexpr.necompiler", "evaluate")}
)


def name_of(value: Any) -> str:
    """`module:qualname` of a function or class, by where it is written."""
    if isinstance(value, type):
        return f"{modules.home(module_of(value))}:{value.__qualname__}"
    module = modules.home(str(value.__globals__.get("__name__", "")))
    return f"{module}:{value.__code__.co_qualname}"


def is_own(function: FunctionType) -> bool:
    """Whether a function is the project's; so is one of which a library says that it is its own,
    and that has other globals."""
    around = function.__globals__
    name = str(around.get("__name__", ""))
    return is_project(name) or (name in sys.modules and not is_module(name, around))


def is_own_kind(module: ModuleType) -> bool:
    """Whether a module is an instance of a class of the project, which may answer for its names."""
    return type(module) is not ModuleType and is_project(type(module).__module__)


def is_addressable(value: Any) -> bool:
    """Whether the module and name of a function or class lead to it, in any process."""
    if isinstance(value, FunctionType):
        around = value.__globals__
        name, qualname = str(around.get("__name__", "")), value.__code__.co_qualname
        if not is_project(name):  # those of a library go by what they say of themselves
            name, qualname = value.__module__ or "", value.__qualname__
            if not name or is_project(name):
                return False
        elif not is_module(name, around):
            return False
    else:
        name, qualname = module_of(value), value.__qualname__
    found: Any = sys.modules.get(name)
    for part in qualname.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    return _leads_to(found, value)


def _leads_to(found: Any, value: Any) -> bool:
    for _ in range(20):  # wrappers around wrappers
        if found is value:
            return True
        if type(found) is Step:
            found = found.function
        elif isinstance(found, staticmethod | classmethod):
            found = found.__func__
        elif hasattr(found, "__dict__") and "__wrapped__" in vars(found):
            found = vars(found)["__wrapped__"]
        else:
            return False
    return False


def is_module(name: str, space: Mapping[str, Any]) -> bool:
    module = sys.modules.get(name)
    return module is not None and vars(module) is space


def imports_anything(value: Any) -> bool:
    """Whether this leads to modules by names that are computed."""
    if value is sys.modules or value is builtins.__import__:
        return True
    return isinstance(value, FunctionType | type) and value.__module__ in _IMPORTERS


def reads_globals(value: Any) -> bool:
    """Whether this reads what a text names among the globals of whoever calls it."""
    if not isinstance(value, FunctionType):
        return False
    return (value.__globals__.get("__name__"), value.__name__) in _EVALUATORS


def belongs(value: Any) -> bool:
    """Whether something is the project's, wherever it was put."""
    if isinstance(value, Step):
        return True
    if isinstance(value, ModuleType):
        return is_project(value.__name__)
    module = getattr(value if isinstance(value, FunctionType | type) else type(value),
                     "__module__", None)  # fmt: skip
    return isinstance(module, str) and is_project(module)


def patches(kind: type) -> list[tuple[str, FunctionType]]:
    """The functions of the project among the members of a class of a library, and of its bases."""
    return [
        (f"{base.__qualname__}.{name}", found)
        for base in kind.__mro__
        if base.__flags__ & HEAP and not is_project(module_of(base))
        for name, item in vars(base).items()
        if (found := _function_in(item)) is not None and _is_of_project(found)
    ]


def _function_in(member: Any) -> FunctionType | None:
    if isinstance(member, staticmethod | classmethod):
        member = member.__func__
    elif isinstance(member, property):
        member = member.fget
    elif type(member) is Step:
        member = member.function
    return member if type(member) is FunctionType else None


def _is_of_project(function: FunctionType) -> bool:
    name = function.__globals__.get("__name__")
    # What libraries make of text has a module that nobody can find.
    return isinstance(name, str) and name in sys.modules and is_project(name)
