"""What a value is loaded from: bytes that are its own, and may be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact, PenstockError


def private(data: Buffer) -> memoryview:
    """The data as memory that may be written to. Only what is read-only is copied."""
    view = memoryview(data)
    return memoryview(bytearray(view)) if view.readonly else view


@contextmanager
def reading(format: str) -> Iterator[None]:
    """Whatever goes wrong inside, the bytes are to blame: `CorruptArtifact`.

    Parsers have no common error for bad bytes. Nothing of the user's may run in here.
    """
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        raise CorruptArtifact(
            f"The bytes are not a value of format {format!r}: {type(error).__name__}: {error}"
        ) from error
