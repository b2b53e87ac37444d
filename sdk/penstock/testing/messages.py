"""HTTP/1.1 messages on their way through a proxy: a head, and a body in pieces."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

PIECE: Final = 256 << 10
"""Bytes that are passed on at once."""

BUFFERED: Final = 1 << 20
"""Bytes that wait to be passed on, and the most that a head may have."""


class CutOff(Exception):
    """Whoever was sending has gone in the middle of a message."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a message, and its headers as they were written."""

    first: str
    headers: tuple[tuple[str, str], ...]

    @classmethod
    async def read(cls, reader: StreamReader) -> Head | None:
        """That of the next message; None where there is no next one."""
        try:
            text = await reader.readuntil(b"\r\n\r\n")
        except (IncompleteReadError, ConnectionError) as error:
            if getattr(error, "partial", b""):
                raise CutOff from error
            return None
        first, *lines = text.decode("latin-1").split("\r\n")[:-2]
        pairs = (line.partition(":") for line in lines)
        return cls(first, tuple((name, value.strip()) for name, _, value in pairs))

    def __getitem__(self, name: str) -> str:
        """A header, its name in small letters; empty if there is none."""
        return next((value for found, value in self.headers if found.lower() == name), "")

    def changed(self, first: str = "", **headers: str) -> Head:
        """With other headers (`content_length` is "content-length"); an empty one is left out."""
        new = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = (pair for pair in self.headers if pair[0].lower() not in new)
        added = (pair for pair in new.items() if pair[1])
        return Head(first or self.first, (*kept, *added))

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split(" ", 2)[1])

    @property
    def chunked(self) -> bool:
        return "chunked" in self["transfer-encoding"].lower()

    @property
    def size(self) -> int | None:
        """Bytes of the body, if the head says it."""
        return None if self.chunked or not self["content-length"] else int(self["content-length"])

    def __bytes__(self) -> bytes:
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Message:
    """A head, and the body after it, which can be read once."""

    head: Head
    pieces: AsyncIterator[bytes]

    async def send(self, writer: StreamWriter) -> None:
        """All of it. A body whose size its head does not say goes in chunks."""
        writer.write(bytes(self.head))
        async for piece in self.pieces:
            writer.write(_chunk(piece) if self.head.chunked else piece)
            await writer.drain()
        if self.head.chunked:
            writer.write(_chunk(b""))
        await writer.drain()

    async def read(self) -> Message:
        """The same with its body at hand, and the size of it in the head."""
        data = b"".join([piece async for piece in self.pieces])
        head = self.head.changed(transfer_encoding="", content_length=str(len(data)))
        return Message(head, at_hand(data))


async def at_hand(data: bytes) -> AsyncIterator[bytes]:
    """A body that is known."""
    if data:
        yield data


async def body(reader: StreamReader, head: Head, *, to_end: bool = False) -> AsyncIterator[bytes]:
    """What comes after a head; all up to the end, if the head does not say how much it is."""
    try:
        if head.chunked:
            async for piece in _chunks(reader):
                yield piece
        elif (left := head.size) is not None:
            while left:
                piece = await reader.read(min(left, PIECE))
                if not piece:
                    raise CutOff
                left -= len(piece)
                yield piece
        elif to_end:
            while piece := await reader.read(PIECE):
                yield piece
    except (IncompleteReadError, ConnectionError) as error:
        raise CutOff from error


async def closed(writer: StreamWriter) -> None:
    """Leave nothing open behind."""
    writer.close()
    with suppress(OSError):  # the other side was faster
        await writer.wait_closed()


async def _chunks(reader: StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        continue  # trailers


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)
