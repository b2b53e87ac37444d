"""Modules of the user's: imported once, under the name by which other processes import them."""

from __future__ import annotations

import importlib
import os
import sys
from importlib import util
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Final

from penstock.errors import OURS, NotFound, RunError, did_you_mean
from penstock.runtime import loading

_IMPORT_SYSTEM: Final = ("<frozen importlib", str(importlib.__file__))


def of_file(path: str) -> ModuleType:
    """The module that a file is. Its folder is searched for others, as `python FILE` does it.

    Raises `NotFound`, and whatever the file raises.
    """
    file = os.path.abspath(path)
    if not os.path.isfile(file) or not file.endswith(".py"):
        raise _no_file(path, file)
    name = os.path.splitext(os.path.basename(file))[0]
    known = sys.modules.get(name)
    if known is not None:
        if os.path.abspath(getattr(known, "__file__", None) or "") == file:
            return known
        raise RunError(
            f"{path} cannot be imported as {name!r}: the module {known!r} has that name.",
            hint="Rename the file.",
        )
    sys.path[0] = os.path.dirname(file)
    spec = util.spec_from_file_location(name, file)
    assert spec is not None
    module = sys.modules[name] = util.module_from_spec(spec)
    try:
        with loading.importing(repr(name)):
            exec(spec.loader.get_code(name), vars(module))  # type: ignore[union-attr]
    except BaseException:
        del sys.modules[name]
        raise
    return module


def of_name(name: str) -> ModuleType:
    """The module of this name; the working directory is searched first, as `python -m` does it.

    Raises `NotFound`, and whatever the module raises.
    """
    sys.path[0] = os.getcwd()
    try:
        with loading.importing(repr(name)):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise NotFound(
            f"There is no module {error.name!r} here.",
            hint=way_to(error, name)
            or "Name a file, FILE.py:NAME, or start where the module can be imported.",
        ) from error


def way_to(error: BaseException, place: str) -> str | None:
    """What to type if a module was not found that is in `src`, or is a package around the file at
    this place."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    if not name or "." in name:
        return None
    if os.path.isdir(f"src/{name}") or os.path.isfile(f"src/{name}.py"):
        return _searched(name, "src")
    around = [folder for folder in Path(os.path.abspath(place)).parents if folder.name == name]
    return _searched(name, os.path.relpath(around[-1].parent)) if around else None


def _searched(name: str, folder: str) -> str:
    from shlex import quote  # only when something is wrong

    said = f"{name!r} is in {folder!r}. Type `PYTHONPATH={quote(folder)} penstock …`"
    if any(map(os.path.isfile, ("pyproject.toml", "setup.py"))):
        return f"{said}, or install the project: `pip install -e .`"
    return f"{said}."


def trim(error: BaseException) -> None:
    """Leave of a traceback what lies below the import."""
    frame = error.__traceback__
    while frame is not None and _is_import(frame):
        frame = frame.tb_next
    error.__traceback__ = frame


def _is_import(frame: TracebackType) -> bool:
    return frame.tb_frame.f_code.co_filename.startswith((OURS, *_IMPORT_SYSTEM))


def _no_file(path: str, file: str) -> NotFound:
    folder, name = os.path.split(file)
    if os.path.exists(file):
        what = "is a folder" if os.path.isdir(file) else "is no Python file: it must end in .py"
        return NotFound(f"{path} {what}.")
    known = os.listdir(folder) if os.path.isdir(folder) else []
    near = did_you_mean(name, [each for each in known if each.endswith(".py")])
    return NotFound(f"There is no file {path!r}.", hint=near)
