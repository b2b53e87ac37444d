"""What is answered to whom: the paths of the API, and what stands before it."""

from __future__ import annotations

import json
import re
import socket
import time
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import doors
from experiment_service import Experiments
from gateway import INTERNAL, Refused, plain
from knowledge import Knowledge
from mischief import PAGE, Mischief
from pipeline_service import Pipelines
from recurring_service import Recurring
from request import Request
from run_service import Runs

Answer = tuple[int, Any, str]
"""Status, body and kind; or where to, if the kind is "redirect"."""

UI: Final = "<!doctype html><html><head><title>Kubeflow Pipelines</title></head></html>"


class Answers:
    """The server behind HTTP: who answers what."""

    def __init__(self, folder: Path, hatchery: socket.socket) -> None:
        self.known = Knowledge(folder, hatchery)
        self.mischief = Mischief()
        self._numbers = count(time.monotonic_ns())
        experiments = Experiments(self.known)
        runs = Runs(self.known, experiments)
        pipelines = Pipelines(self.known)
        self.recurring = Recurring(self.known, experiments, runs)
        self._routes = [
            ("GET", "healthz", self._healthz),
            *_crud("experiments", experiments, "archive", "unarchive"),
            *_crud("runs", runs, "archive", "unarchive", "retry", "terminate"),
            *_crud("recurringruns", self.recurring, "enable", "disable"),
            ("POST", "pipelines/upload", pipelines.upload),
            ("POST", "pipelines/upload_version", pipelines.upload_version),
            ("GET", "pipelines/names/([^/]+)", pipelines.by_name),
            *_crud("pipelines", pipelines),
            ("GET", "pipelines/([^/:]+)/versions", pipelines.versions),
            ("GET", "pipelines/([^/:]+)/versions/([^/:]+)", pipelines.version),
        ]
        self._older = runs.older
        self.known.go_on()
        self.recurring.watch()

    def _healthz(self, _: Request) -> Any:
        options = self.known.options
        return {
            "commit_sha": "0" * 40, "tag_name": options["tag"],
            "multi_user": options["multi_user"], "pipeline_store": "database",
        }  # fmt: skip

    def answer(self, asked: Request) -> Answer:
        """Of any request, but for what goes wrong on the way."""
        options = self.known.options
        if asked.path.startswith("/dex/"):
            return 200, PAGE, "text/html; charset=utf-8"
        if stopped := doors.stopped(options, asked.headers):
            return stopped
        path = asked.path.replace("%3A", ":")  # in the path of a proxy, and before a verb
        if not path.startswith(f"{options['prefix']}/"):
            return plain(404)
        path = path.removeprefix(options["prefix"])
        try:
            return 200, self._done(path, asked), "application/json"
        except Refused as refused:
            return refused.status, refused.body, "application/json"
        except _NoSuchPath:
            if path.startswith("/apis/"):
                body = {"code": 5, "message": "Not Found", "details": []}
                return 404, body, "application/json"
            return (200, UI, "text/html") if asked.method == "GET" else plain(404)
        except Exception:
            traceback.print_exc()  # into the file `server`: it is a mistake of the stand-in
            text = f"Internal error: the stand-in: {traceback.format_exc()}"
            return 500, Refused(INTERNAL, text).body, "application/json"

    def _done(self, path: str, asked: Request) -> Any:
        options = self.known.options
        kind, _, rest = path.removeprefix("/apis/").partition("/")
        if kind == "v1beta1" and options["v1beta1"]:
            if rest == "healthz":
                return self._healthz(asked)
            if asked.method == "GET" and (found := re.fullmatch("runs/([^/:]+)", rest)):
                return self._older(asked, unquote(found[1]))
        if kind == "v2beta1" and not options["only_v1beta1"]:
            for method, pattern, do in self._routes:
                if method == asked.method and (found := re.fullmatch(pattern, rest)):
                    return do(asked, *map(unquote, found.groups()))
        raise _NoSuchPath

    def control(self, path: str, body: Any) -> Any:
        """What tests want of the server itself."""
        match path.strip("/").split("/")[1:]:
            case ["faults"]:
                self.mischief.plan(body)
            case ["mend"]:
                self.mischief.forget()
            case ["fire", id_]:
                return {"run_id": self.recurring.fire(id_, time.time())}
            case ["up"]:
                pass
            case _:
                raise ValueError(path)
        return {}

    def log(self, **line: Any) -> None:
        """In one piece."""
        text = json.dumps({"at": time.time(), **line}) + "\n"
        with (self.known.folder / "requests").open("ab", buffering=0) as file:
            file.write(text.encode())

    def number(self) -> int:
        return next(self._numbers)


class _NoSuchPath(Exception):
    pass


def _crud(name: str, of: Any, *verbs: str) -> list[tuple[str, str, Callable[..., Any]]]:
    one = f"{name}/([^/:]+)"
    return [
        ("POST", name, of.create),
        ("GET", name, of.list),
        ("GET", one, of.get),
        ("DELETE", one, of.delete),
        *[("POST", f"{one}:{verb}", getattr(of, verb)) for verb in verbs],
    ]
