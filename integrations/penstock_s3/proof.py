"""Proof that what has arrived is what was sent, or that a server has ETags of another kind."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from penstock.artifacts.store import PROBES
from penstock_s3.etags import Md5

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

_TIMES: Final = 2
"""Objects whose ETags must not fit, each in two answers: one may be damaged on its way."""


async def are_md5(connection: Connection) -> bool:
    """Whether an ETag that does not fit means other bytes: tried out by the first who sees one, in
    the middle of an attempt, with objects that are deleted again."""
    if connection.etags_are_md5 and not connection.etags_proven:
        async with connection.line.turns(f"etags of {connection.url()}"):
            if not connection.etags_proven:
                connection.etags_are_md5 = not await _are_odd(connection)
                connection.etags_proven = True
    return connection.etags_are_md5


async def _are_odd(connection: Connection) -> bool:
    for _ in range(_TIMES):
        if not await _is_odd(connection):
            return False
    return True


async def _is_odd(connection: Connection) -> bool:
    """Whether an object comes back as it was written, under an ETag that does not fit."""
    # No `request`: whoever asks has a slot of the line, and another one might never be free.
    data = os.urandom(64)
    md5, key = Md5([data]), f"{PROBES}/{os.urandom(8).hex()}"
    try:
        wrote = await connection.once("put_object", key=key, Body=data, **connection.sealed())
        answer = await connection.once("get_object", key=key)
        async with answer["Body"] as body:
            same = await body.read() == data
        return same and md5.fits(wrote) is False and md5.fits(answer) is False
    finally:
        with suppress(Exception):  # of whatever kind: `gc` looks here as well
            await connection.once("delete_object", key=key)
