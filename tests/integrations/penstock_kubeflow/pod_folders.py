"""Pods as processes: each in a folder of its own, with nothing in its environment but what it is
given.

Options: `environment`, `secrets` and `configs` are what pods find; `starter` is a program that is
run with the command of each pod, and told of it in the variable STANDIN_POD as JSON; `lives` says
that the pods stay in a cluster: each leads a group of processes, one that cannot start waits
instead of failing the job, as does one whose image is in `unpullable`, and one that is ended gets
SIGTERM and, after `grace` seconds, SIGKILL.

Each pod that has ended is a line of FOLDER/pods, its command and its exit code. What they say is in
FOLDER/said. What happens to tasks and pods is in FOLDER/events, a line of JSON each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

PATH: Final = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
"""Where a pod finds its programs: an image has its Python there."""


class Ended(BaseException):
    """Somebody has ended the job."""


class NotThere(ValueError):
    """What a container was to be given, and nobody has."""


class Cluster:
    """What pods find, and a record of those that were started."""

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder = folder
        self._given: Mapping[str, str] = options.get("environment", {})
        self._secrets: Mapping[str, Mapping[str, str]] = options.get("secrets", {})
        self._configs: Mapping[str, Mapping[str, str]] = options.get("configs", {})
        self._starter: Sequence[str] = options.get("starter", ())
        self._lives: bool = options.get("lives", False)
        self._unpullable: Sequence[str] = options.get("unpullable", ())
        self._grace: float = options.get("grace", 10)
        self._numbers = count()
        self._running: dict[int, int] = {}
        self._ended = False
        self._starting = False
        self._wanted = False
        (folder / "pods").touch()
        (folder / "events").touch()

    def tell(self, **event: Any) -> None:
        """One line, in one piece: it is read while it is written."""
        line = json.dumps({"at": time.time(), **event}) + "\n"
        with (self.folder / "events").open("ab", buffering=0) as events:
            events.write(line.encode())

    def variables(
        self, config: Mapping[str, Any], task: Sequence[str] = ()
    ) -> Iterator[tuple[str, str]]:
        """What the platform spec of an executor adds to the environment of its containers."""
        try:
            yield from self._variables(config)
        except NotThere as error:
            if not self._lives:
                raise
            self._wait(task, str(error))

    def _variables(self, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for kind, objects in (("secret", self._secrets), ("configMap", self._configs)):
            for item in config.get(f"{kind}AsEnv", ()):
                name = (
                    item.get(f"{kind}Name")
                    or item[f"{kind}NameParameter"]["runtimeValue"]["constant"]
                )
                yield from _from_object(kind, name, item, objects)

    def _wait(self, task: Sequence[str], why: str) -> None:
        """A pod that does not get on: until somebody ends the job."""
        self.tell(task=task, pod=next(self._numbers), waits=why)
        while True:
            time.sleep(3600)

    def start(
        self,
        command: Sequence[str],
        variables: Mapping[str, str],
        task: Sequence[str] = (),
        container: Any = None,
    ) -> int:
        """One container: its exit code."""
        if self._ended:
            raise Ended
        image = container.image if container is not None else ""
        if image in self._unpullable:
            self._wait(task, f'ImagePullBackOff: Back-off pulling image "{image}"')
        number = next(self._numbers)
        place = self.folder / f"pod-{number}"
        for name in ("work", "home", "tmp"):
            (place / name).mkdir(parents=True)
        own = {"PATH": PATH, "HOME": str(place / "home"), "TMPDIR": str(place / "tmp")}
        variables = {**own, **self._given, **variables}
        if self._starter:
            told = self._told(number, task, container, variables)
            variables = {**variables, "STANDIN_POD": json.dumps(told)}
        code = self._run(number, command, variables, task)
        with (self.folder / "pods").open("a") as pods:
            pods.write(json.dumps({"command": list(command), "code": code}) + "\n")
        return code

    def _run(
        self, number: int, command: Sequence[str], variables: Mapping[str, str], task: Sequence[str]
    ) -> int:
        place = self.folder / f"pod-{number}" / "work"
        self._starting = True  # nobody ends the job while nobody knows of this pod
        try:
            with (self.folder / "said").open("ab") as said:
                process = subprocess.Popen(
                    [*self._starter, *command], cwd=place, env=variables, stdin=subprocess.DEVNULL,
                    stdout=said, stderr=said, start_new_session=self._lives,
                )  # fmt: skip
            self._running[number] = process.pid
            self.tell(task=task, pod=number, pid=process.pid, command=list(command))
        except OSError as error:
            if not self._lives:
                raise
            self.tell(task=task, pod=number, waits="")
            self.tell(pod=number, code=128, why=f"StartError (exit code 128): {error}")
            return 128
        finally:
            self._starting = False
        if self._wanted:
            self.end()
        process.returncode = self._waited(number, process.pid)
        return process.returncode

    def _told(
        self, number: int, task: Sequence[str], container: Any, variables: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """What a starter has to know of its pod."""
        from google.protobuf import json_format

        return {
            "name": f"{self.folder.parent.name}-pod-{number}",
            "folder": str(self.folder / f"pod-{number}"),
            "task": list(task),
            "container": json_format.MessageToDict(container),
            "variables": variables,
        }

    def _waited(self, number: int, pid: int) -> int:
        """Not by `Popen.wait`: it holds a lock, and whoever ends the job waits for the same."""
        try:
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            raise Ended from None  # it was waited for by whoever has ended the job
        self._is_over(number, code)
        return code

    def _is_over(self, number: int, code: int) -> None:
        pid = self._running.pop(number)
        if self._lives:
            _kill(pid, signal.SIGKILL)  # nothing of a container outlives its first process
        reason = self.folder / f"pod-{number}" / "reason"  # of a starter that knows better
        why = reason.read_text().strip() if reason.exists() else _why(code)
        self.tell(pod=number, code=code if code >= 0 else 128 - code, why=why)

    def end(self) -> None:
        """End all pods, and start none any more. Raises `Ended`."""
        if self._starting or self._ended:
            self._wanted = True
            return
        self._ended = True
        # What waits for the pods in this very thread goes on only when this has ended.
        for pid in self._running.values():
            _kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        while self._running:
            if time.monotonic() > deadline:
                for pid in self._running.values():
                    _kill(pid, signal.SIGKILL)
            for number, pid in [*self._running.items()]:
                self._reap(number, pid)
            time.sleep(0.01)
        raise Ended

    def _reap(self, number: int, pid: int) -> None:
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            self._running.pop(number, None)  # it was waited for already
        else:
            if done:
                self._is_over(number, os.waitstatus_to_exitcode(status))


def _kill(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _why(code: int) -> str:
    """In the words of Argo, which says of every 137 that memory was the reason."""
    if code in (-signal.SIGKILL, 137):
        return "OOMKilled (exit code 137)"
    return f"Error (exit code {code if code >= 0 else 128 - code})" if code else ""


def _from_object(
    kind: str, name: str, item: Mapping[str, Any], objects: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    word = {"secret": "secret", "configMap": "configmap"}[kind]
    for pair in item["keyToEnv"]:
        value = objects.get(name, {}).get(key := pair[f"{kind}Key"])
        if value is not None:
            yield pair["envVar"], value
        elif item.get("optional"):
            continue
        elif name in objects:
            raise NotThere(
                f"CreateContainerConfigError: couldn't find key {key} in {kind[0].upper()}"
                f"{kind[1:]} kubeflow/{name}"
            )
        else:
            raise NotThere(f'CreateContainerConfigError: {word} "{name}" not found')
