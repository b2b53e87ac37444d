"""Stand-ins of Kubeflow Pipelines for tests, each a process of its own.

    with Hatchery() as hatchery:                     # imports kfp: once for many
        with hatchery.standin(folder, secrets={…}) as standin:
            KubeflowOrchestrator(host=standin.url, …)

By hand, for one to look at: `python standins.py FOLDER [PORT]`, until the input ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, Self

HATCHERY: Final = str(Path(__file__).with_name("hatchery.py"))


class Hatchery:
    """The process that has imported kfp. It starts when it is needed, and ends with this one,
    however that ends, with all that was started by it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def ask(self, **question: Any) -> Any:
        """One question after the other."""
        with self._lock:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, HATCHERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    text=True,
                )  # fmt: skip
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            print(json.dumps(question), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        assert line, "the process that starts stand-ins has ended"
        return json.loads(line)

    def carried_out(self, folder: Path) -> int:
        """A job without a server: see `by_kfp`."""
        self.ask(carry_out=str(folder))
        while not (folder / "over").exists():
            time.sleep(0.005)
        return int(json.loads((folder / "over").read_text())["code"])

    def standin(self, folder: Path, **options: Any) -> Standin:
        """A new one, for a `with`."""
        return Standin(self, folder, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.communicate(timeout=60)


class Standin:
    """One server and its folder. Its options may change at any time: `standin.set(token="new")`."""

    def __init__(self, hatchery: Hatchery, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder = folder.absolute()
        self._hatchery = hatchery
        self._options = dict(options)
        self._forgotten = 0
        self.port = 0
        self.pid = 0

    @property
    def url(self) -> str:
        """What is given as `host`."""
        return f"http://127.0.0.1:{self.port}{self._options.get('prefix', '')}"

    def set(self, **options: Any) -> None:
        """Other options than so far."""
        self._options |= options
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / "options.new"
        new.write_text(json.dumps(self._options))
        new.replace(self.folder / "options.json")

    def start(self) -> None:
        """On the same port as before, if there was one."""
        self.set()
        answer = self._hatchery.ask(serve=str(self.folder), port=self.port)
        self.port, self.pid = answer["port"], answer["pid"]
        self.control("up")  # it is there, and has found what it had before

    def kill(self) -> None:
        """kill -9. What was submitted goes on."""
        os.kill(self.pid, signal.SIGKILL)
        self._hatchery.ask(gone=self.pid)

    def restart(self) -> None:
        """Kill it, and start one on the same port and folder."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """It takes connections, and says nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it and all of its jobs and pods."""
        answer = self._hatchery.ask(end=str(self.folder))
        assert not answer["left"], f"still there: {answer['left']}"

    def control(self, what: str, body: Any = None) -> Any:
        """See `answers.Answers.control`."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/standin/{what}",
            data=json.dumps(body).encode(),
            method="POST",
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(asked, timeout=30) as answer:
            return json.loads(answer.read())

    def fault(self, path: str, kind: str | int, **more: Any) -> None:
        """What goes wrong with requests that fit a pattern: see `mischief`."""
        self.control("faults", {"path": path, "kind": kind, **more})

    def mend(self) -> None:
        """No faults any more."""
        self.control("mend")

    def fire(self, recurring_run: str) -> str:
        """Have a recurring run fire now; the id of its run."""
        return str(self.control(f"fire/{recurring_run}")["run_id"])

    def requests(self) -> Sequence[Mapping[str, Any]]:
        """Those since the start, or since they were forgotten: `method`, `path` (with the query),
        `at`, `fault`, `status` (None: not answered yet; 0: never), `authorization`, `cookie`."""
        file = self.folder / "requests"
        found: dict[int, dict[str, Any]] = {}
        for line in file.read_text().splitlines() if file.exists() else ():
            each = json.loads(line)
            found.setdefault(each["number"], {"status": None}).update(
                {name: value for name, value in each.items() if name != "at" or "path" in each}
            )
        return [*found.values()][self._forgotten :]

    def forget(self) -> None:
        """All requests so far."""
        self._forgotten += len(self.requests())

    def runs(self) -> Sequence[Mapping[str, Any]]:
        """All runs that it knows, oldest first, as they are in its table: `id`, `display_name`,
        `runtime_config`, `service_account`, …"""
        rows = [json.loads(file.read_text()) for file in (self.folder / "run_rows").glob("*.json")]
        return sorted(rows, key=lambda row: row["created_at"])

    def job(self, run: str) -> Path:
        """The folder of the last attempt at a run: `events`, `pods`, `said`, `kfp`, `pid`,
        `over`."""
        whole = self.folder / "runs" / run
        return max(whole.glob("job-*"), key=lambda each: int(each.name[4:]), default=whole / "job")

    def events(self, run: str) -> Sequence[Mapping[str, Any]]:
        """What has happened to its tasks and pods: see `pod_folders`."""
        file = self.job(run) / "events"
        lines = file.read_text().split("\n")[:-1] if file.exists() else []
        return [json.loads(line) for line in lines]

    def pods(self, run: str) -> Mapping[int, int]:
        """The process ids of those that run now, by their numbers. Each leads a group."""
        over = {each["pod"] for each in self.events(run) if "code" in each}
        return {
            each["pod"]: each["pid"]
            for each in self.events(run)
            if "pid" in each and each["pod"] not in over
        }

    def said(self, run: str) -> str:
        """What its pods have said."""
        file = self.job(run) / "said"
        return file.read_text("utf-8", "replace") if file.exists() else ""

    def wait(self, run: str, seconds: float = 60) -> int:
        """Until it has ended: 0 if all has succeeded, 1 if not; 3 if it was terminated."""
        deadline = time.monotonic() + seconds
        while not (self.job(run) / "over").exists():
            assert time.monotonic() < deadline, f"{run} goes on: {self.events(run)}"
            time.sleep(0.02)
        code = json.loads((self.job(run) / "over").read_text())["code"]
        assert code != 2, (self.job(run) / "kfp").read_text()
        return int(code)

    def lose(self, run: str) -> None:
        """All of a run's processes at once, as if its node was gone."""
        os.kill(int((self.job(run) / "pid").read_text()), signal.SIGKILL)
        for pid in self.pods(run).values():
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def mistakes(self) -> str:
        """What has gone wrong with the stand-in itself: in the server, and with jobs that it could
        not carry out."""
        found = [self.folder / "server"]
        for over in self.folder.glob("runs/*/job*/over"):
            if json.loads(over.read_text())["code"] == 2:
                found.append(over.with_name("kfp"))
        return "".join(file.read_text() for file in found)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if kind is None:
            assert not (said := self.mistakes()), f"the stand-in has made a mistake: {said}"


def main(folder: str, port: str = "0") -> None:
    """One to look at."""
    with Hatchery() as hatchery:
        standin = hatchery.standin(Path(folder))
        standin.port = int(port)
        with standin:
            print(standin.url, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
