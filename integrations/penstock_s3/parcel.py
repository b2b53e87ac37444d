"""Parcels: drafts of objects that are sent once their key is known."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Source
from penstock.digest import Buffer
from penstock_s3 import uploading
from penstock_s3.parts import cut

if TYPE_CHECKING:
    from penstock_s3.connection import Connection


class Parcel(Draft):
    """Hashed and sent from the value's own memory. What is sent is hashed again, as private copies:
    the value may change between one look at it and the next."""

    def __init__(self, connection: Connection, source: Source) -> None:
        self._connection = connection
        self._parts = cut(source.buffers(), connection.part_size)

    def pieces(self) -> Iterator[Buffer]:
        for part in self._parts:
            yield from part.views

    def keep(self, key: str, digest: str) -> None:
        connection = self._connection
        connection.run(uploading.store(connection, key, self._parts, digest, exclusive=True))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._parts = []
