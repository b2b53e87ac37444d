"""Signatures, as botocore makes them, for requests whose body is not part of what is signed.

Its own way takes about as long as it takes to send a small request. Here the key of a day is kept.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from botocore.credentials import Credentials

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_UNSIGNED: Final = "UNSIGNED-PAYLOAD"
_END: Final = "aws4_request"

_USUAL: Final = {"http": 80, "https": 443}


class Scope(NamedTuple):
    """What a signature is good for."""

    region: str
    service: str


class Signer:
    """Signs requests of one scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._key = b""
        self._key_of = ("", "")
        """The secret and the day that the key was made from."""

    def headers(
        self, method: str, url: str, credentials: Credentials, further: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers of a request that has these `further` ones. The URL has no query."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time()))  # not the last tick's
        headers = {**further, "X-Amz-Date": now, "X-Amz-Content-SHA256": _UNSIGNED}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        scheme, _, host, path = url.split("/", 3)
        signed = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        signed["host"] = _host(scheme, host)
        names = ";".join(sorted(signed))
        lines = "".join([f"{name}:{signed[name]}\n" for name in sorted(signed)])
        request = f"{method}\n/{path}\n\n{lines}\n{names}\n{_UNSIGNED}"
        scope = f"{now[:8]}/{self._scope.region}/{self._scope.service}/{_END}"
        text = f"{_ALGORITHM}\n{now}\n{scope}\n{sha256(request.encode()).hexdigest()}"
        signature = digest(self._key_for(credentials.secret_key, now[:8]), text.encode(), "sha256")
        headers["Authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, "
            f"Signature={signature.hex()}"
        )
        return headers

    def _key_for(self, secret: str, day: str) -> bytes:
        """Good for a day."""
        if self._key_of != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, *self._scope, _END):
                key = digest(key, part.encode(), "sha256")
            self._key, self._key_of = key, (secret, day)
        return self._key


@lru_cache(maxsize=8)
def _host(scheme: str, netloc: str) -> str:
    """The header that every client adds: the port is in it only if it is an unusual one."""
    place = urlsplit(f"{scheme}//{netloc}")
    host = place.hostname or ""
    host = f"[{host}]" if ":" in host else host
    usual = place.port in (None, _USUAL.get(place.scheme))
    return host if usual else f"{host}:{place.port}"
