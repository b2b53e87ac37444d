"""Sends signals to runs at random instants and looks at what is left: `signalling.py ROUNDS`.

Each round is a run in a child that gets a signal somewhere in the time that a run takes, from its
first line to the end of its interpreter, and then the same run again, which must give what an
undisturbed one gives. With `--deaf` the runs do not listen. Prints JSON.
"""

import ctypes
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Never

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.runtime.ledger import Ledger
from penstock.step_operators.subprocess import SubprocessStepOperator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
LATE = 60.0
"""Seconds after which a run that was told to stop, and has 5 for it, is told to be still there."""


@step
def begin(round: int) -> int:
    if "--deaf" in sys.argv:  # long enough to see that the run goes on
        time.sleep(2)
    return 1


@step
def loop(round: int, number: int, after: int) -> int:
    """Python all the time, beside others like it in other threads."""
    end = time.perf_counter() + 0.15
    while time.perf_counter() < end:
        pass
    return number


@step
def asleep(round: int, after: int) -> int:
    time.sleep(0.1)
    return after + 1


@step
def in_c(round: int, after: int) -> bytes:
    """A call that no signal ends."""
    ctypes.CDLL(None).usleep(50_000)
    return hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 150_000)


@step(step_operator="apart")
def apart(round: int, after: int) -> int:
    time.sleep(0.1)
    return after + 1


@step
def end(round: int, found: Any) -> str:
    return repr(found)


@pipeline(progress=False)
def threads(round: int) -> str:
    first = begin(round)
    return end(round, [loop(round, number, first) for number in range(3)])


@pipeline(progress=False)
def sleeping(round: int) -> str:
    return end(round, in_c(round, asleep(round, begin(round))))


@pipeline(progress=False)
def operated(round: int) -> str:
    return end(round, apart(round, begin(round)))


KINDS = (threads, sleeping, operated)


def stack(round: int) -> Stack:
    """A stack with a store that nobody else uses."""
    return Stack(
        "s",
        orchestrator=LocalOrchestrator(max_workers=3),
        artifact_store=LocalArtifactStore(path=str(Path(f"store{round}").absolute())),
        step_operators=[SubprocessStepOperator(name="apart")],
    )


def child(kind: Any, round: int, deaf: bool) -> int:
    pid = os.fork()
    if not pid:
        _run(kind, round, deaf)
    return pid


def _run(kind: Any, round: int, deaf: bool) -> Never:
    """A process that runs a pipeline and ends as every interpreter does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if deaf:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    kind.on(stack(round)).run(round)
    sys.exit(0)


def ended(pid: int) -> int | None:
    """The exit code; None if it does not end."""
    until = time.monotonic() + LATE
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def digests(run: Run[Any]) -> dict[str, str]:
    return {view.id: view.output.artifact.digest for view in run}


def complaints(runs: list[Run[Any]], number: int, sent: float, code: int | None) -> Iterator[str]:
    """What is wrong after a signal."""
    if code is None:
        yield f"{signal.Signals(number).name}: still there after {LATE:g} s"
    for run in runs:
        done = Status.COMPLETED, Status.LOST if number == signal.SIGKILL else Status.STOPPED
        # Between its first record and our handlers a run has done nothing yet.
        early = run.status is Status.LOST and not any(view.status.usable for view in run)
        if run.status not in done and not early:
            yield f"{signal.Signals(number).name}: it is {run.status}, and ended with {code}"
        if run.status is Status.STOPPED and run.reason not in ("Ctrl-C", "SIGTERM"):
            yield f"it was stopped by {run.reason!r}"
        for view in run:
            if view.record.started > sent + 1:
                yield f"{view.id} began after the signal"
            if view.status not in (Status.COMPLETED, Status.STOPPED, Status.PENDING):
                yield f"{view.id} is {view.status}"


class Rounds:
    """All rounds, one after the other."""

    def __init__(self, deaf: bool) -> None:
        self._deaf = deaf
        self._chance = random.Random(7)
        self._whole: dict[str, float] = {}
        self._expected: dict[str, dict[str, str]] = {}
        self.statuses: dict[str, dict[str, int]] = {}
        self.slowest = 0.0

    def prepare(self) -> None:
        """What an undisturbed run of each kind takes and gives."""
        for number, kind in enumerate(KINDS, 1):
            start = time.perf_counter()
            os.waitpid(child(kind, -number, False), 0)
            self._whole[kind.name] = time.perf_counter() - start
            self._expected[kind.name] = digests(Client(stack(-number)).run("last"))

    def carry_out(self, round: int) -> Iterator[str]:
        kind, number = KINDS[round % 3], SIGNALS[round // 3 % 3]
        pid = child(kind, round, self._deaf)
        time.sleep(self._chance.uniform(0, self._whole[kind.name]))
        sent = time.time()
        os.kill(pid, number)
        code = ended(pid)
        runs = [found for found in Client(stack(round)).runs() if found.record.calls]
        yield from complaints(runs, number, sent, code)
        self._count(round, number, sent, runs)
        again = kind.on(stack(round)).run(round)
        if again.status is not Status.COMPLETED or digests(again) != self._expected[kind.name]:
            yield f"run again, it gave {digests(again)}"

    def _count(self, round: int, number: int, sent: float, runs: list[Run[Any]]) -> None:
        name = f"{KINDS[round % 3].name} {signal.Signals(number).name}"
        counts = self.statuses.setdefault(name, {})
        for status in [str(run.status) for run in runs] or ["no run"]:
            counts[status] = counts.get(status, 0) + 1
        for run in runs:
            sealed = Ledger(stack(round).artifact_store).sealed(run.id)
            if sealed is not None:
                self.slowest = max(self.slowest, sealed.ended - sent)


def main(count: int, deaf: bool) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    rounds = Rounds(deaf)
    rounds.prepare()
    problems = [
        f"round {round}: {text}" for round in range(count) for text in rounds.carry_out(round)
    ]
    print(
        json.dumps({"problems": problems, "statuses": rounds.statuses, "slowest": rounds.slowest})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), "--deaf" in sys.argv)
