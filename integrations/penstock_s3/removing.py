"""Deleting: one object, what is older, and everything in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from penstock.artifacts.store import is_key
from penstock.errors import NoSuchKey
from penstock_s3.asked import Changed, Refused
from penstock_s3.causes import Incomplete
from penstock_s3.listing import PAGE, seconds
from penstock_s3.refusals import PASSING
from penstock_s3.several import found

if TYPE_CHECKING:
    from penstock_s3.connection import Connection


async def delete(connection: Connection, key: str) -> None:
    """Remove one object. Raises `NoSuchKey`, which a deletion by itself does not tell."""
    await connection.request("head_object", key=key)
    await connection.request("delete_object", key=key)


async def discard(connection: Connection, key: str, before: float) -> bool:
    """Remove an object that is older; whether it was. Raises `NoSuchKey`.

    Where the server can, what was written anew meanwhile stays. What was only touched meanwhile,
    which is a matter of milliseconds, does not: its ETag is the same.
    """
    abilities = await connection.known_abilities()
    there = await connection.request("head_object", key=key)
    if seconds(there["LastModified"]) >= before:
        return False
    condition = {"IfMatch": there["ETag"]} if abilities.conditional_deletes else {}
    try:
        await connection.request("delete_object", key=key, **condition)
    except Changed:
        return False
    except NoSuchKey:  # an answer was lost, and the deletion was not
        return True
    return True


async def delete_all(connection: Connection, folder: str, *, page_size: int = PAGE) -> None:
    """Remove every object whose key begins with this, page by page."""
    asked: dict[str, Any] = {"Prefix": connection.prefix + folder, "MaxKeys": page_size}
    while True:
        page = await connection.request("list_objects_v2", **asked)
        listed = [item["Key"] for item in page.get("Contents", ())]
        keys = [key for key in listed if is_key(key.removeprefix(connection.prefix))]
        await _deleted(connection, folder, keys)
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


async def _deleted(connection: Connection, folder: str, keys: Sequence[str]) -> None:
    """Remove these, by whole keys."""
    if not keys:
        return
    left = list(keys)

    async def attempt() -> None:
        named = {"Objects": [{"Key": key} for key in left], "Quiet": True}
        answer = await connection.once("delete_objects", Delete=named)
        failed = answer.get("Errors", ())
        left[:] = [item["Key"] for item in failed]
        if left and all(item.get("Code") in PASSING for item in failed):
            raise Incomplete(f"{len(left)} objects are left")

    with suppress(Refused):  # some servers delete one object by one request only
        await connection.repeated("delete_objects", attempt, key=folder)

    async def singly(key: str) -> None:
        await connection.request("delete_object", key=key)

    await found(
        singly, (key.removeprefix(connection.prefix) for key in left), connection.concurrency
    )
