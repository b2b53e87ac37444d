"""Asking: one request to the API of Kubeflow Pipelines, and what came back.

By Python's own `http.client`. The client that comes with kfp follows a redirect to the page where
one logs in and makes an empty run of that page, waits for ever unless it is told in one certain
type, and warns all of a process when a certificate is not to be checked.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import (
    HTTP_PORT,
    HTTPS_PORT,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
)
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, urlencode, urljoin, urlsplit

if TYPE_CHECKING:
    from penstock_kubeflow.ways import Way

CONNECT: Final = 5.0
"""Seconds until a server has taken a connection."""

PATIENCE: Final = 30.0
"""Seconds in which a server may say nothing."""

LONGEST: Final = 60.0
"""Seconds that an answer may take altogether."""

_MOST: Final = 1 << 26
"""Bytes of an answer that are read."""

_PIECE: Final = 1 << 16
_AS_IT_IS: Final = "/%:@!$&'()*+,;=~"
"""What a path may have in it; the rest is written in another way."""

_WORDS: Final = 400
"""Characters of what a server says that are shown: of a long story the beginning and the end, for
Kubeflow wraps the cause into what failed of it."""

_SECRET: Final = 8
"""Letters from which on a word of what lets one in is not shown."""

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server has said; its status is 0 if it has said nothing."""

    status: int
    data: Mapping[str, Any] | None = None
    """The JSON object that it has sent, if it was one."""
    to: str = ""
    """Where it sends one on."""
    why: str = ""
    """Why there was no answer, in words."""
    cure: str = "Is it running, and can this machine reach it?"
    unsure: bool = False
    """Whether the server may have done what it was asked although it does not say so, or may do it
    if it is asked again: it has got the request, and there was no answer, or half of one, or it
    says that something broke. A connection that was refused is not that."""

    @property
    def is_it(self) -> bool:
        """Whether the API has answered and has done it, and this is not a page for people."""
        return 200 <= self.status < 300 and self.data is not None

    @property
    def said(self) -> str:
        """The words of the server, without the trace of its own code."""
        text = str((self.data or {}).get("message") or (self.data or {}).get("error") or "")
        words = " ".join(re.split(r"\n\S+\n\t|\ngoroutine \d", text)[0].split()).rstrip(".")
        if len(words) <= _WORDS:
            return words
        return f"{words[: _WORDS // 2]} … {words[-_WORDS // 2 :]}"

    @property
    def told(self) -> str:
        """In words."""
        if self.to:
            return f"{self.status}, and sends one on to {self.to}"
        if self.status == 200 and self.data is None:
            return "with a page for people, not with JSON"
        return f"{self.status}: {self.said}" if self.said else f"{self.status}"


class Asking:
    """Asks by one way. Each request has a connection of its own: one that was kept and is closed by
    the server at that moment would leave open what became of the request.

    Nothing is repeated, but for who was not let in with a token that has changed since. `patience`
    is the time in seconds in which the server may say nothing.
    """

    def __init__(self, way: Way, patience: float) -> None:
        self._way = way
        self._patience = patience

    def get(self, url: str, query: Mapping[str, str] | None = None) -> Answer:
        """What the server says to that."""
        return self._ask("GET", f"{url}?{urlencode(query)}" if query else url)

    def post(self, url: str, body: Any = None) -> Answer:
        """The same, of something to do; `body` is sent as JSON, None as nothing."""
        return self._ask("POST", url, b"" if body is None else _encoded(body).encode())

    def delete(self, url: str) -> Answer:
        """The same, of something to delete."""
        return self._ask("DELETE", url)

    def _ask(self, method: str, url: str, body: bytes | None = None) -> Answer:
        """Raises `MissingReference` for a token or certificates that are not there."""
        shown = self._way.headers()
        found = self._once(method, url, body, shown)
        if found.status == 401 and (renewed := self._way.headers(anew=True)) != shown:
            return self._once(method, url, body, renewed)
        return found

    def _once(self, method: str, url: str, body: bytes | None, shown: Mapping[str, str]) -> Answer:
        """One request. What lets one in is not in the answer, should the server repeat it."""
        answer = self._sent(method, url, body, shown)
        return answer if answer.is_it else _masked(answer, shown)

    def _sent(self, method: str, url: str, body: bytes | None, shown: Mapping[str, str]) -> Answer:
        try:
            connection = self._connected(urlsplit(url))
        except (OSError, HTTPException, ValueError) as error:
            return _none(error, CONNECT)
        headers = {"Accept": "application/json", "Connection": "close", **shown}
        if body:
            headers["Content-Type"] = "application/json"
        with closing(connection):
            try:
                return self._answered(connection, method, url, body, headers)
            except (OSError, HTTPException, ValueError) as error:
                return _none(error, self._patience, unsure=True)

    def _connected(self, parts: SplitResult) -> HTTPConnection:
        """Knows no proxy, for kfp asks none either."""
        host, port = parts.hostname or "", parts.port
        made: HTTPConnection
        if parts.scheme == "https":
            trusted, name = self._way.trusted(), self._way.tls_name
            made = _Secured(host, port or HTTPS_PORT, CONNECT, trusted, name)
        else:
            made = HTTPConnection(host, port or HTTP_PORT, timeout=CONNECT)
        made.connect()
        made.sock.settimeout(self._patience)
        return made

    def _answered(
        self,
        connection: HTTPConnection,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> Answer:
        parts = urlsplit(url)
        path = quote(parts.path or "/", safe=_AS_IT_IS) + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, path, body, dict(headers))
        except ConnectionError:
            return _answer(url, connection.getresponse())  # it may have answered half a request
        return _answer(url, connection.getresponse())


class _Secured(HTTPSConnection):
    """Expects a certificate for another name than the server is reached by, if there is one."""

    def __init__(
        self, host: str, port: int, timeout: float, trusted: ssl.SSLContext, name: str
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=trusted)
        self._trusted, self._name = trusted, name or host

    def connect(self) -> None:
        HTTPConnection.connect(self)
        self.sock = self._trusted.wrap_socket(self.sock, server_hostname=self._name)


def _masked(answer: Answer, shown: Mapping[str, str]) -> Answer:
    """Tokens and cookies are long; of what is short, each of its letters would be masked."""
    words = {word for text in shown.values() for word in (text, *re.split(r"[ ;=]+", text))}
    secret = sorted((word for word in words if len(word) >= _SECRET), key=len, reverse=True)
    if not secret or answer.data is None:
        return replace(answer, to=_without(secret, answer.to))
    data = {
        name: _without(secret, each) if isinstance(each, str) else each
        for name, each in answer.data.items()
    }
    return replace(answer, data=data, to=_without(secret, answer.to))


def _without(secret: list[str], text: str) -> str:
    for word in secret:
        text = text.replace(word, "***")
    return text


def _answer(url: str, found: HTTPResponse) -> Answer:
    to = urljoin(url, found.headers.get("Location", "")) if 300 <= found.status < 400 else ""
    text = _read(found)
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    is_cut = data is None and "json" in found.headers.get("Content-Type", "")
    unsure = found.status >= 500 or (is_cut and found.status < 300)
    return Answer(found.status, data if isinstance(data, dict) else None, to, unsure=unsure)


def _read(found: HTTPResponse) -> bytes:
    """All of it. Raises `OSError` if it ends too early or never."""
    end = time.monotonic() + LONGEST
    pieces: list[bytes] = []
    while piece := found.read(_PIECE):
        pieces.append(piece)
        if time.monotonic() > end or len(pieces) * _PIECE > _MOST:
            raise OSError("its answer did not come to an end")
    if found.length:
        raise OSError("its answer broke off")
    return b"".join(pieces)


def _none(reason: Exception, seconds: float, *, unsure: bool = False) -> Answer:
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted here ({reason.verify_message})"
        return Answer(0, why=why, cure="Write the file of its authority: ca_bundle: ca.pem")
    if isinstance(reason, ssl.SSLError) and not unsure:
        return Answer(0, why=f"it speaks no TLS ({reason.reason})", cure="Write: host: http://…")
    if isinstance(reason, TimeoutError):
        return Answer(0, why=f"nothing came for {seconds:g} seconds", unsure=unsure)
    text = (isinstance(reason, OSError) and reason.strerror) or str(reason)
    return Answer(0, why=text.rstrip("."), unsure=unsure)
