"""The bucket: whether it can be used, and making one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import MissingExtra, PenstockError
from penstock.model.component import Finding
from penstock_s3.asked import Failed, Refused, Unanswered
from penstock_s3.refusals import ELSEWHERE, STRANGE

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

_ABOUT: Final = {
    **dict.fromkeys(("NoSuchBucket", "InvalidBucketName", "AllAccessDisabled"), "bucket"),
    **dict.fromkeys(("AccessDenied", "403", "MethodNotAllowed"), "permissions"),
    **dict.fromkeys(("Proxy", "TLS", *STRANGE), "endpoint"),
    **dict.fromkeys(ELSEWHERE, "region"),
    "RequestTimeTooSkewed": "clock",
}
"""What is wrong, by the code of a cause that does not pass; mostly it is the credentials."""

_BEFORE: Final[dict[str, tuple[str, ...]]] = {
    "endpoint": (),
    "bucket": ("endpoint", "credentials"),
    "permissions": ("endpoint", "credentials"),
}
"""What is right if that is wrong; mostly there is a server."""

_APART: Final = 300.0
"""Seconds by which clocks may differ before somebody should know."""


def seen(connection: Connection) -> Iterator[Finding]:
    """Whether the server is there, knows who asks, and has the bucket; and what time it is there.

    Ends with the first thing that is wrong.
    """
    try:
        answer = connection.run(connection.request("list_objects_v2", MaxKeys=1))
    except Failed as error:
        what = (
            "endpoint" if isinstance(error, Unanswered) else _ABOUT.get(error.code, "credentials")
        )
        before = _BEFORE.get(what, ("endpoint",)) if error.code != "NoCredentials" else ()
        yield from (Finding(passed, True) for passed in before)
        yield Finding.of(what, error)
        return
    except PenstockError as error:  # nobody was asked
        yield Finding.of("library" if isinstance(error, MissingExtra) else "options", error)
        return
    yield from (Finding(what, True) for what in ("endpoint", "credentials", "bucket"))
    apart = time.time() - moment_of(answer)
    if abs(apart) > _APART:
        yield Finding(
            "clock", True,
            f"This machine's clock is {abs(apart) / 60:,.0f} minutes "
            f"{'ahead of' if apart > 0 else 'behind'} the server's.",
            "timedatectl set-ntp true",
        )  # fmt: skip
    else:
        yield Finding("clock", True)


async def make(connection: Connection) -> bool:
    """Make the bucket, unless it is there; whether it was made now, as far as the server says."""
    if await _is_there(connection):
        return False
    client = await connection.line.client()
    region = client.meta.region_name
    given: dict[str, Any] = {}
    if region and region not in ("us-east-1", "aws-global"):
        given["CreateBucketConfiguration"] = {"LocationConstraint": region}
    try:
        await connection.request("create_bucket", **given)
    except Refused as error:
        if error.code == "BucketAlreadyExists":  # some servers say no more than this
            with suppress(Refused):
                await connection.request("list_objects_v2", MaxKeys=1)
                return False
        if error.code != "BucketAlreadyOwnedByYou":
            raise
        return False
    return True


async def remove(connection: Connection) -> bool | None:
    """Remove the bucket if nothing is in it; None if something is, and False if it is not there.

    S3 refuses to remove a bucket with anything in it, were it written in this very moment. It is
    looked into all the same: not every server is as careful.
    """
    try:
        if (await connection.request("list_objects_v2", MaxKeys=1)).get("Contents"):
            return None
        await connection.request("delete_bucket")
    except Refused as error:
        if error.code == "BucketNotEmpty":  # old versions of objects, which no listing has
            return None
        if error.code == "NoSuchBucket":
            return False
        raise
    return True


async def _is_there(connection: Connection) -> bool:
    """Whether it can be listed. A no for another reason is told by who makes it."""
    try:
        await connection.request("list_objects_v2", MaxKeys=1)
    except Refused:
        return False
    return True


def moment_of(answer: Mapping[str, Any]) -> float:
    """When the server has answered, by its own clock; seconds since 1970."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    try:
        return parsedate_to_datetime(date).timestamp() if date else time.time()
    except ValueError:
        return time.time()
