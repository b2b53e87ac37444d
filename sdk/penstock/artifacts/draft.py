"""Drafts: objects on their way into a store whose keys are not known yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from penstock.artifacts.source import Source
from penstock.digest import Buffer


class Draft(ABC):
    """Used in a `with`; an object that was not kept by its end leaves nothing behind."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def pieces(self) -> Iterator[Buffer]:
        """All bytes, one after the other, as they are written: to be hashed, meanwhile."""

    @abstractmethod
    def keep(self, key: str, digest: str) -> None:
        """Give the object its name, once all pieces were seen; `digest` is theirs.

        Raises `KeyTaken`. The value may have changed since it was hashed: the object has the bytes
        that were, or this raises `UnsupportedValue` and there is no object.
        """

    @abstractmethod
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class Late(Draft):
    """For stores that need the key first: nothing is written until it is known.

    What is hashed is a copy, for the value that it came from may change before it is written.
    """

    def __init__(self, source: Source, put: Callable[[str, Sequence[Buffer]], None]) -> None:
        self._copy = b"".join(source.buffers())
        self._put = put

    def pieces(self) -> Iterator[Buffer]:
        yield self._copy

    def keep(self, key: str, digest: str) -> None:
        self._put(key, [self._copy])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return
