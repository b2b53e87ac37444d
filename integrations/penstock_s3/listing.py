"""Listings: what a page of one says, in the order and the words of the port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import Entry, is_key

if TYPE_CHECKING:
    from penstock_s3.connection import Connection

PAGE: Final = 1000
"""Objects that one request lists or deletes, at most."""


def children(
    connection: Connection, prefix: str, start_after: str, *, page_size: int = PAGE
) -> Iterator[Entry]:
    """What begins with `prefix`, up to the next '/'; page by page, as it is asked for."""
    asked: dict[str, Any] = {"Delimiter": "/", "MaxKeys": page_size}
    if start_after:
        asked["StartAfter"] = connection.prefix + start_after
    for entry in _listed(connection, prefix, asked):
        if entry.key > start_after:
            yield entry


def tree(connection: Connection, folder: str, *, page_size: int = PAGE) -> Iterator[Entry]:
    """Every object below a folder; page by page, as it is asked for."""
    return _listed(connection, folder, {"MaxKeys": page_size})


def entry_of(key: str, answer: Mapping[str, Any]) -> Entry:
    """What the answer to a request about one object says."""
    return Entry(key, answer["ContentLength"], seconds(answer["LastModified"]))


def seconds(moment: datetime) -> float:
    """Since 1970, and whole: that is all that some requests tell, and times are compared."""
    return float(int(moment.timestamp()))


def _listed(connection: Connection, prefix: str, asked: dict[str, Any]) -> Iterator[Entry]:
    asked["Prefix"] = connection.prefix + prefix
    while True:
        page = connection.run(connection.request("list_objects_v2", **asked))
        yield from sorted(_entries(page, connection.prefix), key=lambda entry: entry.key)
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _entries(page: Mapping[str, Any], base: str) -> Iterator[Entry]:
    for item in page.get("CommonPrefixes", ()):
        key = item["Prefix"].removeprefix(base)
        if is_key(key.removesuffix("/")):
            yield Entry(key, 0, 0.0)
    for item in page.get("Contents", ()):
        key = item["Key"].removeprefix(base)
        if is_key(key):
            yield Entry(key, item["Size"], seconds(item["LastModified"]))
