"""What can go wrong between a client and a server, a class each; those of S3 by name."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar, Final, Literal
from xml.sax.saxutils import escape

from penstock.testing.messages import Head, Message, at_hand

if TYPE_CHECKING:
    from penstock.testing.asked import Request

ALLOWED: Final = 900.0
"""Seconds by which the clock of a client may be off, as S3 has it."""

_RESET: Final = struct.pack("ii", 1, 0)


class Client:
    """Who has asked, as faults see them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.here = True

    async def send(self, answer: Message) -> None:
        await answer.send(self._writer)

    async def wait(self, seconds: float) -> None:
        """Say nothing until the client goes, or the time is over."""
        with suppress(TimeoutError, ConnectionError):
            await asyncio.wait_for(self._reader.read(1), seconds)

    def close(self) -> None:
        """As a server does that has said everything."""
        self.here = False
        self._writer.close()

    def reset(self) -> None:
        """As a server does that has crashed."""
        self.here = False
        if (connection := self._writer.get_extra_info("socket")) is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._writer.transport.abort()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request. With this one nothing does."""

    patient: ClassVar[bool] = True
    """Whether a request that does not reach the server is heard out."""

    reaches: bool = True
    """Whether the server is asked, and does it."""

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    def passes(self, request: Request) -> bool:
        """Whether the server gets this request."""
        return self.reaches

    def asked(self, message: Message) -> Message:
        """What the server gets."""
        return message

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        """Say what the client gets to hear; `real` is what the server says, if it was asked."""
        if real is not None:
            await client.send(real)


@dataclass(frozen=True, kw_only=True)
class Refusal(Fault):
    """An answer that is none of the server's; with status 200 it looks like a success."""

    status: int
    code: str
    message: str = "It was made up by a proxy."
    headers: tuple[tuple[str, str], ...] = ()
    more: str = ""
    """XML beside code and message."""
    reaches: bool = False

    @property
    def name(self) -> str:
        return f"{self.status} {self.code}{' afterwards' if self.reaches else ''}"

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        parts = f"<Code>{self.code}</Code><Message>{escape(self.message)}</Message>{self.more}"
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{parts}</Error>'.encode()
        data = b"" if request.method == "HEAD" else text
        own = {name.lower() for name, _ in self.headers}
        usual = (("Date", formatdate(usegmt=True)), ("Content-Type", "application/xml"))
        headers = [pair for pair in usual if pair[0].lower() not in own]
        headers += [*self.headers, ("Content-Length", str(len(data)))]
        head = Head(f"HTTP/1.1 {self.status} {self.code}", tuple(headers))
        await client.send(Message(head, at_hand(data)))


@dataclass(frozen=True, kw_only=True)
class Reset(Fault):
    """The connection breaks; if the request `reaches` the server, its answer is lost."""

    patient: ClassVar[bool] = False

    reaches: bool = False

    @property
    def name(self) -> str:
        return "answer lost" if self.reaches else "reset"

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        client.reset()


@dataclass(frozen=True, kw_only=True)
class Hang(Fault):
    """Nobody ever answers."""

    seconds: float = 3600.0
    """After which the connection breaks, if the client is still there."""
    reaches: bool = False

    @property
    def name(self) -> str:
        return f"hang{' afterwards' if self.reaches else ''}"

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        await client.wait(self.seconds)
        client.reset()


@dataclass(frozen=True, kw_only=True)
class Delay(Fault):
    """The answer takes its time."""

    seconds: float

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        await asyncio.sleep(self.seconds)
        await super().answer(request, real, client)


@dataclass(frozen=True, kw_only=True)
class Truncation(Fault):
    """The body of the answer ends too early."""

    at: float = 0.5
    """Which part of it arrives."""

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        assert real is not None
        if real.head.chunked:
            real = await real.read()
        left = int((real.head.size or 0) * self.at)
        await client.send(Message(real.head, _first(real.pieces, left)))
        client.close()


@dataclass(frozen=True, kw_only=True)
class Flip(Fault):
    """One bit of a body arrives as its opposite, and nobody on the way says so."""

    of: Literal["answer", "request"] = "answer"
    at: float = 0.5
    """Where in the body."""

    @property
    def name(self) -> str:
        return f"flipped bit of the {self.of}"

    def asked(self, message: Message) -> Message:
        return _flipped(message, self.at) if self.of == "request" else message

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        assert real is not None
        await client.send(_flipped(real, self.at) if self.of == "answer" else real)


@dataclass(frozen=True, kw_only=True)
class Clock(Fault):
    """The server's clock is ahead of the client's (behind it, if negative), and the server refuses
    what seems too old or not written yet."""

    ahead: float

    def passes(self, request: Request) -> bool:
        try:
            signed = datetime.strptime(f"{request.head['x-amz-date']}+0000", "%Y%m%dT%H%M%SZ%z")
        except ValueError:  # nothing is signed
            return True
        return abs(signed.timestamp() - self._now) <= ALLOWED

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        date = formatdate(self._now, usegmt=True)
        if real is not None:
            await client.send(Message(real.head.changed(date=date), real.pieces))
            return
        time_of = datetime.fromtimestamp(self._now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await Refusal(
            status=403,
            code="RequestTimeTooSkewed",
            message="The difference between the request time and the current time is too large.",
            headers=(("Date", date),),
            more=f"<ServerTime>{time_of}</ServerTime>",
        ).answer(request, None, client)

    @property
    def _now(self) -> float:
        return time.time() + self.ahead


SLOW_DOWN: Final = Refusal(status=503, code="SlowDown")
INTERNAL_ERROR: Final = Refusal(status=500, code="InternalError")
CONFLICT: Final = Refusal(status=409, code="ConditionalRequestConflict")
EXPIRED_TOKEN: Final = Refusal(status=400, code="ExpiredToken")
ACCESS_DENIED: Final = Refusal(status=403, code="AccessDenied")
ERROR_IN_200: Final = Refusal(status=200, code="InternalError")
RESET: Final = Reset()
ANSWER_LOST: Final = Reset(reaches=True)


async def _first(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece[:size]
        size -= len(piece)
        if size <= 0:
            return


def _flipped(message: Message, at: float) -> Message:
    place = int(max((message.head.size or 1) - 1, 0) * at)

    async def pieces() -> AsyncIterator[bytes]:
        begin = 0
        async for piece in message.pieces:
            if begin <= place < begin + len(piece):
                changed = bytearray(piece)
                changed[place - begin] ^= 1
                piece = bytes(changed)
            begin += len(piece)
            yield piece

    return Message(message.head, pieces())
