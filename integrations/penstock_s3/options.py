"""Options: what can be told wrong of a store before anybody is asked."""

from __future__ import annotations

import math
import os
import re
from typing import TYPE_CHECKING, Final, NoReturn
from urllib.parse import urlsplit

from penstock.errors import BadConfiguration
from penstock.model.component import Secret
from penstock.model.plain import is_number
from penstock_s3 import extra
from penstock_s3.parts import SMALLEST
from penstock_s3.place import RULE, Place, is_legal, shown

if TYPE_CHECKING:
    from penstock_s3.store import S3ArtifactStore

LARGEST: Final = 5 << 30
"""Bytes of a part that servers take, at most."""

_TEXTS: Final = (
    "path", "endpoint_url", "region", "profile", "addressing_style", "ca_bundle", "kms_key",
    "part_size",
)  # fmt: skip
_SECRETS: Final = ("key", "secret", "token")

_REGION: Final = re.compile(r"(?![0-9]+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
"""What may stand in the name of a host; botocore takes no other."""

AMAZON: Final = "Amazon S3"
_SERVERS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Where the environment says that the server is not Amazon's."""


def check(store: S3ArtifactStore) -> None:
    """Raises `BadConfiguration`."""
    _check_types(store)
    _check_bucket(store)
    if not store.endpoint_url.startswith("${"):
        _check_endpoint(store)
    if store.region and "${" not in store.region and not _REGION.fullmatch(store.region):
        _refuse(
            store, f"has region={store.region!r}, which is no name of a region",
            "Write for example region='eu-central-1'.",
        )  # fmt: skip
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
    for what, hint in extra.wrong(store.extra):
        _refuse(store, what, hint)


def _check_types(store: S3ArtifactStore) -> None:
    """Code may give anything; what a file gives has its type."""
    for option in _TEXTS:
        if not isinstance(value := getattr(store, option), str):
            _refuse(store, f"has {option}={value!r}, and that is no text", "Write it in quotes.")
    for option in _SECRETS:
        if not isinstance(value := getattr(store, option), Secret | None):
            _refuse(store, f"has a {option} that is a {type(value).__name__}", "Write it as text.")
    if type(store.concurrency) is not int:
        _refuse(
            store, f"has concurrency={store.concurrency!r}, and that is no whole number",
            "Write for example concurrency=32.",
        )  # fmt: skip
    if not is_number(store.deadline) or not math.isfinite(store.deadline):
        _refuse(
            store, f"has deadline={store.deadline!r}, and that is no number of seconds",
            "Write for example deadline=60.",
        )  # fmt: skip


def server_of(store: S3ArtifactStore) -> str:
    """The server as far as options and environment name one; by default Amazon's."""
    named = (os.environ.get(name) for name in _SERVERS)
    return shown(store.endpoint_url or next(filter(None, named), "")) or AMAZON


def _check_bucket(store: S3ArtifactStore) -> None:
    bucket = Place.of(store.path, store.name).bucket
    if server_of(store) == AMAZON and not is_legal(bucket):
        _refuse(
            store, f"has path={store.path!r}, and Amazon S3 has no bucket named {bucket!r}",
            f"Use {RULE}. If it is on another server, write its endpoint_url.",
        )  # fmt: skip


def _check_endpoint(store: S3ArtifactStore) -> None:
    if not store.endpoint_url:
        return
    if "@" in store.endpoint_url:
        _refuse(store, "has credentials in its endpoint_url", "Write them as key and secret.")
    if not _is_server(store.endpoint_url):
        _refuse(
            store, f"has endpoint_url={shown(store.endpoint_url)!r}, which is no URL of a server",
            "Write for example endpoint_url='https://minio.example:9000'.",
        )  # fmt: skip


def _is_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _refuse(store: S3ArtifactStore, what: str, hint: str) -> NoReturn:
    raise BadConfiguration(f"The artifact store {store.name!r} {what}.", hint=hint)
