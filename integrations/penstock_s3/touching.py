"""Touching: an object is copied onto itself, by the server, and is young then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock_s3.several import all_of
from penstock_s3.unfinished import drop

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

_MOST: Final = 5 << 30
"""Bytes that a server copies by one request."""

_PART: Final = 1 << 30

_PATIENCE: Final = 300.0
"""Seconds that copying so much may take."""


async def touch(connection: Connection, key: str, *, most: int = _MOST, part: int = _PART) -> None:
    """Make it young. It keeps who wrote it. Raises `NoSuchKey`, also of what is just deleted."""
    there = await connection.request("head_object", key=key)
    if there["ContentLength"] > most:
        await _in_parts(connection, key, there, part)
        return
    await connection.request(
        "copy_object", key=key, attempt_timeout=_PATIENCE, MetadataDirective="REPLACE",
        Metadata=there.get("Metadata", {}), **_from(connection, key, there), **connection.sealed(),
    )  # fmt: skip


async def _in_parts(connection: Connection, key: str, there: Mapping[str, Any], size: int) -> None:
    """Copy what is too large for one request."""
    upload = await connection.request(
        "create_multipart_upload", key=key, Metadata=there.get("Metadata", {}),
        **connection.sealed(),
    )  # fmt: skip
    named = {"key": key, "UploadId": upload["UploadId"]}
    whole, parts = there["ContentLength"], {}

    async def copy(number: int, begin: int) -> None:
        end = min(whole, begin + size) - 1
        answer = await connection.request(
            "upload_part_copy", attempt_timeout=_PATIENCE, PartNumber=number,
            CopySourceRange=f"bytes={begin}-{end}", **named, **_from(connection, key, there),
        )  # fmt: skip
        parts[number] = answer["CopyPartResult"]["ETag"]

    try:
        await all_of(copy(number, begin) for number, begin in enumerate(range(0, whole, size), 1))
        listed = [{"PartNumber": number, "ETag": parts[number]} for number in sorted(parts)]
        await connection.request(
            "complete_multipart_upload", attempt_timeout=_PATIENCE,
            MultipartUpload={"Parts": listed}, **named,
        )  # fmt: skip
    except BaseException:
        await drop(connection, upload["UploadId"], key)
        raise


def _from(connection: Connection, key: str, there: Mapping[str, Any]) -> dict[str, Any]:
    """The object itself, and only as it was seen."""
    source = {"Bucket": connection.bucket, "Key": connection.prefix + key}
    return {"CopySource": source, "CopySourceIfMatch": there["ETag"]}
