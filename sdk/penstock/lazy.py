"""Names that are found on first use, so that `import penstock` loads next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType


class LazyModule(ModuleType):
    """A stand-in for a module, loaded when the first name is asked of it.

    This is how a floor uses a lower one without loading it: the import that type checkers and
    the layer check see stands under `TYPE_CHECKING`, next to the stand-in.
    """

    def __getattr__(self, name: str) -> object:
        value = getattr(import_module(self.__name__), name)
        self.__dict__[name] = value
        return value


def lazy(module: str) -> ModuleType:
    """The module if it is loaded, else a stand-in for it."""
    return sys.modules.get(module) or LazyModule(module)


def attach(package: str, names: Mapping[str, str]) -> Callable[[str], object]:
    """A module's `__getattr__` (PEP 562) that finds `names`, each in the module it maps to."""

    def find(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(names[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return find
