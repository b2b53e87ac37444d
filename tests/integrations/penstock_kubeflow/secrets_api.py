"""A real HTTP server that has the Secrets of a cluster, as the API of Kubernetes answers for them.

Written after the API's reference: versions of objects, merge patches, preconditions, and
`managedFields`, in which an object says which program has written each field last.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "let-me-in"
TYPES = {
    "POST": ["application/json"],
    "PATCH": ["application/merge-patch+json", "application/strategic-merge-patch+json"],
    "DELETE": ["application/json"],
}
REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict"}

Said = tuple[int, Mapping[str, Any]]


class Refused(Exception):
    """The status and the message of an answer."""


class SecretsApi:
    """What there is, is in `secrets`, by namespace and name; `asked` has methods and paths."""

    def __init__(self, *namespaces: str) -> None:
        self.secrets: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in namespaces}
        self.asked: list[tuple[str, str]] = []
        self.forbidden: set[str] = set()
        """Methods for which this user has no permission."""
        self.before: Callable[[str, str], object] = lambda method, path: None
        """Is told of each request before it is carried out."""
        self.after: Callable[[], object] = lambda: None
        """Is told when a request was."""
        self.token = TOKEN
        self._versions = count(1000)
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kubeconfig(self, folder: Path, **contexts: str) -> Path:
        """A file with the context `there`, and further ones by name and URL."""
        names = {"there": self.url, **contexts}
        said = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "there",
            "clusters": [{"name": n, "cluster": {"server": url}} for n, url in names.items()],
            "users": [{"name": "me", "user": {"token": TOKEN}}],
            "contexts": [{"name": n, "context": {"cluster": n, "user": "me"}} for n in names],
        }
        file = folder / "kubeconfig"
        file.write_text(json.dumps(said))  # JSON is YAML
        return file

    def values(self, namespace: str) -> dict[str, dict[str, str]]:
        """What pods there find, by Secret and key."""
        return {
            name: {key: b64decode(value).decode() for key, value in secret["data"].items()}
            for name, secret in self.secrets[namespace].items()
        }

    def put(self, namespace: str, name: str, by: str = "kubectl-create", **data: str) -> None:
        """What somebody else does: `data` as base64."""
        found = self.secrets[namespace].get(name)
        if found is None:
            body = {"metadata": {"name": name}, "type": "Opaque", "data": data}
            self._made(namespace, body, by)
        else:
            self._patched(found, {"data": data}, by)

    def answer(self, method: str, url: str, kind: str, token: str, body: Any) -> Said:
        """Raises `Refused`."""
        parts = urlsplit(url)
        self.asked.append((method, parts.path))
        self.before(method, parts.path)
        if token != f"Bearer {self.token}":
            raise Refused(401, "Unauthorized")
        way = parts.path.strip("/").split("/")
        if way[:3] != ["api", "v1", "namespaces"] or way[4:5] != ["secrets"]:
            raise Refused(404, "the server could not find the requested resource")
        if method in self.forbidden:
            raise Refused(403, f'secrets is forbidden: User "me" cannot {method} in "{way[3]}"')
        if method in TYPES and kind not in TYPES[method]:
            raise Refused(415, f"the body of the request was in an unknown format: {kind}")
        by = parse_qs(parts.query).get("fieldManager", ["unknown"])[0]
        with self._lock:
            said = self._carried_out(method, way[3], way[5] if len(way) > 5 else "", body, by)
            self.after()
            return said

    def _carried_out(self, method: str, namespace: str, name: str, body: Any, by: str) -> Said:
        if method == "POST":
            if namespace not in self.secrets:
                raise Refused(404, f'namespaces "{namespace}" not found')
            name = body["metadata"]["name"]
            if name in self.secrets[namespace]:
                raise Refused(409, f'secrets "{name}" already exists')
            return 201, self._made(namespace, body, by)
        found = self.secrets.get(namespace, {}).get(name)
        if found is None:
            raise Refused(404, f'secrets "{name}" not found')
        if method == "GET":
            return 200, found
        wanted = body.get("preconditions" if method == "DELETE" else "metadata") or {}
        for field in ("uid", "resourceVersion"):
            if wanted.get(field, found["metadata"][field]) != found["metadata"][field]:
                raise Refused(409, f'Operation cannot be fulfilled on secrets "{name}": {field}')
        if method == "DELETE":
            del self.secrets[namespace][name]
            return 200, {"kind": "Status", "status": "Success"}
        return 200, self._patched(found, body, by)

    def _made(self, namespace: str, body: Any, by: str) -> dict[str, Any]:
        if unknown := set(body) - {"apiVersion", "kind", "metadata", "type", "data"}:
            raise Refused(400, f"unknown fields: {sorted(unknown)}")
        name = body["metadata"]["name"]
        made = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": body["type"],
            "data": dict(body["data"]),
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": f"uid-{next(self._versions)}",
                "resourceVersion": str(next(self._versions)),
                "managedFields": [],
            },
        }
        self._owned(made, by, list(made["data"]), {"f:type": {}})
        self.secrets[namespace][name] = made
        return made

    def _patched(self, found: dict[str, Any], body: Any, by: str) -> dict[str, Any]:
        """A field belongs to who has changed it last; the same value again changes nothing."""
        changed = []
        for key, value in body["data"].items():
            if found["data"].get(key) != value:
                changed.append(key)
                found["data"][key] = value
        found["data"] = {key: value for key, value in found["data"].items() if value is not None}
        found["metadata"]["resourceVersion"] = str(next(self._versions))
        self._owned(found, by, changed, {})
        return found

    def _owned(
        self, secret: dict[str, Any], by: str, keys: list[str], more: Mapping[str, Any]
    ) -> None:
        entries = secret["metadata"]["managedFields"]
        for entry in entries:
            for key in keys:
                entry["fieldsV1"]["f:data"].pop(f"f:{key}", None)
        mine = next((entry for entry in entries if entry["manager"] == by), None)
        if mine is None:
            mine = {"manager": by, "operation": "Update", "apiVersion": "v1"}
            mine |= {"fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}}}}
            entries.append(mine)
        there = {f"f:{key}": {} for key in keys if key in secret["data"]}
        mine["fieldsV1"] |= more
        mine["fieldsV1"]["f:data"] |= there


def _handler(api: SecretsApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for an answer

        def carry_out(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            kind = self.headers.get("Content-Type", "")
            token = self.headers.get("Authorization", "")
            try:
                status, data = api.answer(self.command, self.path, kind, token, body)
            except Refused as error:
                status, message = error.args
                reason = REASONS.get(status, "BadRequest")
                data = {"kind": "Status", "status": "Failure", "code": status, "reason": reason}
                data |= {"message": message}
            text = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = carry_out  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    return Handler
