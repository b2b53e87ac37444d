"""Libraries: which modules are installed and which are the project's own, and in what versions."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

_STDLIB: Final = frozenset(sys.stdlib_module_names)
_OF_PYTHON: Final = tuple(
    {
        str(Path(os.__file__).parent),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib")),
    }
)
_INSTALLED: Final = tuple({str(Path(sysconfig.get_path(name))) for name in ("purelib", "platlib")})

_PACKAGES: Final = frozenset({"site-packages", "dist-packages"})
"""Folders of installed modules, wherever they are: the user's own, the system's."""

_PYTHON: Final = f"{sys.version_info[0]}.{sys.version_info[1]}" + " -O" * sys.flags.optimize
"""Without assertions or docstrings the same source does something else."""

_top_level: dict[str, bool] = {}
_packages: dict[str, bool] = {}


def environment(packages: Iterable[str]) -> Mapping[str, str]:
    """The Python minor version, and versions of installed libraries by their top-level modules."""
    versions = {"python": _PYTHON}
    for name in sorted(packages):
        versions[name] = _version(name)
    return versions


def is_project(module: str) -> bool:
    """Whether a module is the user's own: not of the standard library, not installed."""
    top = module.partition(".")[0]
    known = _top_level.get(top)
    if known is None:
        # What has no name was made by the project, of text.
        known = not top or not (_is_pythons(top) or _is_installed(top))
        if top in sys.modules or top not in _STDLIB:  # else it is not settled yet
            _top_level[top] = known
    return known


def module_of(kind: type) -> str:
    """The name of the module of a class. Of some that are made in C it is no text."""
    found: object = kind.__module__
    return found if isinstance(found, str) else ""


def package_of(module: str) -> str:
    """The top-level module if that is an installed library's, else nothing."""
    top = module.partition(".")[0]
    known = _packages.get(top)
    if known is None:
        known = not _is_pythons(top) and _is_installed(top)
        if top in sys.modules or top not in _STDLIB:
            _packages[top] = known
    return top if known else ""


def _is_pythons(top: str) -> bool:
    """Whether a top-level module is penstock, or of Python itself: a file beside the program may
    have the name of one that is."""
    if top not in _STDLIB:
        return top == "penstock"
    if top in sys.builtin_module_names:
        return True
    module = sys.modules.get(top)
    if isinstance(module, ModuleType):
        file = vars(module).get("__file__")
    else:
        spec = PathFinder.find_spec(top)
        file = spec.origin if spec is not None and spec.has_location else None
    return file is None or (file.startswith(_OF_PYTHON) and _PACKAGES.isdisjoint(Path(file).parts))


def _is_installed(top: str) -> bool:
    """Whether a top-level module lies among the installed distributions."""
    if top.startswith("_cython_"):  # where all that it has compiled finds its types
        return True
    module = sys.modules.get(top)
    own = vars(module) if isinstance(module, ModuleType) else {}
    file = own.get("__file__") or next(iter(own.get("__path__") or ()), None)
    if file is not None:
        folders = Path(file).parts
        return str(file).startswith(_INSTALLED) or not _PACKAGES.isdisjoint(folders)
    if module is not None:
        return False
    return any(Path(folder, top).is_dir() or Path(folder, f"{top}.py").is_file()
               for folder in _INSTALLED)  # fmt: skip


@cache
def _version(top: str) -> str:
    """The version of an installed library by its top-level module, loaded or not.

    Its `__version__` is not asked: that is there only once it is loaded, and the key of a step must
    not depend on what ran before it.
    """
    from importlib.metadata import PackageNotFoundError, packages_distributions
    from importlib.metadata import version as installed  # costly, and rarely needed

    try:
        return installed(top)
    except PackageNotFoundError:  # scikit-learn brings sklearn
        brought = sorted(_brought(top))
    if not brought:
        names = sorted(set(packages_distributions().get(top, ())))
        brought = [f"{name}-{installed(name)}" for name in names]
    return ",".join(brought) or "unknown"


def _brought(top: str) -> Iterator[str]:
    """Names and versions of the distributions whose list of files has a top-level module.

    `packages_distributions` knows more, and takes half a second.
    """
    line = re.compile(rf"^{re.escape(top)}(/|\.py,)".encode(), re.MULTILINE)
    for folder in _INSTALLED:
        for record in Path(folder).glob("*.dist-info/RECORD"):
            if line.search(record.read_bytes()):
                yield record.parent.name.removesuffix(".dist-info")
