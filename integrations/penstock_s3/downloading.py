"""Large objects on their way down: side by side into one piece of memory, and seen meanwhile.

The request that finds out how large an object is brings its beginning already. Others help with
the rest where that pays: a request is worth its wait if what it brings takes far longer. So a
server that takes its time to begin sends all in one stream, and others in many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock.digest import Buffer
from penstock_s3.arrival import Arrival, Span
from penstock_s3.asked import Changed
from penstock_s3.attempts import Attempts
from penstock_s3.causes import Incomplete
from penstock_s3.direct import Body
from penstock_s3.small import Fetched, Whole

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

SIDE_BY_SIDE: Final = 10
"""Requests for one object that are under way at the same time."""

WORTH: Final = 10.0
"""How many times as long as the wait for its first byte a request should take."""

SAMPLE: Final = 4 << 20
"""Bytes that show how fast they come."""

_CHUNK: Final = 1 << 20
"""Bytes that are read at once, at most."""


async def fetch(
    connection: Connection, key: str, seen: Callable[[Buffer], object] | None = None
) -> Fetched:
    """The whole object, a small one by one request. Raises `NoSuchKey`.

    `seen` is told all of it, in order, as it comes; but not of an object that is replaced just
    then: that is begun anew, and what was told is of none.
    """
    try:
        return await _fetched(connection, key, seen)
    except Changed:
        return await _fetched(connection, key, None)


async def _fetched(
    connection: Connection, key: str, seen: Callable[[Buffer], object] | None
) -> Fetched:
    whole, attempts = Whole(connection), connection.attempts("get_object")
    large: _Large | None = None

    async def attempt() -> Fetched | None:
        nonlocal large
        if large is not None:  # what was begun has broken off: others go on
            return None
        begin = _now()
        answer = await connection.once("get_object", key=key)
        if answer["ContentLength"] <= connection.part_size:
            return await whole.of(answer, attempts)
        large = _Large(connection, key, answer, seen)
        await large.begin(attempts, waited=_now() - begin)
        return None

    try:
        found = await connection.repeated("get_object", attempt, key=key, attempts=attempts)
        if large is not None:
            return await large.done()
        assert found is not None, "it is large or small"
        if seen is not None:
            seen(found.data)
        return found
    finally:
        if large is not None:
            await large.end()


class _Large:
    """A large object on its way. What is not of the first answer's version is no part of it."""

    def __init__(
        self,
        connection: Connection,
        key: str,
        answer: Mapping[str, Any],
        seen: Callable[[Buffer], object] | None,
    ) -> None:
        self._connection = connection
        self._key = key
        self._answer = answer
        self._arrival = Arrival(answer["ContentLength"])
        self._first = self._arrival.take(SAMPLE) or Span(0, 0)
        self._part = connection.part_size
        self._works: list[asyncio.Task[None]] = []
        if seen is not None:
            self._works.append(asyncio.create_task(self._arrival.show(seen)))

    async def begin(self, attempts: Attempts, waited: float) -> None:
        """Read on from the first answer for as long as nobody else has what comes next."""
        async with self._answer["Body"] as body:
            begin = _now()
            await self._receive(body, self._first, attempts)
            rate = SAMPLE / max(_now() - begin, 1e-6)
            self._part = max(self._part, round(WORTH * waited * rate))
            more = self._arrival.extend(self._first, self._part)
            self._ask_others()
            while more:
                await self._receive(body, self._first, attempts)
                more = self._arrival.extend(self._first, self._part)

    async def done(self) -> Fetched:
        """All of it, once it is there."""
        self._works.append(asyncio.create_task(self._span(self._first)))
        self._ask_others()
        await asyncio.gather(*self._works)
        return Fetched(self._arrival.data, self._answer)

    async def end(self) -> None:
        """Nobody is at work any more."""
        for work in self._works:
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)

    def _ask_others(self) -> None:
        """Have what nobody fetches yet fetched side by side."""
        parts = -(-self._arrival.free // self._part)
        for _ in range(min(parts, SIDE_BY_SIDE - 1)):
            self._works.append(asyncio.create_task(self._spans()))

    async def _spans(self) -> None:
        while (span := self._arrival.take(self._part)) is not None:
            await self._span(span)

    async def _span(self, span: Span) -> None:
        """What is missing of a span, from where it broke off the last time."""
        attempts = self._connection.attempts("get_object")

        async def attempt() -> None:
            if span.left:
                answer = await self._asked(span)
                async with answer["Body"] as body:
                    await self._receive(body, span, attempts)

        await self._connection.repeated("get_object", attempt, key=self._key, attempts=attempts)

    async def _asked(self, span: Span) -> Mapping[str, Any]:
        etag, wanted = self._answer["ETag"], f"{span.at}-{span.end - 1}"
        answer = await self._connection.once(
            "get_object", key=self._key, Range=f"bytes={wanted}", IfMatch=etag
        )
        fits = str(answer.get("ContentRange")) == f"bytes {wanted}/{self._arrival.size}"
        if fits and answer["ETag"] == etag:
            return answer
        async with answer["Body"]:  # which is of no use
            pass
        if answer["ETag"] != etag:  # the server does not know the condition
            raise Changed(f"{self._connection.url(self._key)} was changed meanwhile.")
        raise Incomplete("the server answered with another part than was asked for")

    async def _receive(self, body: Body, span: Span, attempts: Attempts) -> None:
        """Fill a span to its end."""
        while span.left:
            if not (piece := await body.piece(min(_CHUNK, span.left))):
                raise Incomplete("the answer broke off")
            self._arrival.fill(span, piece)
            attempts.gained()


def _now() -> float:
    return asyncio.get_running_loop().time()
