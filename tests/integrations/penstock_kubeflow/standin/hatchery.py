"""A process that imports kfp once, and forks others from it: stand-ins of Kubeflow Pipelines, and
those that carry out what is submitted to them.

    python hatchery.py

Each line of its input is a JSON object, and is answered with one: `{"serve": FOLDER, "port": 0}`
starts a server, `{"carry_out": FOLDER}` a job, `{"stop": FOLDER}` sends it SIGTERM, `{"gone": PID}`
waits for a process that was killed, `{"end": FOLDER}` kills all that was started for a folder, pods
included. It ends, and all that it has started with it, when its input ends: when the
process that has started it has ended, however that was.

A server asks it for jobs through a socket of its own: jobs are no children of a server, and
outlive it. When a job has ended, `over` in its folder is its exit code.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

here = Path(__file__).parent
sys.path += [str(here), str(here.parent)]

SUBREAPER: Final = 36
"""PR_SET_CHILD_SUBREAPER: pods whose job was killed become children of this process."""

OF_PARENT: Final = 1
"""PR_SET_PDEATHSIG: the signal that a process gets when its parent has ended, however."""


class Hatchery:
    """What it has started, by process id."""

    def __init__(self) -> None:
        self._folders: dict[int, Path] = {}
        self._jobs: dict[int, Path] = {}
        self._served: set[Path] = set()
        self._asking: dict[socket.socket, bytes] = {}

    def work(self) -> None:
        """Until the input ends."""
        awake, wake = os.pipe()
        for end in (awake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake)
        typed = b""
        while True:
            ready, _, _ = select.select([0, awake, *self._asking], [], [])
            if awake in ready:
                os.read(awake, 4096)
            self._reap()
            for each in [*self._asking]:
                if each in ready:
                    self._hear(each)
            if 0 in ready:
                if not (data := os.read(0, 65536)):
                    break
                *lines, typed = (typed + data).split(b"\n")
                for line in lines:
                    print(json.dumps(self._answer(json.loads(line))), flush=True)

    def end_all(self) -> None:
        """Of whatever folder."""
        for folder in {*self._folders.values(), *self._served}:
            self.end(folder)

    def _hear(self, asking: socket.socket) -> None:
        """What a server wants."""
        data = b""
        with suppress(ConnectionError):
            data = asking.recv(65536)
        if not data:
            del self._asking[asking]
            asking.close()
            return
        *lines, self._asking[asking] = (self._asking[asking] + data).split(b"\n")
        for line in lines:
            answer = json.dumps(self._answer(json.loads(line))) + "\n"
            with suppress(ConnectionError):  # it was killed in the meantime
                asking.sendall(answer.encode())

    def _answer(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        match asked:
            case {"serve": folder, "port": port}:
                return self.serve(Path(folder), port)
            case {"carry_out": folder}:
                return self.carry_out(Path(folder))
            case {"stop": folder}:
                return self.stop(Path(folder))
            case {"gone": pid}:
                return self.gone(pid)
            case {"end": folder}:
                return self.end(Path(folder))
        raise ValueError(asked)

    def serve(self, folder: Path, port: int) -> Mapping[str, Any]:
        """The process id and the port of a new server."""
        folder.mkdir(parents=True, exist_ok=True)
        listening = _listening(port)
        ours, its = socket.socketpair()
        if not (child := os.fork()):
            ours.close()
            self._become(folder / "server")
            from standin_server import serve

            _ending(lambda: serve(folder, listening, its))
        its.close()
        port = listening.getsockname()[1]
        listening.close()
        self._folders[child] = folder
        self._served.add(folder)
        self._asking[ours] = b""
        return {"pid": child, "port": port}

    def carry_out(self, folder: Path) -> Mapping[str, Any]:
        """A job: `pipeline.yaml` and `options.json` are in its folder. Not a second time: a server
        that was killed may have asked for it, and the one after it does."""
        if (folder / "pid").exists():
            return {}
        if not (child := os.fork()):
            self._become(folder / "kfp")
            from by_kfp import main

            _ending(lambda: main(folder))
        (folder / "pid").write_text(str(child))
        self._jobs[child] = folder
        self._folders[child] = folder.parent.parent.parent
        return {"pid": child}

    def stop(self, folder: Path) -> Mapping[str, Any]:
        """Have a job end its pods, and end."""
        for pid, each in self._jobs.items():
            if each == folder:
                os.kill(pid, signal.SIGTERM)
        return {}

    def gone(self, pid: int) -> Mapping[str, Any]:
        """Not before a process has ended that was killed."""
        while pid in self._folders:
            self._reap()
            time.sleep(0.002)
        return {}

    def _become(self, said: Path) -> None:
        """What a child is, and its parent is not."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        ctypes.CDLL(None).prctl(OF_PARENT, signal.SIGTERM, 0, 0, 0)
        for asking in self._asking:
            asking.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        written = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for old, new in ((nothing, 0), (written, 1), (written, 2)):
            os.dup2(old, new)
        os.close(nothing)
        os.close(written)

    def _reap(self) -> None:
        """All that have ended, pods without a job among them."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._folders.pop(pid, None)
            if folder := self._jobs.pop(pid, None):
                text = json.dumps({"at": time.time(), "code": os.waitstatus_to_exitcode(status)})
                (folder / "over.new").write_text(text)
                (folder / "over.new").replace(folder / "over")

    def end(self, folder: Path) -> Mapping[str, Any]:
        """Kill what was started for a folder; how many that were."""
        killed = 0
        deadline = time.monotonic() + 20
        while True:
            self._reap()
            ours = [pid for pid, each in self._folders.items() if each == folder]
            # Jobs first: they start pods. The pods of those that are gone are children of this.
            found = ours or _pods(folder, {*self._folders})
            if not found or time.monotonic() > deadline:
                self._served.discard(folder)
                return {"killed": killed, "left": found}
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            killed += len(found)
            time.sleep(0.005)


def _pods(folder: Path, known: set[int]) -> list[int]:
    """Processes that have a working directory below a folder, or are told to have been started
    there, and are still there."""
    told = set()
    for events in folder.glob("runs/*/job*/events"):
        lines = [json.loads(line) for line in events.read_text().splitlines()]
        over = {each["pod"] for each in lines if "code" in each}
        told |= {each["pid"] for each in lines if "pid" in each and each["pod"] not in over}
    found = []
    for pid in _children() - known:
        with suppress(OSError):
            if pid in told or Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(folder):
                found.append(pid)
    return found


def _listening(port: int) -> socket.socket:
    """On a port that a server has had before this one: a moment ago."""
    for _ in range(100):
        with suppress(OSError):
            return socket.create_server(("127.0.0.1", port), backlog=128)
        time.sleep(0.05)
    return socket.create_server(("127.0.0.1", port), backlog=128)


def _children() -> set[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(word) for each in tasks for word in each.read_text().split()}


def _ending(work: Any) -> None:
    """The end of a child: nothing of its parent is done twice."""
    code: object = 1
    try:
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Import all that is needed, and work."""
    warnings.simplefilter("ignore")
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the tests
    import by_kfp  # noqa: F401
    import standin_server  # noqa: F401
    from kfp import components, local  # noqa: F401
    from kfp.local.orchestrator import enhanced_dag_orchestrator, task_executor  # noqa: F401

    gc.collect()
    gc.freeze()
    hatchery = Hatchery()
    try:
        hatchery.work()
    finally:
        hatchery.end_all()


if __name__ == "__main__":
    main()
