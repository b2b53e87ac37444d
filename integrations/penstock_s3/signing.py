"""Signatures of version 4, for requests whose body is not part of what is signed."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Final, NamedTuple

_UNSIGNED: Final = "UNSIGNED-PAYLOAD"


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


class Credentials(NamedTuple):
    """Who signs."""

    key: str
    secret: str
    token: str | None


class Signer:
    """Signs requests of one scope. A day's key is computed once."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._day: tuple[str, str] = ("", "")
        self._key = b""

    def headers(
        self, method: str, host: str, path: str, credentials: Credentials,
        further: Mapping[str, str], at: float | None = None,
    ) -> dict[str, str]:  # fmt: skip
        """The headers of a request that has these `further` ones, whose names are in lower case.

        `path` is as it stands in the URL, and there is no query.
        """
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        made = {"x-amz-content-sha256": _UNSIGNED, "x-amz-date": moment, **further}
        if credentials.token:
            made["x-amz-security-token"] = credentials.token
        # Everything of Amazon's has to be signed, and the host.
        signed = {"host": host} | {
            name: value for name, value in made.items() if name.startswith("x-amz-")
        }
        names = sorted(signed)
        lines = "".join(f"{name}:{signed[name]}\n" for name in names)
        listed = ";".join(names)
        canonical = f"{method}\n{path}\n\n{lines}\n{listed}\n{_UNSIGNED}"
        about = f"{moment[:8]}/{self._scope.region}/{self._scope.service}/aws4_request"
        text = (
            f"AWS4-HMAC-SHA256\n{moment}\n{about}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        )
        key = self._key_of(moment[:8], credentials.secret)
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        made["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.key}/{about}, "
            f"SignedHeaders={listed}, Signature={signature}"
        )
        return made

    def _key_of(self, day: str, secret: str) -> bytes:
        if self._day != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, *self._scope, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._key = (day, secret), key
        return self._key
