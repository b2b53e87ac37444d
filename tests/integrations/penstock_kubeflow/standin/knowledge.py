"""All that the stand-in knows: tables on the disk, options, and who carries jobs out."""

from __future__ import annotations

import json
import random
import socket
import string
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from threading import RLock
from typing import Any, Final

from tables import Table
from workflows import Workflow

DEFAULTS: Final[Mapping[str, Any]] = {
    "prefix": "", "token": None, "cookie": None, "without_cookie": "401",
    "multi_user": False, "user": "ann@example.com", "namespaces": ["kubeflow"],
    "environment": {}, "secrets": {}, "configs": {}, "starter": [], "unpullable": [], "grace": 10,
    "lag": 0, "v1beta1": True, "ended_word": "FAILED", "shows_canceling": True,
    "executes": True, "only_v1beta1": False, "size_limit": 1_400_000, "tag": "2.5.0",
}  # fmt: skip

OF_PODS: Final = ("environment", "secrets", "configs", "starter", "unpullable", "grace")


class Knowledge:
    """In a folder; whoever opens it again goes on with it."""

    def __init__(self, folder: Path, hatchery: socket.socket) -> None:
        self.folder = folder
        self._hatchery = hatchery
        self.lock = RLock()
        self.experiments = Table(folder / "experiments")
        self.runs = Table(folder / "run_rows")
        self.recurring = Table(folder / "recurring")
        self.pipelines = Table(folder / "pipelines")
        self.versions = Table(folder / "versions")
        self._options: tuple[float, Mapping[str, Any]] = (0, {})

    @property
    def options(self) -> Mapping[str, Any]:
        """As they are now: a test may change them whenever it likes."""
        file = self.folder / "options.json"
        changed = file.stat().st_mtime_ns if file.exists() else -1
        if self._options[0] != changed:
            said = json.loads(file.read_text()) if file.exists() else {}
            if unknown := said.keys() - DEFAULTS.keys():
                raise ValueError(f"no such options: {unknown}")
            self._options = (changed, {**DEFAULTS, **said})
        return self._options[1]

    def job(self, row: Mapping[str, Any]) -> Path:
        """The folder of the last attempt at a run."""
        tries = row.get("tries", 1)
        return self.folder / "runs" / str(row["id"]) / ("job" if tries == 1 else f"job-{tries}")

    def start(self, row: Mapping[str, Any]) -> None:
        """Have a run carried out. Its row is written: if this server ends now, the next one does
        it."""
        folder = self.job(row)
        folder.mkdir(parents=True, exist_ok=True)
        options = {each: self.options[each] for each in OF_PODS}
        parameters = (row.get("runtime_config") or {}).get("parameters") or {}
        (folder / "options.json").write_text(
            json.dumps({**options, "lives": True, "job": row["id"], "parameters": parameters})
        )
        (folder / "pipeline.yaml").write_text(row["text"])
        if not self.options["executes"]:
            (folder / "idle").touch()
            (folder / "events").write_text(json.dumps({"at": time.time()}) + "\n")
            return
        with self.lock:
            if not (folder / "pid").exists():
                self._ask({"carry_out": str(folder)})

    def end(self, row: Mapping[str, Any]) -> None:
        """Have it ended, if it has not ended."""
        folder = self.job(row)
        if (folder / "idle").exists():
            (folder / "over").write_text(json.dumps({"at": time.time(), "code": 3}))
        elif not (folder / "over").exists():
            self._ask({"stop": str(folder)})

    def go_on(self) -> None:
        """With what a server before this one has not finished."""
        for row in self.runs:
            if row.get("terminated"):
                self.end(row)
            elif not any((self.job(row) / each).exists() for each in ("pid", "idle")):
                self.start(row)

    def _ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
        with self.lock:
            self._hatchery.sendall((json.dumps(question) + "\n").encode())
            data = b""
            while not data.endswith(b"\n"):
                received = self._hatchery.recv(65536)
                if not received:
                    raise RuntimeError("nobody carries out jobs any more")
                data += received
        found: Mapping[str, Any] = json.loads(data)
        return found

    def workflow(self, row: Mapping[str, Any]) -> Workflow:
        """How a run is doing, as far as the server has heard of it."""
        now = time.time() - self.options["lag"]
        found = Workflow(row["workflow"], row["created_at"], self.job(row), now)
        found.terminated = row.get("terminated") or 0
        return found


def new_id() -> str:
    return str(uuid.uuid4())


def suffix() -> str:
    """What Kubernetes puts behind a name that it makes."""
    return "".join(random.choices(string.ascii_lowercase + string.digits, k=5))
