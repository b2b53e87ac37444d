"""A little engine: jobs are detached processes, and what it knows of them lies in a folder."""

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from penstock import Client, Stack
from penstock.artifacts.local import LocalArtifactStore
from penstock.errors import BadConfiguration, EngineError, EngineUnsure
from penstock.model.records import Status
from penstock.stack.engine import Seen
from penstock.stack.orchestrator import NEW, Job, Observer, Orchestrator, Submitted

_dump = json.JSONEncoder().encode

JOB = str(Path(__file__).with_name("engine_job.py"))

OF: Mapping[str, Status] = {
    "PENDING": Status.PENDING, "RUNNING": Status.RUNNING, "SUCCEEDED": Status.COMPLETED,
    "FAILED": Status.FAILED, "CANCELED": Status.STOPPED,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Engine(Orchestrator):
    """Hands jobs to whoever carries out what lies in a folder."""

    flavor: ClassVar[str] = "engine"
    elsewhere: ClassVar[bool] = True

    folder: str = ""
    environment: str = ""
    """Of its pods: NAME=VALUE, with commas between them."""

    def ready(self) -> None:
        file = Path(self.folder) / "fails-ready"
        if file.exists():
            raise BadConfiguration(file.read_text())

    def submit(self, job: Job, observer: Observer) -> Submitted:
        self._fail("submit")
        commands = {
            call: list(job.command(call, run=job.plan.run, job="JOB")) for call in job.pending
        }
        if job.plan.ends:
            commands["--end"] = list(job.ending(run=job.plan.run, job="JOB"))
        remote_id = str(uuid.uuid4())
        start(Path(self.folder), remote_id, job.plan.run, commands, self._variables)
        self._fail("submitted")
        return Submitted(remote_id, self._page(remote_id))

    def seen(self, run: str, remote_id: str | None = None) -> Seen | None:
        with (Path(self.folder) / "asked").open("a") as asked:
            asked.write(f"{time.time()} {run} {remote_id}\n")
        self._fail("seen")
        places = [Path(self.folder) / remote_id] if remote_id else self._places(run)
        place = next((each for each in places if (each / "state").exists()), None)
        if place is None:
            return None
        word, *why = (place / "state").read_text().split("\n")
        calls = dict(line.split(": ", 1) for line in why if ": " in line)
        page, of = self._page(place.name), (place / "run").read_text()
        return Seen(place.name, of, OF[word], word, calls=calls, url=page)

    def cancel(self, remote_id: str) -> None:
        self._fail("cancel")
        place = Path(self.folder) / remote_id
        if (place / "process").exists():
            os.kill(int((place / "process").read_text()), signal.SIGTERM)

    def compile(self, job: Job) -> str:
        return "".join(
            f"{' '.join(job.command(call, run=NEW, job='JOB'))}\n" for call in job.pending
        )

    @property
    def _variables(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.environment.split(",") if pair)

    def _page(self, remote_id: str) -> str:
        return f"http://engine.example/{remote_id}"

    def _places(self, run: str) -> list[Path]:
        return [each.parent for each in Path(self.folder).glob("*/run") if each.read_text() == run]

    def _fail(self, where: str) -> None:
        """Do what the file of this name says: answer nothing, or die of it."""
        file = Path(self.folder) / f"fails-{where}"
        if file.exists():
            what = file.read_text()
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if what == "interrupt":
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(10)
            raise EngineUnsure(what) if what == "unsure" else EngineError(what)


@dataclass(frozen=True, kw_only=True)
class Shared(LocalArtifactStore):
    """A folder that all machines have, as a network file system would be."""

    @property
    def only_here(self) -> bool:
        return False


PROJECT = """
import os
import time
from pathlib import Path
from penstock import pipeline, step

FOLDER = Path(os.environ.get("FOLDER", "."))

def told(word):
    def hook(run):
        with (FOLDER / "told").open("a") as file:
            file.write(f"{word} {run.status}\\n")
    return hook

@step
def load(count: int) -> list[int]:
    print("loading", count)
    if count < 0:
        raise ValueError(f"no {count}")
    return list(range(count))

@step
def total(xs: list[int]) -> int:
    print("sum of", xs)
    return sum(xs)

@step
def wait(xs: list[int]) -> int:
    (FOLDER / "waits").touch()
    while not (FOLDER / "go").exists():
        time.sleep(0.05)
    return len(xs)

@pipeline
def summing(count: int = 3) -> int:
    return total(load(count))

@pipeline
def waiting(count: int = 3) -> int:
    return wait(load(count))

@pipeline(on_start=told("start"), on_success=told("success"), on_failure=told("failure"))
def hooked(count: int = 3) -> int:
    return total(load(count))

@pipeline(on_success=told("success"), on_failure=told("failure"))
def told_of(count: int = 3) -> int:
    return wait(load(count))

if __name__ == "__main__":
    import sys
    globals()[sys.argv[1]].run(*map(int, sys.argv[2:]))
"""


def register(folder: Path, name: str = "prod", engine: str = "kf") -> Stack:
    """A stack of this folder, for this process."""
    (folder / "engine").mkdir(exist_ok=True)
    orchestrator = Engine(name=engine, folder=f"{folder}/engine", environment=f"FOLDER={folder}")
    stack = Stack(name, orchestrator=orchestrator, artifact_store=Shared(path=f"{folder}/store"))
    Client().register(stack)
    return stack


def end_all(folder: Path) -> None:
    """Kill whatever goes on there."""
    for file in folder.glob("*/process"):
        with suppress(ProcessLookupError):
            os.killpg(int(file.read_text()), signal.SIGKILL)


def start(
    folder: Path, remote_id: str, run: str, commands: Mapping[str, Sequence[str]],
    environment: Mapping[str, str],
) -> None:  # fmt: skip
    """Have a job carried out by a process of its own session."""
    place = folder / remote_id
    place.mkdir(parents=True)
    (place / "run").write_text(run)
    filled = {
        call: [remote_id if word == "JOB" else word for word in words]
        for call, words in commands.items()
    }
    (place / "job").write_text(_dump({"commands": filled, "environment": environment}))
    (place / "state").write_text("PENDING")
    # No `Popen`, which complains of a child that outlives it.
    said = os.open(place / "said", os.O_WRONLY | os.O_CREAT)
    process = os.posix_spawn(
        sys.executable, [sys.executable, JOB, str(place)], os.environ, setsid=True,
        file_actions=[(os.POSIX_SPAWN_DUP2, said, 1), (os.POSIX_SPAWN_DUP2, said, 2)],
    )  # fmt: skip
    os.close(said)
    (place / "process").write_text(str(process))
