"""Stores on a server that was started for a test."""

from __future__ import annotations

from typing import Any, Protocol

from servers import KEY, REGION, SECRET, Server

from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore


class Made(Protocol):
    """Makes a store under a prefix of one bucket, by way of a proxy if there is one."""

    bucket: str

    def __call__(
        self, prefix: str = "", *, through: FaultProxy | None = None, **options: Any
    ) -> S3ArtifactStore: ...


class _Maker:
    def __init__(self, server: Server) -> None:
        self._server = server
        self.bucket = server.bucket()

    def __call__(
        self, prefix: str = "", *, through: FaultProxy | None = None, **options: Any
    ) -> S3ArtifactStore:
        where = {
            "path": f"s3://{self.bucket}/{prefix}".rstrip("/"),
            "endpoint_url": through.url if through else self._server.url,
        }
        who = {"key": KEY, "secret": SECRET, "region": REGION}
        return S3ArtifactStore(**{"name": "tested", **where, **who, **options})


def maker(server: Server) -> Made:
    """Makes stores in a new bucket of this server."""
    return _Maker(server)
