"""Writing where nothing is yet, though answers get lost: who won is read back.

Every object keeps a nonce of who wrote it. A write that was refused may have been refused because
an earlier attempt of its own was carried out: then the nonce says so.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from penstock.errors import KeyTaken, NoSuchKey
from penstock_s3.abilities import Abilities, nonce_of
from penstock_s3.attempts import Attempts
from penstock_s3.causes import Incomplete
from penstock_s3.etags import Md5

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

Write: TypeAlias = Callable[[Mapping[str, str]], Awaitable[object]]
"""Writes the object, in one attempt and under these conditions (`IfNoneMatch`, `IfMatch`)."""


def new_nonce() -> str:
    """Nobody else's."""
    return os.urandom(12).hex()


async def exclusively(
    connection: Connection, key: str, nonce: str, write: Write, *,
    md5: Md5 | None = None, attempts: Attempts | None = None,
) -> None:  # fmt: skip
    """Have an object written where nothing is yet. Raises `KeyTaken`.

    `md5` is that of all its bytes, where that is known; `attempts` has the time that there is.
    """
    # Before there is a slot: this may take one itself.
    abilities = await connection.known_abilities()
    writer = _Writer(connection, key, nonce, md5, abilities)
    attempt = writer.conditional if abilities.conditional_writes else writer.looking

    async def one() -> None:
        await attempt(write)

    await connection.repeated("put_object", one, key=key, attempts=attempts)


class _Writer:
    """Somebody who wants a key."""

    def __init__(
        self, connection: Connection, key: str, nonce: str, md5: Md5 | None, abilities: Abilities
    ) -> None:
        self._connection = connection
        self._key = key
        self._nonce = nonce
        self._md5 = md5
        self._abilities = abilities

    async def conditional(self, write: Write) -> None:
        """One attempt where the server keeps others out."""
        try:
            await write({"IfNoneMatch": "*"})
        except KeyTaken:
            found = await self._found()
            if found is None:
                raise Incomplete("something is there, and it is gone") from None
            await self._settle(found, write, IfMatch=str(found["ETag"]))

    async def looking(self, write: Write) -> None:
        """One attempt where it does not: within this process there is still one after the other."""
        async with self._connection.line.turns(self._connection.url(self._key)):
            found = await self._found()
            if found is None:
                await write({})
            else:
                await self._settle(found, write)

    async def _settle(self, found: Mapping[str, Any], write: Write, **condition: str) -> None:
        """What is there is ours, or somebody else was first."""
        fits = self._md5.fits(found) if self._md5 else None
        if not self._is_ours(found, fits):
            raise self._connection.taken(self._key)
        if fits is False and self._connection.etags_are_md5:  # it was damaged on the way
            await write(condition)

    def _is_ours(self, found: Mapping[str, Any], fits: bool | None) -> bool:
        nonce = nonce_of(found)
        if nonce is None and not self._abilities.metadata:
            return bool(fits)  # the server forgets who wrote it: whoever did, wrote the same
        return nonce == self._nonce

    async def _found(self) -> Mapping[str, Any] | None:
        try:
            return await self._connection.once("head_object", key=self._key)
        except NoSuchKey:
            return None
