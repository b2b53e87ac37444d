"""A stand-in for the API server of Kubeflow Pipelines: real HTTP, and what is submitted to it is
carried out by kfp's local runner. See `standins` for how a test has one.

Whatever it knows is in its folder: kill it, start another one there, and that goes on. `requests`
in it has a line for each request that has come in, and one for each that was answered.
"""

from __future__ import annotations

import json
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

here = Path(__file__).parent
sys.path += [str(here), str(here.parent)]

from answers import Answers  # noqa: E402
from gateway import Refused, plain  # noqa: E402
from mischief import PAGE, Fault  # noqa: E402
from request import Request  # noqa: E402

FOREVER: Final = 3600

_METHODS: Final = {f"do_{each}" for each in ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD")}


class Handler(BaseHTTPRequestHandler):
    """HTTP, and what goes wrong with it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answers: Answers

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True  # whoever has asked is gone

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = json.loads(data) if data else None
        except ValueError:
            body = None
        self._number = 0
        if parts.path.startswith("/standin/"):
            self._controlled(parts.path, body)
            return
        headers = {name.title(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Request(self.command, parts.path, query, headers, data, body)
        fault = self.answers.mischief.of(f"{self.command} {self.path}")
        number = self.answers.number()
        self.answers.log(
            number=number, method=self.command, path=self.path, fault=fault and fault.kind,
            authorization=headers.get("Authorization"), cookie=headers.get("Cookie"),
            agent=headers.get("User-Agent"),
        )  # fmt: skip
        self._number = number
        self._answer(asked, fault)

    def __getattr__(self, name: str) -> Any:
        """It is asked for `do_GET` and the like."""
        if name in _METHODS:
            return self._handle
        raise AttributeError(name)

    def _controlled(self, path: str, body: Any) -> None:
        try:
            self._say(200, self.answers.control(path, body), "application/json")
        except Refused as refused:
            self._say(refused.status, refused.body, "application/json")
        except (TypeError, ValueError) as error:
            self._say(400, repr(error), "text/plain")

    def _answer(self, asked: Request, fault: Fault | None) -> None:
        if fault is None:
            return self._say(*self.answers.answer(asked))
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        answer = self.answers.answer(asked) if fault.commits else None
        kind = fault.kind.removeprefix("commit-then-")
        if fault.status:
            return self._say(*plain(fault.status))
        if kind in ("cut", "hang"):
            if kind == "hang":
                time.sleep(FOREVER)
            return self._cut()
        if kind == "html":
            return self._say(200, PAGE, "text/html; charset=utf-8")
        if kind == "redirect":
            return self._say(302, "/dex/auth?client_id=kubeflow", "redirect")
        assert answer is not None
        if fault.kind == "commit-then-slow":
            time.sleep(fault.seconds)
        return self._say(*answer, half=kind == "half")

    def _cut(self) -> None:
        """With a reset, as a process that dies leaves it."""
        self._tell(0)
        linger = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def _tell(self, status: int) -> None:
        """Before the answer goes out: whoever has got it finds it told of."""
        if self._number:
            self.answers.log(number=self._number, status=status)

    def _say(self, status: int, body: Any, kind: str, half: bool = False) -> None:
        self._tell(status)
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        if kind == "redirect":
            self.send_header("Location", body)
            data, kind = b"", "text/html"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(data[: len(data) // 2] if half else data)
        if half:
            self.wfile.flush()
            self._cut()

    def log_message(self, *_: object) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_: object) -> None:
        traceback.print_exc()


def serve(folder: Path, listening: socket.socket, hatchery: socket.socket) -> None:
    """Until somebody kills it."""
    bound: Mapping[str, Any] = {"answers": Answers(folder, hatchery)}
    server = _Server(
        listening.getsockname(), type("Bound", (Handler,), dict(bound)), bind_and_activate=False
    )
    server.socket.close()
    server.socket = listening
    server.serve_forever(0.5)
