"""Small objects: one request each, and what arrives is what was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.artifacts.store import LARGE
from penstock.digest import Buffer
from penstock.errors import KeyTaken
from penstock_s3.abilities import NONCE
from penstock_s3.attempts import Attempts
from penstock_s3.causes import Incomplete
from penstock_s3.etags import Md5
from penstock_s3.exclusive import exclusively, new_nonce
from penstock_s3.outgoing import outgoing
from penstock_s3.proof import are_md5

if TYPE_CHECKING:
    from penstock_s3.connection import Connection


class Fetched(NamedTuple):
    """An object, and what the server says of it."""

    data: Buffer
    answer: Mapping[str, Any]


class Whole:
    """What one request brings. Bytes that do not fit their ETag are asked for again; those that
    come twice are what is stored."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: list[bytearray] = []

    async def of(self, answer: Mapping[str, Any], attempts: Attempts) -> Fetched:
        """What an answer brings, in one of these attempts."""
        data = bytearray()
        async with answer["Body"] as body:
            while piece := await body.piece(LARGE):
                data += piece
                attempts.moving()
        if self._connection.etags_are_md5:
            fits = (await _md5(data)).fits(answer)
            if fits is False and data not in self._seen:
                self._seen.append(data)
                raise Incomplete("other bytes arrived than the server has")
        return Fetched(data, answer)


async def store(
    connection: Connection, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False
) -> None:
    """Write the object by one request. Raises `KeyTaken`."""
    data = b"".join(buffers)
    md5 = await _md5(data)
    nonce = new_nonce()
    attempts = connection.attempts("put_object")

    async def write(conditions: Mapping[str, str]) -> None:
        answer = await connection.once(
            "put_object", key=key, ContentMD5=md5.header, Metadata={NONCE: nonce},
            **outgoing(data, attempts.moving), **conditions, **connection.sealed(),
        )  # fmt: skip
        if connection.etags_are_md5 and md5.fits(answer) is False:
            await _compare(connection, key, data)

    async def anyway() -> None:
        await write({})

    if exclusive:
        await exclusively(connection, key, nonce, write, md5=md5, attempts=attempts)
    else:
        await connection.repeated("put_object", anyway, key=key, attempts=attempts)


async def publish(connection: Connection, keys: Sequence[str], data: bytes) -> tuple[str, ...]:
    """See `ArtifactStore.publish`. The thread that waits for it waits once, and not for each."""
    taken = []
    for key in keys:
        try:
            await store(connection, key, [data], exclusive=True)
        except KeyTaken:
            taken.append(key)
    return tuple(taken)


async def _md5(data: Buffer) -> Md5:
    """What takes longer is done in another thread: here others wait."""
    return Md5([data]) if len(data) < LARGE else await asyncio.to_thread(Md5, [data])


async def _compare(connection: Connection, key: str, data: bytes) -> None:
    """Look whether the server has other bytes, or ETags of another kind."""
    answer = await connection.once("get_object", key=key)
    async with answer["Body"] as body:
        if await body.read() != data:
            raise Incomplete("other bytes arrived than were sent")
    await are_md5(connection)
