"""A real HTTP server in the place of Kubeflow Pipelines, which answers what it is told to."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, Self

HEALTHZ = "/apis/v2beta1/healthz"
RUNS = "/apis/v2beta1/runs"

PAGE = "<!doctype html><title>Kubeflow</title>"

LARGE = 1 << 22
"""Bytes of a body that are not waited for: the answer comes before it."""

Said = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Saying = Said | list[Said] | Callable[[Mapping[str, str]], Said]
"""An answer; several, of which the last one stays; or what makes one of the request's headers."""


class Host:
    """Answers by path; any other path is not found. What it was asked is in `asked`, and what came
    along in `sent`."""

    def __init__(
        self,
        answers: Mapping[str, Saying],
        certificate: Path | None = None,
        *,
        asks_for_one: bool = False,
    ) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.sent: list[tuple[str, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(answers))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if asks_for_one:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.port = self._server.server_port
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, answers: Mapping[str, Saying]) -> type[BaseHTTPRequestHandler]:
        asked, sent = self.asked, self.sent
        sayings = {
            path: [*each] if isinstance(each, list) else each for path, each in answers.items()
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, dict(self.headers)))
                sent.append((self.command, self.path, self._body()))
                found = _next(sayings.get(self.path.partition("?")[0]), self.headers)
                status, body, *rest = found
                if status == 0:  # says nothing, for longer than anybody waits
                    sleep(body)
                    return
                self.send_response(status)
                for name, value in (rest[0] if rest else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                text = body if isinstance(body, str) else json.dumps(body)
                self.wfile.write(text.encode())

            def do_POST(self) -> None:
                self.do_GET()

            def do_DELETE(self) -> None:
                self.do_GET()

            def _body(self) -> str:
                length = int(self.headers.get("Content-Length", 0))
                return self.rfile.read(length).decode() if length < LARGE else ""

            def log_message(self, *_: object) -> None: ...

        return Handler


def _next(saying: Saying | None, headers: Any) -> Said:
    if isinstance(saying, list):
        return saying.pop(0) if len(saying) > 1 else saying[0]
    if callable(saying):
        return saying(headers)
    return saying or (404, "404 page not found")
