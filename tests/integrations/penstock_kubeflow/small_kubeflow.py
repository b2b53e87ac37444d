"""A small server in the place of Kubeflow Pipelines, in this process: it keeps what it is handed,
carries out nothing, and breaks where it is told to. `standin` is the one that does more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlsplit

Said = tuple[int, Any]
Fault = Callable[["SmallKubeflow", Callable[[], Said]], Said | None]
"""Is given what would be done, and says what is answered; None for nothing at all."""

_ALL = '{"predicates": [{"operation": "IS_SUBSTRING", "stringValue": ""}]}'

NO_ROUTE: Said = (404, {"code": 5, "message": "Not Found", "details": []})


def refusal(status: int, code: int, message: str) -> Said:
    """As its gateway words one."""
    return status, {"error": message, "code": code, "message": message, "details": []}


def lost(kubeflow: SmallKubeflow, done: Callable[[], Said]) -> None:
    """It is done, and the answer is lost."""
    done()


def deaf(kubeflow: SmallKubeflow, done: Callable[[], Said]) -> None:
    """It is not done, and nothing is said."""


def says(status: int, body: Any) -> Fault:
    """It is not done, and this is said."""
    return lambda kubeflow, done: (status, body)


def then(first: Fault, *asked: Fault) -> Fault:
    """The same, and whatever is asked next meets these."""

    def fault(kubeflow: SmallKubeflow, done: Callable[[], Said]) -> Said | None:
        kubeflow.reading += asked
        return first(kubeflow, done)

    return fault


@dataclass
class SmallKubeflow:
    """In a `with`. What it keeps can be looked at and changed."""

    multi_user: bool = False
    spaces: tuple[str, ...] = ("kubeflow", "team-a")
    has_older: bool = True
    """Whether there is an API v1beta1."""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    posting: list[Fault] = field(default_factory=list)
    """What befalls the next requests that change something, one each."""
    reading: list[Fault] = field(default_factory=list)
    """The same of those that read."""
    asked: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, **said: Any) -> str:
        """A run that is there."""
        id = f"{len(self.runs):08x}-0000-4000-8000-000000000000"
        made = f"2026-01-01T00:00:{len(self.runs):02}Z"
        self.runs[id] = {"run_id": id, "state": "PENDING", "created_at": made, **said}
        return id

    def said(self, method: str, url: str, body: Any) -> Said | None:
        """What is answered; None for nothing."""
        parts = urlsplit(url)
        self.asked.append(f"{method} {parts.path.removeprefix('/apis/')}")
        query = {name: each[0] for name, each in parse_qs(parts.query).items()}
        faults = self.reading if method == "GET" else self.posting

        def done() -> Said:
            return self._done(method, parts.path, query, body)

        return faults.pop(0)(self, done) if faults else done()

    def _done(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Said:
        words = path.removeprefix("/apis/").split("/")
        match [method, *words]:
            case ["GET", "v2beta1", "healthz"]:
                return 200, {"multi_user": self.multi_user}
            case ["GET", "v2beta1", ("runs" | "experiments") as kind]:
                return self._listed(kind, query)
            case ["POST", "v2beta1", "experiments"]:
                return self._experiment(body)
            case ["POST", "v2beta1", "runs"]:
                return self._taken(body)
            case ["GET", "v2beta1", "runs", id] if id in self.runs:
                return 200, self.runs[id]
            case ["POST", "v2beta1", "runs", what] if what.removesuffix(":terminate") in self.runs:
                return self._ended(what.removesuffix(":terminate"))
            case [_, "v2beta1", "runs", id]:
                id = id.removesuffix(":terminate")
                return refusal(404, 5, f"ResourceNotFoundError: Run {id} not found")
            case ["GET", "v1beta1", "runs", id] if self.has_older:
                text = json.dumps(self.manifests.get(id, {}))
                return 200, {"pipeline_runtime": {"workflow_manifest": text}}
        return NO_ROUTE

    def _listed(self, kind: str, query: Mapping[str, str]) -> Said:
        space = query.get("namespace", "")
        if self.multi_user and space not in self.spaces:
            return refusal(403, 7, f"User 'a' is not authorized in {space}")
        text = unquote_plus(query.get("filter", _ALL))
        (wanted,) = json.loads(text)["predicates"]
        value, is_part = wanted["stringValue"].lower(), wanted["operation"] == "IS_SUBSTRING"
        found = []
        for each in (self.runs if kind == "runs" else self.experiments).values():
            name = each.get("display_name", "").lower()
            if name == value or (is_part and value in name):
                found.append(each)
        return 200, {kind: found} if found else {}

    def _experiment(self, body: Mapping[str, Any]) -> Said:
        there = {each["display_name"].lower() for each in self.experiments.values()}
        if body["display_name"].lower() in there:
            return refusal(409, 6, "Failed to create a new experiment. The name already exists.")
        id = f"experiment-{len(self.experiments)}"
        self.experiments[id] = {"experiment_id": id, "storage_state": "AVAILABLE", **body}
        return 200, self.experiments[id]

    def _taken(self, body: dict[str, Any]) -> Said:
        if self.multi_user and not body.get("experiment_id"):
            return refusal(400, 3, "Experiment id can not be empty in multi-user mode")
        return 200, self.runs[self.add(**body)]

    def _ended(self, id: str) -> Said:
        if not re.fullmatch("PENDING|RUNNING|PAUSED", self.runs[id]["state"]):
            return refusal(400, 3, f"Failed to terminate a run {id}. Row not found")
        self.runs[id]["state"] = "CANCELING"
        return 200, {}


def _handler(kubeflow: SmallKubeflow) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            said = kubeflow.said(self.command, self.path, body)
            if said is None:
                self.close_connection = True
                return
            status, answer = said
            text = answer if isinstance(answer, str) else json.dumps(answer)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    return Handler
