"""Looking: what lies where a `File` leads to, and whether it is what was recorded."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.artifacts.outside import local
from penstock.artifacts.outside.unseen import Gone, Unreachable
from penstock.errors import FileChanged, StoreUnavailable, UnsupportedValue, did_you_mean
from penstock.lazy import lazy
from penstock.model.file import Content, File

if TYPE_CHECKING:
    from penstock.artifacts.outside import remote
else:
    remote = lazy("penstock.artifacts.outside.remote")  # only for what is elsewhere


def seen(file: File) -> File:
    """The file with what is there now. Raises `UnsupportedValue`."""
    try:
        return File(file.path, content=_look(file, None))
    except Gone as error:
        raise UnsupportedValue(f"{file!r} leads to no file: {error}.", hint=_near(file)) from error
    except Unreachable as error:
        raise UnsupportedValue(f"{file!r} cannot be looked at: {error}.") from error


def changes(files: Iterable[File]) -> str:
    """What has become of the first file that is no longer what was recorded; nothing if all are.

    Raises `StoreUnavailable` if nobody can tell.
    """
    for file in files:
        if now := _change(file):
            return f"{file.path} was {file.content}, and now {now}"
    return ""


def check(file: File) -> File:
    """The file itself, if what was recorded is still there. Raises `FileChanged`."""
    if now := _change(file):
        raise FileChanged(
            f"{file!r} is not what was recorded, {file.content}: now {now}.",
            hint="Put it back as it was, or run the pipeline again: with what is there now.",
        )
    return file


def _change(file: File) -> str:
    """What is there instead of what was recorded. Whoever wrote the reference may mean harm: no
    more is read than was recorded."""
    try:
        found = _look(file, file.content)
    except Gone as error:
        return str(error)
    except Unreachable as error:
        raise StoreUnavailable(f"{file!r} cannot be looked at: {error}.") from error
    return "" if found == file.content else f"there is {found}"


def _look(file: File, most: Content | None) -> Content:
    return remote.look(file.path, most) if file.is_remote else local.look(file.path, most)


def _near(file: File) -> str | None:
    """A name beside it that could be meant."""
    if file.is_remote:
        return None
    folder, name = os.path.split(file.path)
    with suppress(OSError):
        return did_you_mean(name, os.listdir(folder))
    return f"There is no folder {folder!r} either. Relative paths count from the working directory."
