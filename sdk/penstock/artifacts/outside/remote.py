"""What lies behind a URL, looked at from outside: by its ETag, or else by reading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.outside.unseen import Gone, Unreachable, Unseen
from penstock.digest import Buffer, digest, of_buffers
from penstock.model.file import Content

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PIECE: Final = 1 << 20

NAMES: Final = ("ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "content_hash")
"""Under which name a file system says what changes with the bytes of an object."""


def look(url: str, most: Content | None = None) -> Content:
    """What is there. What is read is no more than `most`. Raises `Unseen`."""
    try:
        system, path = _found(url)
        system.invalidate_cache(path)  # a listing from before says nothing of now
        told = system.info(path)
        if told["type"] == "directory":
            return _folder(system, path, most)
        return _file(system, path, told, most)
    except Unseen:
        raise
    except FileNotFoundError as error:
        if not _is_missing(error):
            raise Unreachable(f"it cannot be read: {error.__cause__}") from error
        raise Gone("there is nothing") from error
    except Exception as error:  # each file system has errors of its own
        raise Unreachable(f"it cannot be read: {type(error).__name__}: {error}") from error


def _is_missing(error: FileNotFoundError) -> bool:
    """Whether that was the answer: over HTTP, fsspec says so of every failure."""
    cause = error.__cause__
    if isinstance(cause, OSError):  # no connection, no such host
        return isinstance(cause, FileNotFoundError)
    return getattr(cause, "status", 404) in (404, 410)


def _found(url: str) -> tuple[AbstractFileSystem, str]:
    """The file system of a URL, and how that calls the place."""
    from fsspec.core import url_to_fs  # heavy, and only for what is elsewhere
    from fsspec.implementations.local import LocalFileSystem

    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError) as error:  # not installed, or nobody knows the protocol
        raise Unreachable(str(error)) from error
    if isinstance(system, LocalFileSystem):
        raise Unreachable("it is another name for a place on this machine")
    return system, path


def _file(
    system: AbstractFileSystem, path: str, told: Mapping[str, Any], most: Content | None
) -> Content:
    size, etag = told.get("size"), etag_of(told)
    if most is not None and (most.kind != "file" or size not in (None, most.size)):
        return Content("file", size or 0)
    if etag and size is not None:
        return Content("file", size, etag=etag)
    return _by_reading(system, path, most)


def etag_of(told: Mapping[str, Any]) -> str:
    """What changes with the bytes, as the other side says; nothing if it says nothing."""
    for name in NAMES:
        found = told.get(name)
        # A weak one is the same for bytes that only mean the same (RFC 9110, 8.8.1).
        if isinstance(found, str) and found.strip('"') and not found.startswith("W/"):
            return found.strip('"')
    return ""


def _by_reading(system: AbstractFileSystem, path: str, most: Content | None) -> Content:
    size = 0

    def pieces() -> Iterator[Buffer]:
        nonlocal size
        with system.open(path, "rb") as file:
            while data := file.read(PIECE):
                size += len(data)
                if most is not None and size > most.size:
                    return
                yield data

    found = of_buffers(pieces())
    return Content("file", size, found if most is None or size <= most.size else "")


def _folder(system: AbstractFileSystem, path: str, most: Content | None) -> Content:
    inside = system.find(path, detail=True)
    size = sum(told.get("size") or 0 for told in inside.values())
    if most is not None and (most.kind, most.files, most.size) != ("folder", len(inside), size):
        return Content("folder", size, files=len(inside))
    said: list[str] = []
    for name in sorted(inside):
        told = inside[name]
        limit = most and Content(
            "file", told["size"] if told.get("size") is not None else most.size
        )
        content = _file(system, name, told, limit)
        said += (name.removeprefix(path), str(content.size), content.etag, content.digest)
    return Content("folder", size, digest("objects/1", *said), files=len(inside))
