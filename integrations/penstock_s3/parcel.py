"""Parcels: drafts of objects that are sent once their key is known."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Source
from penstock.digest import Buffer
from penstock_s3 import uploading
from penstock_s3.parts import CHUNK, cut

if TYPE_CHECKING:
    from penstock_s3.connection import Connection


class Parcel(Draft):
    """Sent from the value's own memory, part by part, each as it was when it was hashed."""

    def __init__(self, connection: Connection, source: Source) -> None:
        self._connection = connection
        self._parts = cut(source.buffers(), connection.part_size)

    def pieces(self) -> Iterator[Buffer]:
        """Private copies: the value may change between one look at it and the next."""
        into = memoryview(bytearray(CHUNK))
        for part in self._parts:
            yield from part.hashed(into)

    def keep(self, key: str) -> None:
        connection = self._connection
        connection.run(uploading.store(connection, key, self._parts, exclusive=True))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._parts = []
