"""Unfinished uploads: what writers leave that were killed. No listing of objects has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import Entry, is_key
from penstock_s3.asked import Refused
from penstock_s3.listing import seconds

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

_NAME: Final = re.compile(r"uploads/((?:[0-9a-f]{2})+)/(.+)")
"""The upload's id as hex, because it may have letters that no key has, and the object's key."""

_NONE: Final = ("NoSuchUpload", "NotImplemented", "MethodNotAllowed", "501", "405")
"""What servers say that list no uploads, or have none."""


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
        for item in page.get("Uploads", ()):
            key = item["Key"].removeprefix(connection.prefix)
            begun = seconds(item["Initiated"])
            if begun < before and is_key(key):
                yield Entry(f"uploads/{item['UploadId'].encode().hex()}/{key}", 0, begun)
        if not page.get("IsTruncated"):
            return
        asked["KeyMarker"] = page["NextKeyMarker"]
        asked["UploadIdMarker"] = page["NextUploadIdMarker"]


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
    asked: dict[str, Any] = {"key": key, "UploadId": upload}
    while True:
        page = await connection.request("list_parts", **asked)
        if any(seconds(part["LastModified"]) >= before for part in page.get("Parts", ())):
            return False
        if not page.get("IsTruncated"):
            break
        asked["PartNumberMarker"] = page["NextPartNumberMarker"]
    await connection.request("abort_multipart_upload", key=key, UploadId=upload)
    return True
