"""The server behind a proxy. Every request has a connection of its own: none can be stale."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from penstock.testing.messages import BUFFERED, CutOff, Head, Message, at_hand, body, closed


@asynccontextmanager
async def asked(url: str, message: Message) -> AsyncIterator[Message]:
    """What the server at `url` answers; its body can be read in the `with`. Raises `CutOff`."""
    place = urlsplit(url)
    tls = place.scheme == "https"
    port = place.port or (443 if tls else 80)
    try:
        reader, writer = await asyncio.open_connection(
            place.hostname, port, ssl=tls or None, limit=BUFFERED
        )
    except OSError as error:
        raise CutOff from error
    try:
        with suppress(ConnectionError):  # who refuses early may not read all, and answers still
            await message.send(writer)
        yield await _answer(reader, message.head.first.startswith("HEAD "))
    finally:
        writer.transport.abort()  # one that is in the middle of a request learns it like this
        await closed(writer)


async def _answer(reader: asyncio.StreamReader, of_head: bool) -> Message:
    head = await Head.read(reader)
    while head is not None and 100 <= head.status < 200:
        head = await Head.read(reader)
    if head is None:
        raise CutOff
    if of_head or head.status in (204, 304):
        return Message(head.changed(connection=""), at_hand(b""))
    pieces = body(reader, head, to_end=True)
    _, _, reason = head.first.partition(" ")
    if head.size is None and not head.chunked:
        head = head.changed(transfer_encoding="chunked")
    return Message(head.changed(f"HTTP/1.1 {reason}", connection=""), pieces)
