"""Unfinished uploads: what writers leave that were killed. No listing of objects has them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import Entry, is_key
from penstock.errors import StoreError
from penstock_s3.asked import Refused
from penstock_s3.attempts import Attempts
from penstock_s3.listing import seconds
from penstock_s3.several import found

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

_NAME: Final = re.compile(r"uploads/((?:[0-9a-f]{2})+)/(.+)")
"""The upload's id as hex, because it may have letters that no key has, and the object's key."""

_NONE: Final = ("NoSuchUpload", "NotImplemented", "MethodNotAllowed", "501", "405")
"""What servers say that list no uploads, or have none."""

_SIDE_BY_SIDE: Final = 8
"""Uploads whose parts are listed at the same time."""

_PATIENCE: Final = 4.0
"""Seconds for cleaning up: whoever has interrupted it waits for that."""


def unfinished(connection: Connection, before: float) -> Iterator[Entry]:
    """The uploads that were begun before this time, under names that `parsed` takes."""
    asked: dict[str, Any] = {"Prefix": connection.prefix}
    while True:
        try:
            page = connection.run(connection.request("list_multipart_uploads", **asked))
        except Refused as error:
            if error.code not in _NONE:
                raise
            return
        begun = dict(_begun(page, connection.prefix, before))
        sizes = connection.run(_sizes(connection, begun))
        for name, moment in begun.items():
            yield Entry(name, sizes.get(name, 0), moment)
        if not page.get("IsTruncated"):
            return
        asked["KeyMarker"] = page["NextKeyMarker"]
        asked["UploadIdMarker"] = page["NextUploadIdMarker"]


def _begun(page: Mapping[str, Any], base: str, before: float) -> Iterator[tuple[str, float]]:
    for item in page.get("Uploads", ()):
        key = item["Key"].removeprefix(base)
        moment = seconds(item["Initiated"])
        if moment < before and is_key(key):
            yield f"uploads/{item['UploadId'].encode().hex()}/{key}", moment


async def _sizes(connection: Connection, names: Iterable[str]) -> Mapping[str, int]:
    """The bytes of those uploads whose parts can be listed."""

    async def size(name: str) -> int:
        upload = parsed(name)
        assert upload is not None, "it was made here"
        try:
            return sum([part["Size"] async for part in _parts(connection, *upload)])
        except Refused:  # a permission is missing, or the server does not know it
            return 0

    return await found(size, names, _SIDE_BY_SIDE)


async def _parts(connection: Connection, upload: str, key: str) -> AsyncIterator[Any]:
    asked: dict[str, Any] = {"key": key, "UploadId": upload}
    while True:
        page = await connection.request("list_parts", **asked)
        for part in page.get("Parts", ()):
            yield part
        if not page.get("IsTruncated"):
            return
        asked["PartNumberMarker"] = page["NextPartNumberMarker"]


def parsed(name: str) -> tuple[str, str] | None:
    """The upload's id and the key of an unfinished upload; None for an object."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return bytes.fromhex(match[1]).decode(), match[2]
    except UnicodeDecodeError:
        return None


async def abort(connection: Connection, upload: str, key: str, before: float) -> bool:
    """End an upload unless a part came at this time or since; whether it was ended. Raises
    `NoSuchKey`."""
    async for part in _parts(connection, upload, key):
        if seconds(part["LastModified"]) >= before:
            return False
    await connection.request("abort_multipart_upload", key=key, UploadId=upload)
    return True


async def drop(connection: Connection, upload: str, key: str) -> None:
    """End an upload of one's own that has failed. What is left of it is found by `gc`."""

    async def attempt() -> None:
        await connection.once("abort_multipart_upload", key=key, UploadId=upload)

    attempts = Attempts(_PATIENCE, silence=connection.line.silence)
    with suppress(StoreError):  # why it has failed is what gets raised
        await connection.repeated("abort_multipart_upload", attempt, key=key, attempts=attempts)
