"""Large objects on their way up: in parts, side by side, from private copies of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import NoSuchKey, StoreUnavailable
from penstock_s3 import small
from penstock_s3.abilities import NONCE, nonce_of
from penstock_s3.attempts import Attempts
from penstock_s3.causes import Incomplete
from penstock_s3.etags import Md5
from penstock_s3.exclusive import exclusively, new_nonce
from penstock_s3.outgoing import outgoing
from penstock_s3.parts import Lane, Part
from penstock_s3.promise import Promise
from penstock_s3.proof import are_md5
from penstock_s3.several import all_of
from penstock_s3.unfinished import drop

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

SIDE_BY_SIDE: Final = 8
"""Parts of one object that are under way at the same time, each in memory of its own."""

PACKING: Final = 2
"""Parts that are made ready at the same time: the first ones leave while the next are hashed."""

TRIES: Final = 5
"""How often an upload is begun that somebody else ends: a rule of the bucket, or a cleaning."""

_COPIED: Final = 10e6
"""Bytes that a server surely makes an object of in a second: some copy all of them for that."""


async def store(
    connection: Connection,
    key: str,
    parts: Sequence[Part],
    digest: str | None = None,
    *,
    exclusive: bool,
) -> None:
    """Write an object: whole or not at all. Raises `KeyTaken`, and `UnsupportedValue` for what has
    another digest."""
    if len(parts) <= 1:
        promise = Promise(digest)
        copies = [Lane(part.size).packed(part, promise) for part in parts]
        promise.kept()
        await small.store(connection, key, copies, exclusive=exclusive)
        return
    for _ in range(TRIES):
        with suppress(_Ended):
            await _Upload(connection, key, parts, digest).done(exclusive=exclusive)
            return
    raise StoreUnavailable(
        f"The upload of {connection.url(key)} was ended {TRIES} times by somebody else.",
        hint="Look for a lifecycle rule of the bucket that ends uploads, and give them a day.",
    )


class _Ended(Exception):
    """The server does not know the upload any more, or does not go on with it."""


class _Upload:
    """One upload, from its beginning to its completion or its abortion."""

    def __init__(
        self, connection: Connection, key: str, parts: Sequence[Part], digest: str | None
    ) -> None:
        self._connection = connection
        self._key = key
        self._parts = parts
        self._nonce = new_nonce()
        self._promise = Promise(digest)
        self._packing = asyncio.Semaphore(PACKING)
        self._next = asyncio.Lock()
        self._id = ""
        self._etags: dict[int, str] = {}

    async def done(self, *, exclusive: bool) -> None:
        connection = self._connection
        about: dict[str, Any] = {"Metadata": {NONCE: self._nonce}, **connection.sealed()}
        begun = await connection.request("create_multipart_upload", key=self._key, **about)
        self._id = begun["UploadId"]
        try:
            await self._send()
            self._promise.kept()
            await self._complete(exclusive=exclusive)
        except BaseException as error:
            await drop(connection, self._id, self._key)
            if isinstance(error, NoSuchKey):
                raise _Ended from None
            raise

    async def _send(self) -> None:
        """Every part; the first error ends all."""
        left = iter(self._parts)
        await all_of(self._send_some(left) for _ in range(min(SIDE_BY_SIDE, len(self._parts))))

    async def _send_some(self, left: Iterator[Part]) -> None:
        """One part after the other, through the same memory."""
        lane = Lane(self._parts[0].size)
        run = asyncio.get_running_loop().run_in_executor
        while True:
            async with self._packing:
                async with self._next:
                    if (part := next(left, None)) is None:
                        return
                    copy = await run(None, lane.packed, part, self._promise)
                md5 = await run(None, Md5, [copy])
            self._etags[part.number] = await self._sent(part.number, copy, md5)

    async def _sent(self, number: int, copy: memoryview, md5: Md5) -> str:
        """The ETag of a part that has arrived as it was sent."""
        connection = self._connection
        half = connection.deadline / 2  # for who stands still
        attempts = connection.attempts("upload_part", half)

        async def attempt() -> str:
            answer = await self._answer(number, md5, outgoing(copy, attempts.moving))
            if md5.fits(answer) is False and await are_md5(connection):
                raise Incomplete("other bytes arrived than were sent")
            return str(answer["ETag"])

        return await connection.repeated("upload_part", attempt, key=self._key, attempts=attempts)

    async def _answer(self, number: int, md5: Md5, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the server says to a part, which shows that it has got it."""
        connection = self._connection
        proof = {"ContentMD5": md5.header} if connection.needs_content_md5 else {}
        try:
            answer = await connection.once(
                "upload_part", key=self._key, UploadId=self._id, PartNumber=number, **proof, **body
            )
        except Exception as error:
            if _code(error) == "NotImplemented":  # `rclone serve s3` takes no part a second time
                raise _Ended from error
            if proof or _code(error) != "InvalidRequest":
                raise
            answer = {}  # something of the request is missing
        if md5.fits(answer) is None and not proof:
            connection.needs_content_md5 = True
            raise Incomplete("the server does not say what has arrived")
        return answer

    async def _complete(self, *, exclusive: bool) -> None:
        """Make it an object. It may be one already, if an answer was lost."""
        connection, key = self._connection, self._key
        copying = sum(part.size for part in self._parts) / _COPIED
        attempts = Attempts(connection.deadline + copying, connection.deadline / 2 + copying)
        listed = [{"PartNumber": n, "ETag": etag} for n, etag in sorted(self._etags.items())]

        async def write(conditions: Mapping[str, str]) -> None:
            try:
                await connection.once(
                    "complete_multipart_upload", key=key, UploadId=self._id,
                    MultipartUpload={"Parts": listed}, **conditions,
                )  # fmt: skip
            except Exception as error:
                if not _is_over(error):
                    raise
                await self._look()

        async def anyway() -> None:
            await write({})

        if exclusive:
            await exclusively(connection, key, self._nonce, write, attempts=attempts)
        else:
            await connection.repeated(
                "complete_multipart_upload", anyway, key=key, attempts=attempts
            )

    async def _look(self) -> None:
        """Whether the object is there that this upload was to become. Raises `_Ended`."""
        with suppress(NoSuchKey):
            found = await self._connection.once("head_object", key=self._key)
            if nonce_of(found) == self._nonce:
                return
        raise _Ended


def _is_over(error: Exception) -> bool:
    """Whether the server says that there is no such upload: it may have become the object. Some
    miss a part then."""
    return isinstance(error, NoSuchKey) or _code(error) == "InvalidPart"


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
