"""The driver of a URL: found, or told how to install; and connections that are kept."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadConfiguration, MissingExtra, did_you_mean

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

ANSWERS: Final = (
    FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError,
)  # fmt: skip
"""What is no better when it is asked for again."""

_idle: Final[dict[object, list[AbstractFileSystem]]] = {}
"""File systems that are connected and wait, by process and other side."""


def driver_class(protocol: str, who: str) -> type[AbstractFileSystem]:
    """The class behind a protocol. Raises `MissingExtra`, or `BadConfiguration` for a protocol
    that nobody knows."""
    from fsspec.registry import get_filesystem_class, known_implementations  # only for such a store

    try:
        found: type[AbstractFileSystem] = get_filesystem_class(protocol)
    except ImportError as error:
        raise MissingExtra(
            f"{who} needs a driver for {protocol}:// that is not installed: {error}.",
            hint=f"pip install {_package(error, known_implementations[protocol]['class'])}",
        ) from error
    except ValueError as error:
        raise BadConfiguration(
            f"{who} is at {protocol}://, which no driver of fsspec is for.",
            hint=did_you_mean(protocol, known_implementations)
            or "Write for example gs://, az:// or sftp://; all that there are: "
            "https://filesystem-spec.readthedocs.io/en/latest/api.html",
        ) from error
    return found


@contextmanager
def system_of(
    driver: type[AbstractFileSystem], url: str, options: Mapping[str, Any]
) -> Iterator[AbstractFileSystem]:
    """The file system of a URL, with a connection that nobody else uses meanwhile, unless its
    driver is made for that. It is kept for the next one, but not after a failure."""
    given = {**driver._get_kwargs_from_urls(url), **options}
    place = (os.getpid(), driver, tuple(sorted((key, repr(each)) for key, each in given.items())))
    idle = _idle.setdefault(place, [])
    system = _taken(idle, shared=driver.async_impl) or _connected(driver, given)
    try:
        yield system
    except ANSWERS:
        _kept(system, idle)
        raise
    except BaseException:
        idle.clear()  # whatever has ended this connection may have ended all of them
        raise
    _kept(system, idle)


def _taken(idle: list[AbstractFileSystem], *, shared: bool) -> AbstractFileSystem | None:
    try:
        return idle[-1] if shared else idle.pop()
    except IndexError:
        return None


def _kept(system: AbstractFileSystem, idle: list[AbstractFileSystem]) -> None:
    if not any(each is system for each in idle):
        idle.append(system)


def _connected(driver: type[AbstractFileSystem], options: Mapping[str, Any]) -> AbstractFileSystem:
    made = driver(skip_instance_cache=True, **options)
    made.dircache.use_listings_cache = False
    return made


def _package(error: ImportError, target: str) -> str:
    """What to install: what fsspec's sentence has in quotes, or else what is named as the module
    that is missing."""
    if quoted := re.search(r'"([\w-]+)', str(error)):
        return quoted[1]
    cause = error.__cause__
    missing = cause.name if isinstance(cause, ImportError) and cause.name else target
    return missing.partition(".")[0].replace("_", "-")
