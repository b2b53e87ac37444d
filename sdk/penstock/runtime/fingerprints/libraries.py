"""Libraries: which modules are installed and which are the project's own, and in what versions."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

from penstock.digest import digest

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

PYTHON: Final = f"{sys.version_info[0]}.{sys.version_info[1]}" + " -O" * sys.flags.optimize
"""Without assertions or docstrings the same source does something else."""

_MODULE: Final = rf"/|\.py,|(?:{'|'.join(map(re.escape, EXTENSION_SUFFIXES))}),"
"""What stands in a list of files behind the name of a top-level module: it is a folder or file."""

_top_level: dict[str, bool] = {}
_packages: dict[str, bool] = {}


def environment(packages: Iterable[str]) -> Mapping[str, str]:
    """The Python minor version, and versions of installed libraries by their top-level modules."""
    versions = {"python": PYTHON}
    for name in sorted(packages):
        versions[name] = _version(name)
    return versions


def versions() -> Mapping[str, str]:
    """Those of all that is installed, by top-level modules: what `environment` says of each."""
    found = {top: ",".join(sorted(names)) for top, names in _all_brought().items()}
    return {top: _by_name(top) or brought for top, brought in sorted(found.items())}


def requirements(packages: Iterable[str]) -> Iterator[str]:
    """What pip would install to have these top-level modules as they are here."""
    for name in packages:
        if version := _by_name(name):
            yield f"{name}=={version}"
        else:
            for brought in _version(name).split(","):
                distribution, dash, version = brought.rpartition("-")
                if dash:
                    yield f"{distribution}=={version}"


def stamp() -> str:
    """Another text as soon as something else is installed. It costs little."""
    names = {info.name for folder in _folders() for info in folder.glob("*.dist-info")}
    return digest("installed/1", PYTHON, *sorted(names))


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
               for folder in _folders())  # fmt: skip


def _folders() -> list[Path]:
    """Where distributions are installed: this Python's own folders, and all other folders on the
    path that have the name of such."""
    others = (each for each in sys.path if not _PACKAGES.isdisjoint(Path(each).parts[-1:]))
    return [Path(each) for each in dict.fromkeys((*_INSTALLED, *others))]


@cache
def _version(top: str) -> str:
    """The version of an installed library by its top-level module, loaded or not.

    Its `__version__` is not asked: that is there only once it is loaded, and the key of a step must
    not depend on what ran before it.
    """
    if found := _by_name(top):
        return found
    brought = sorted(_brought(top))  # scikit-learn brings sklearn
    if not brought:
        # Costly, and rarely needed: whatever has no list of its files.
        from importlib.metadata import packages_distributions, version

        names = sorted(set(packages_distributions().get(top, ())))
        brought = [f"{name}-{version(name)}" for name in names]
    return ",".join(brought) or "unknown"


def _by_name(top: str) -> str:
    """The version of the distribution of this name; nothing if there is none."""
    from importlib.metadata import PackageNotFoundError, version  # costly, and rarely needed

    try:
        return version(top)
    except PackageNotFoundError:
        return ""


def _brought(top: str) -> Iterator[str]:
    """Names and versions of the distributions whose list of files has a top-level module.

    `packages_distributions` knows more, and takes half a second.
    """
    line = re.compile(rf"^{re.escape(top)}(?:{_MODULE})".encode(), re.MULTILINE)
    for name, record in _records():
        if line.search(record):
            yield name


def _all_brought() -> Mapping[str, set[str]]:
    """The same for all top-level modules."""
    line = re.compile(rf"^(\w+)(?:{_MODULE})".encode(), re.MULTILINE)
    found: dict[str, set[str]] = {}
    for name, record in _records():
        for top in set(line.findall(record)):
            found.setdefault(top.decode(), set()).add(name)
    return found


def _records() -> Iterator[tuple[str, bytes]]:
    """Name and version of each installed distribution, and the list of its files."""
    for folder in _folders():
        for record in folder.glob("*.dist-info/RECORD"):
            yield record.parent.name.removesuffix(".dist-info"), record.read_bytes()
