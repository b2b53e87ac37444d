"""A bucket as an artifact store."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeVar

from penstock.artifacts.distant import FRESH, DistantStore
from penstock.artifacts.draft import Draft
from penstock.artifacts.source import Source
from penstock.artifacts.store import Buffer, Entry, check_key, check_prefix
from penstock.errors import StoreUnavailable
from penstock.model.component import Finding, Secret
from penstock.model.resources import size_bytes
from penstock.stack.install import library
from penstock_s3 import bucket, downloading, options, removing, small, uploading
from penstock_s3.abilities import Abilities
from penstock_s3.bucket import moment_of
from penstock_s3.connection import Connection
from penstock_s3.dialled import Dialled
from penstock_s3.listing import children, entry_of, tree
from penstock_s3.parcel import Parcel
from penstock_s3.parts import cut
from penstock_s3.place import Place
from penstock_s3.several import found
from penstock_s3.touching import touch
from penstock_s3.unfinished import abort, parsed, unfinished

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

R = TypeVar("R")

CHECK: Final = 8.0
"""Seconds after which a check gives up what does not work."""


@dataclass(frozen=True, kw_only=True)
class S3ArtifactStore(DistantStore):
    """Keeps artifacts in a bucket of Amazon S3, or of a server that speaks like it."""

    flavor: ClassVar[str] = "s3"
    makes: ClassVar[str] = "its bucket; one with anything in it is never removed"

    path: str = field()  # without the default of the port: it has to be given
    """The bucket and a folder in it, for example s3://bucket/penstock."""
    endpoint_url: str = ""
    """The server, for example https://minio.example:9000; by default Amazon's."""
    region: str = ""
    """Where the bucket lies, for example eu-central-1; by default what the AWS files say."""
    profile: str = ""
    """The profile of the AWS files that credentials and region are taken from."""
    key: Secret | None = None
    """The access key; without one the usual AWS chain finds the credentials."""
    secret: Secret | None = None
    """What belongs to the access key."""
    token: Secret | None = None
    """The session token, of credentials that end."""
    addressing_style: Literal["auto", "path", "virtual"] = "auto"
    """Whether the bucket stands in the path of URLs or in their host; servers of one's own mostly
    take the path, and that is what they get by default."""
    ca_bundle: str = ""
    """A file with the certificates of authorities to trust instead of the usual ones."""
    kms_key: str = ""
    """The KMS key that objects are encrypted with; by default the bucket's own settings count."""
    concurrency: int = 32
    """Connections that are open at the same time."""
    part_size: str = "16MiB"
    """The size of the parts that large objects travel in."""
    deadline: float = 60.0
    """Seconds after which what does not work is given up."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of s3fs.S3FileSystem."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("key", "secret", "token"):
            if isinstance(given := getattr(self, name), str):
                object.__setattr__(self, name, Secret(given))
        options.check(self)

    def placed(self, root: Path) -> Self:
        if not self.ca_bundle:
            return self
        return replace(self, ca_bundle=os.path.join(root, os.path.expanduser(self.ca_bundle)))

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        connection = self._reached(key)
        parts = cut(buffers, connection.part_size)
        connection.run(uploading.store(connection, key, parts, exclusive=exclusive))

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        connection = self._connection
        if len(data) > connection.part_size:
            return super().publish(keys, data)
        names = [check_key(key) for key in keys]
        return connection.run(small.publish(connection, names, bytes(data)))

    def get(self, key: str) -> Buffer:
        connection = self._reached(key)
        return connection.run(downloading.fetch(connection, key)).data

    def read(self, key: str, seen: Callable[[Buffer], object]) -> Buffer:
        connection = self._reached(key)
        return connection.run(downloading.fetch(connection, key, seen)).data

    def draft(self, source: Source) -> Draft:
        return Parcel(self._connection, source)

    def use(self, key: str) -> Buffer:
        connection = self._reached(key)
        return connection.run(_used(connection, key))

    def stat(self, key: str) -> Entry:
        connection = self._reached(key)
        return connection.run(_looked_at(connection, key))

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        check_prefix(prefix)
        yield from children(self._connection, prefix, start_after)

    def tree(self, folder: str) -> Iterator[Entry]:
        check_prefix(folder)
        yield from tree(self._connection, folder)

    def get_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(_got, keys)

    def use_all(self, keys: Iterable[str]) -> dict[str, Buffer]:
        return self._all(_used, keys)

    def stat_all(self, keys: Iterable[str]) -> dict[str, Entry]:
        return self._all(_looked_at, keys)

    def touch(self, key: str) -> None:
        connection = self._reached(key)
        connection.run(touch(connection, key))

    def delete(self, key: str) -> None:
        connection = self._reached(key)
        connection.run(removing.delete(connection, key))

    def discard(self, key: str, before: float) -> bool:
        connection = self._reached(key)
        if (upload := parsed(key)) is not None:
            return connection.run(abort(connection, *upload, before))
        return connection.run(removing.discard(connection, key, before))

    def delete_all(self, folder: str) -> None:
        check_prefix(folder)
        connection = self._connection
        connection.run(removing.delete_all(connection, folder))

    def leftovers(self, before: float) -> Iterator[Entry]:
        yield from unfinished(self._connection, before)

    def clock(self) -> float:
        """The server's: what its answers are dated by."""
        connection = self._connection
        return moment_of(connection.run(connection.request("list_objects_v2", MaxKeys=1)))

    def abilities(self) -> Mapping[str, Any]:
        connection = self._connection
        return connection.run(connection.known_abilities()).as_data()

    def learn(self, abilities: Mapping[str, Any]) -> None:
        connection = self._connection
        if connection.abilities is None and (told := Abilities.told(abilities)) is not None:
            connection.abilities = told
            connection.etags_are_md5 = connection.etags_are_md5 and told.md5_etags

    def remarks(self) -> Iterator[str]:
        yield from super().remarks()
        known = self._connection.abilities
        if known is not None and not known.conditional_writes:
            yield (
                f"the server of {self.path} has no conditional writes: one run at a time is safe "
                "(docs/how-to/s3.md, Other servers)"
            )

    def check(self) -> Iterator[Finding]:
        """With less patience than a run: somebody waits for it, and may ask again."""
        if self.deadline > CHECK:
            yield from replace(self, deadline=CHECK).check()
            return
        seen = list(bucket.seen(self._connection))
        yield from seen
        if all(finding.ok for finding in seen):
            yield from super().check()
            yield from (Finding("conditional writes", True, text) for text in self.remarks())

    @property
    def site(self) -> str:
        place = Place.of(self.path, self.name)
        return f"the bucket {place.bucket} at {options.server_of(self)}"

    def up(self) -> Sequence[str]:
        connection = self._connection
        return (f"made {self.site}",) if connection.run(bucket.make(connection)) else ()

    def down(self, *, force: bool = False) -> Sequence[str]:
        if not force:
            return ()
        connection = self._connection
        removed = connection.run(bucket.remove(connection))
        if removed is None:
            return (f"left {self.site}, for something is in it",)
        return (f"removed {self.site}",) if removed else ()

    @property
    def filesystem(self) -> AbstractFileSystem:
        s3fs = library("s3fs", extra="s3", who="The artifact store flavor 's3'")
        from fsspec.implementations.dirfs import DirFileSystem  # heavy, and only for users

        connection = self._connection
        whole = s3fs.S3FileSystem(**self.dialled().arguments(), use_listings_cache=False)
        return DirFileSystem(f"{connection.bucket}/{connection.prefix}".rstrip("/"), whole)

    @property
    def part_bytes(self) -> int:
        """`part_size` as a number."""
        return size_bytes(self.part_size) or 0

    @property
    def _connection(self) -> Connection:
        return Connection.of(self)

    def _reached(self, key: str) -> Connection:
        check_key(key)
        return Connection.of(self)

    def _all(
        self, one: Callable[[Connection, str], Awaitable[R]], keys: Iterable[str]
    ) -> dict[str, R]:
        connection = self._connection
        wanted = [check_key(key) for key in keys]
        if not wanted:
            return {}

        async def of(key: str) -> R:
            return await one(connection, key)

        return connection.run(found(of, wanted, connection.concurrency))

    def dialled(self) -> Dialled:
        """What makes the line to the server."""
        return Dialled(
            endpoint_url=self.endpoint_url,
            region=self.region,
            profile=self.profile,
            key=self.key,
            secret=self.secret,
            token=self.token,
            addressing_style=self.addressing_style,
            ca_bundle=self.ca_bundle,
            concurrency=self.concurrency,
            deadline=self.deadline,
            extra=json.dumps(dict(self.extra), sort_keys=True, default=repr)
            if self.extra
            else "{}",
        )


async def _got(connection: Connection, key: str) -> Buffer:
    return (await downloading.fetch(connection, key)).data


async def _looked_at(connection: Connection, key: str) -> Entry:
    return entry_of(key, await connection.request("head_object", key=key))


async def _used(connection: Connection, key: str) -> Buffer:
    """Its age comes with it: a young object costs no more than `get`."""
    data, answer = await downloading.fetch(connection, key)
    if moment_of(answer) - answer["LastModified"].timestamp() > FRESH:
        with suppress(StoreUnavailable):  # who may only read relies on what others leave
            await touch(connection, key)
    return data
