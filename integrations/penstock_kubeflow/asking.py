"""Asking: one request to the API of Kubeflow Pipelines, and what came back."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from http.client import HTTPException, HTTPMessage
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
)

from penstock.errors import MissingReference

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

PATIENCE: Final = 5.0
"""Seconds for each request."""

_MOST: Final = 1 << 20
"""Bytes of an answer that are read."""


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

    @property
    def is_it(self) -> bool:
        """Whether the API has answered, and not a page for people."""
        return self.status == 200 and self.data is not None

    @property
    def told(self) -> str:
        """In words."""
        if self.to:
            return f"{self.status}, and sends one on to {self.to}"
        if self.status == 200 and self.data is None:
            return "with a page for people, not with JSON"
        said = (self.data or {}).get("message") or (self.data or {}).get("error") or ""
        words = " ".join(str(said).split())
        return f"{self.status}: {words[:200]}" if words else f"{self.status}"


class Asking:
    """Asks a host as its orchestrator is to: with its token, its cookies and its certificates."""

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        self._kubeflow = kubeflow

    def get(self, url: str) -> Answer:
        """What the server says to that."""
        try:
            request = Request(url, headers=self._headers)
            with self._opener.open(request, timeout=PATIENCE) as found:
                return _answer(url, found.status, found.headers, found.read(_MOST))
        except HTTPError as error:
            with error:
                return _answer(url, error.code, error.headers, error.read(_MOST))
        except URLError as error:
            return _none(error.reason)
        except (OSError, HTTPException, ValueError) as error:
            return _none(error)

    @cached_property
    def _headers(self) -> dict[str, str]:
        """Raises `MissingReference`."""
        found = {"Accept": "application/json"}
        if self._kubeflow.token:
            found["Authorization"] = f"Bearer {self._kubeflow.token.reveal()}"
        if self._kubeflow.cookies:
            found["Cookie"] = self._kubeflow.cookies.reveal()
        return found

    @cached_property
    def _opener(self) -> OpenerDirector:
        """Knows no proxy, for kfp asks none either."""
        return build_opener(ProxyHandler({}), HTTPSHandler(context=self._trusted), _Stays())

    @property
    def _trusted(self) -> ssl.SSLContext:
        """Raises `MissingReference` for certificates that are not there."""
        own = self._kubeflow.ca_bundle
        try:
            context = ssl.create_default_context(cafile=own or None)
        except OSError as error:
            raise MissingReference(
                f"The certificates {own!r} cannot be read: {error.strerror or error}."
            ) from error
        if not self._kubeflow.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _Stays(HTTPRedirectHandler):
    """Follows no redirect: a token would go along to wherever it leads."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _answer(url: str, status: int, headers: Message, body: bytes) -> Answer:
    to = urljoin(url, headers.get("Location", "")) if 300 <= status < 400 else ""
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    return Answer(status, data if isinstance(data, dict) else None, to)


def _none(reason: object) -> Answer:
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted here ({reason.verify_message})"
        return Answer(0, why=why, cure="Write the file of its authority: ca_bundle: ca.pem")
    if isinstance(reason, ssl.SSLError):
        return Answer(0, why=f"it speaks no TLS ({reason.reason})", cure="Write: host: http://…")
    if isinstance(reason, TimeoutError):
        return Answer(0, why=f"nothing came for {PATIENCE:g} seconds")
    text = (isinstance(reason, OSError) and reason.strerror) or str(reason)
    return Answer(0, why=text.rstrip("."))
