"""What a server can do that not every one can: found out by trying, once for each store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Self

from penstock.artifacts.store import PROBES
from penstock.errors import KeyTaken, StoreUnavailable
from penstock_s3.asked import Changed, Refused
from penstock_s3.etags import Md5

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

NONCE: Final = "penstock"
"""The name under which an object keeps who wrote it."""

_DATA: Final = b"penstock tries out what this server can do"
_OTHER: Final = f'"{0:032}"'
"""The ETag of nothing that is there."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """By default those of Amazon S3."""

    conditional_writes: bool = True
    """Whether `If-None-Match: *` keeps a second writer out."""
    conditional_deletes: bool = True
    """Whether `If-Match` keeps a deletion from what was changed."""
    metadata: bool = True
    """Whether an object keeps who wrote it."""
    md5_etags: bool = True
    """Whether the ETag of an object is the MD5 of its bytes, where it looks like one."""

    @classmethod
    def told(cls, told: Mapping[str, Any]) -> Self | None:
        """What was found out before; None if that cannot be."""
        found = {field.name: told.get(field.name) for field in fields(cls)}
        if all(type(item) is bool for item in found.values()):
            return cls(**found)  # type: ignore[arg-type] # all are bool
        return None

    def as_data(self) -> dict[str, bool]:
        """For JSON."""
        return asdict(self)


def nonce_of(answer: Mapping[str, Any]) -> str | None:
    """Who wrote an object. Some servers change how the name is written."""
    for name, value in answer.get("Metadata", {}).items():
        if name.lower() == NONCE:
            return str(value)
    return None


async def probed(connection: Connection) -> Abilities:
    """What the server can do. One object is written and deleted again."""
    nonce = os.urandom(8).hex()
    key = f"{PROBES}/{nonce}"
    written: dict[str, Any] = {"key": key, "Metadata": {NONCE: nonce}, **connection.sealed()}
    try:
        wrote = await connection.request("put_object", Body=_DATA, **written)
        # An empty object: there are servers for which that is no write that could be refused.
        writes = await _refused(connection, "put_object", IfNoneMatch="*", Body=b"", **written)
        there = await connection.request("head_object", key=key)
        deletes = await _refused(connection, "delete_object", key=key, IfMatch=_OTHER)
        # Two answers, of which one may have been damaged on its way.
        odd = Md5([_DATA]).fits(wrote), Md5([_DATA if writes else b""]).fits(there)
        return Abilities(writes, deletes, nonce_of(there) == nonce, odd != (False, False))
    finally:
        with suppress(StoreUnavailable):  # a permission may be missing; `gc` looks here as well
            await connection.request("delete_object", key=key)


async def _refused(connection: Connection, operation: str, **parameters: Any) -> bool:
    """Whether the server keeps to a condition that does not hold."""
    try:
        await connection.request(operation, **parameters)
    except (KeyTaken, Changed):
        return True
    except Refused:  # it does not know the condition, or does not permit the operation
        return False
    return False
