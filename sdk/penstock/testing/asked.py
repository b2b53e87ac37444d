"""What somebody asks of a server, as S3 understands it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from penstock.testing.messages import Head

_BY_QUERY: Final[Mapping[str, Mapping[str, str]]] = {
    "PUT": {"partNumber": "part"},
    "POST": {"delete": "delete all", "uploads": "start", "uploadId": "complete"},
    "GET": {"uploads": "list uploads", "uploadId": "list parts", "location": "locate"},
    "DELETE": {"uploadId": "abort"},
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request, before anything is done about it."""

    head: Head
    number: int
    """How many there were before it."""
    before: int
    """How many of those had the same method, address and range."""
    data: bytes
    """The body, if it is small."""

    @property
    def method(self) -> str:
        return self.head.first.split(" ", 1)[0]

    @property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(urlsplit(self._target).query, keep_blank_values=True))

    @property
    def bucket(self) -> str:
        return self._names[0]

    @property
    def key(self) -> str:
        """The object's, with all prefixes; empty if a bucket is meant."""
        return self._names[2]

    @property
    def kind(self) -> str:
        """Of objects "put", "get", "head", "list", "delete", "copy", "delete all"; of multipart
        uploads "start", "part", "complete", "abort", "list uploads"; "make bucket", …"""
        query = self.query
        for name, kind in _BY_QUERY.get(self.method, {}).items():
            if name in query:
                return kind
        if not self.key:
            named = {"GET": "list", "PUT": "make bucket"}
            return named.get(self.method, f"{self.method.lower()} bucket")
        return "copy" if self.head["x-amz-copy-source"] else self.method.lower()

    @property
    def _target(self) -> str:
        return self.head.first.split(" ", 2)[1]

    @property
    def _names(self) -> tuple[str, str, str]:
        return unquote(urlsplit(self._target).path).lstrip("/").partition("/")
