"""Modules of the project as files: found by name without importing anything."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

PYTHONS_OWN: Final = frozenset(
    {
        *("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__path__", "__file__"),
        *("__cached__", "__builtins__", "__builtin__", "__annotations__", "__warningregistry__"),
        *("__annotate__", "__conditional_annotations__"),
    }
)
"""What Python itself puts into a module."""

_IPYTHONS_OWN: Final = re.compile(
    r"_i?\d*|__|___|_ii|_iii|_[ido]h|In|Out|get_ipython|exit|quit|open"
)
"""What IPython puts among the names of cells: inputs, outputs, itself."""

_SKIPPED: Final = frozenset({"__pycache__", "node_modules", "site-packages", "dist-packages"})


def is_given(name: str, space: Mapping[str, Any]) -> bool:
    """Whether Python, or IPython, has put a name into a module, and not the user."""
    if name in PYTHONS_OWN:
        return True
    return "get_ipython" in space and _IPYTHONS_OWN.fullmatch(name) is not None


def home(module: str) -> str:
    """The name of a loaded module by which every process knows it.

    The running script has the name by which others import it, unless it was imported as well:
    then there are two modules with values of their own.
    """
    if module not in ("__main__", "__mp_main__"):
        return module
    main: Any = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    file = getattr(main, "__file__", None) or "<"
    if spec is not None:
        name = str(spec.name).removesuffix(".__main__")
    elif file.startswith("<"):  # at a prompt, or from standard input
        return "__main__"
    else:
        name = os.path.splitext(os.path.basename(file))[0]
    return name if sys.modules.get(name) in (None, main) else "__main__"


def at_home(names: dict[str, Any]) -> dict[str, Any]:
    """Attributes, in which the name of a module is the one by which every process knows it."""
    module = names.get("__module__")
    if type(module) is not str or (known := home(module)) == module:
        return names
    return {**names, "__module__": known}


def loaded(name: str) -> ModuleType | None:
    """The module that every process knows by this name, if it is loaded here."""
    found = sys.modules.get(name)
    if found is None and home("__main__") == name:
        found = sys.modules.get("__main__")
    return found


def attribute(module: ModuleType | None, name: str) -> Any:
    """What a module has under a name by itself: one with a `__getattr__` may have anything."""
    return vars(module).get(name) if isinstance(module, ModuleType) else None


def file_of(name: str) -> str | None:
    """Where a module of the project is written. None if it is not there, or has no file.

    What is loaded under this name comes first, as it does for an import.
    """
    known = loaded(name)
    if known is not None:
        found: str | None = attribute(known, "__file__")
        return found
    spec = _spec(name)
    return spec.origin if spec is not None and spec.has_location else None


def exists(name: str) -> bool:
    """Whether an import of this name would find something."""
    return loaded(name) is not None or _spec(name) is not None


def is_package(name: str) -> bool:
    """Whether there can be modules in it."""
    known = loaded(name)
    if known is not None:
        return "__path__" in vars(known)
    spec = _spec(name)
    return spec is not None and spec.submodule_search_locations is not None


def _spec(name: str) -> ModuleSpec | None:
    """What an import would find, looked for without importing what the module lies in."""
    path: Sequence[str] | None = None
    above, _, _ = name.rpartition(".")
    if above:
        known = loaded(above)
        if known is not None:
            path = list(attribute(known, "__path__") or ())
        else:
            spec = _spec(above)
            path = list((spec and spec.submodule_search_locations) or ())
        if not path:
            return None
    return PathFinder.find_spec(name, path)


def with_above(name: str) -> Iterator[str]:
    """A module and the packages that it lies in, which an import of it runs as well."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def absolute(module: str, level: int, package: str) -> str:
    """The full name of what a relative import in `package` names."""
    if not level:
        return module
    above = package.rsplit(".", level - 1)[0] if level > 1 else package
    return f"{above}.{module}" if module else above


def all_beside(name: str) -> list[str]:
    """Every file of code in the top-level package of a module, or in its folder if it has none."""
    top = name.partition(".")[0]
    file = file_of(name) or file_of(top)
    root = attribute(loaded(top), "__file__") or file_of(top) or file
    if not root or not os.path.isfile(root):
        return []
    return sorted(_code_in(Path(root).parent))


def _code_in(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if any(entry.name == "pyvenv.cfg" for entry in found):  # a virtual environment
        return
    for entry in found:
        if entry.name.startswith(".") or entry.name in _SKIPPED:
            continue
        if entry.is_dir():
            yield from _code_in(Path(entry.path))
        elif entry.name.endswith((".py", *EXTENSION_SUFFIXES)):
            yield entry.path
