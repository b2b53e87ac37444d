"""Where a store lies: a bucket, and what its keys begin with there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from penstock.artifacts.store import is_key
from penstock.errors import BadConfiguration

_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
"""What some server takes for the name of a bucket; which of these do, it says itself."""

_LEGAL: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""The names that S3 gives; others are those of servers that are less strict."""

RULE: Final = "3 to 63 lower-case letters, digits, '-' and '.'"
"""The same in words."""

_HINT: Final = "Write the bucket and a folder in it, for example path='s3://bucket/penstock'."


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in a bucket, or all of it."""

    bucket: str
    prefix: str
    """What every key begins with; it ends in '/' unless it is empty."""

    @classmethod
    def of(cls, path: str, name: str) -> Self:
        """The place that a path leads to. `name` is the store's, to be told of. Raises
        `BadConfiguration`."""
        scheme, slashes, rest = path.partition("://")
        bucket, _, folder = rest.partition("/")
        folder = folder.removesuffix("/")
        said = f"The artifact store {name!r} has path={shown(path)!r}"
        if shown(path) != path:
            raise BadConfiguration(
                f"{said}, with more in it than a bucket and a folder.",
                hint="Write credentials as key and secret, and the server as endpoint_url.",
            )
        if scheme.lower() not in ("s3", "s3a") or not slashes:
            raise BadConfiguration(f"{said}, which is no s3:// URL.", hint=_HINT)
        if not _BUCKET.fullmatch(bucket):
            raise BadConfiguration(f"{said}, and {bucket!r} is no name of a bucket.", hint=_HINT)
        if folder and not is_key(folder):
            raise BadConfiguration(
                f"{said}, and {folder!r} is no folder: it has names of letters, digits, '_', '-' "
                "and '.' with one '/' in between, and none begins with a '.'.",
                hint=_HINT,
            )
        return cls(bucket, f"{folder}/" if folder else "")

    @property
    def url(self) -> str:
        """How people write it."""
        return f"s3://{self.bucket}/{self.prefix}"


def is_legal(bucket: str) -> bool:
    """Whether S3 itself has buckets of this name."""
    return _LEGAL.fullmatch(bucket) is not None


def shown(url: str) -> str:
    """A URL without what may be a secret in it: what stands before a '@' or behind a '?'."""
    scheme, slashes, rest = url.partition("://") if "://" in url else ("", "", url)
    rest, asked, _ = rest.partition("?")
    _, at, rest = rest.rpartition("@")
    return f"{scheme}{slashes}{'***' if at else ''}{at}{rest}{asked}{'***' if asked else ''}"
