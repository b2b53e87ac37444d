"""Options: what can be told wrong of a store before anybody is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from penstock.errors import BadConfiguration
from penstock_s3.place import Place

if TYPE_CHECKING:
    from penstock_s3.store import S3ArtifactStore

SMALLEST: Final = 5 << 20
LARGEST: Final = 5 << 30
"""Bytes of a part that servers take."""


def check(store: S3ArtifactStore) -> None:
    """Raises `BadConfiguration`."""
    Place.of(store.path, store.name)
    if not store.endpoint_url.startswith("${"):
        _check_endpoint(store)
    if (store.key is None) != (store.secret is None):
        _refuse(store, "has one of key and secret", "Write both, or none of them.")
    if store.profile and store.key is not None:
        _refuse(store, "has a profile and a key", "Write one of them.")
    if not SMALLEST <= store.part_bytes <= LARGEST:
        _refuse(
            store, f"has part_size={store.part_size!r}, and parts have 5 MiB to 5 GiB",
            "Write for example part_size='16MiB'.",
        )  # fmt: skip
    if store.concurrency < 1:
        _refuse(store, f"has concurrency={store.concurrency!r}", "Write 1 or more.")
    if not store.deadline > 0:
        _refuse(store, f"has deadline={store.deadline!r}", "Write the seconds, for example 60.")
    if store.addressing_style not in ("auto", "path", "virtual"):
        _refuse(
            store, f"has addressing_style={store.addressing_style!r}",
            "Write 'auto', 'path' or 'virtual'.",
        )  # fmt: skip
    _check_extra(store)


def _check_endpoint(store: S3ArtifactStore) -> None:
    if not store.endpoint_url:
        return
    parts = urlsplit(store.endpoint_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        _refuse(
            store, f"has endpoint_url={store.endpoint_url!r}, which is no URL of a server",
            "Write for example endpoint_url='https://minio.example:9000'.",
        )  # fmt: skip
    if parts.username or parts.password:
        _refuse(store, "has credentials in its endpoint_url", "Write them as key and secret.")


def _check_extra(store: S3ArtifactStore) -> None:
    try:
        json.dumps(dict(store.extra))
    except (TypeError, ValueError) as error:
        _refuse(store, f"has an extra that is no plain data ({error})", "Write text and numbers.")


def _refuse(store: S3ArtifactStore, what: str, hint: str) -> NoReturn:
    raise BadConfiguration(f"The artifact store {store.name!r} {what}.", hint=hint)
