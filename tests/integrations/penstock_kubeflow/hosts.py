"""A real HTTP server in the place of Kubeflow Pipelines, which answers what it is told to."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from typing import Any, Self

HEALTHZ = "/apis/v2beta1/healthz"
RUNS = "/apis/v2beta1/runs"

PAGE = "<!doctype html><title>Kubeflow</title>"

Said = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]


class Host:
    """Answers by path; any other path is not found. What it was asked is in `asked`."""

    def __init__(self, answers: Mapping[str, Said], certificate: Path | None = None) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(answers))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, answers: Mapping[str, Said]) -> type[BaseHTTPRequestHandler]:
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, dict(self.headers)))
                found = answers.get(self.path.partition("?")[0], (404, "404 page not found"))
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

            def log_message(self, *_: object) -> None: ...

        return Handler
