"""Kills runs at random instants and looks at what is left: `crashing.py ROUNDS [--in-place]`.

Each round is a run in a forked child that is killed somewhere in the time that a run takes, and
then the same run again, which must do only what is left to do. With `--in-place` the store has a
defect, and the first round that shows it is the last. Prints JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

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
from penstock.artifacts.store import Buffer
from penstock.artifacts.values import Values
from penstock.errors import KeyTaken, PenstockError
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger

EFFECTS = Path("effects")


@dataclass(frozen=True, kw_only=True)
class InPlace(LocalArtifactStore):
    """A store with a defect: whoever looks at the wrong time sees half of an object."""

    flavor: ClassVar[str] = "in-place"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        target = Path(self.path, key)
        target.parent.mkdir(parents=True, exist_ok=True)
        data = b"".join(buffers)
        try:
            with open(target, "xb" if exclusive else "wb", buffering=0) as file:
                file.write(data[: len(data) // 2])
                time.sleep(0.005)  # most of a run's time is spent with a half-written object
                file.write(data[len(data) // 2 :])
        except FileExistsError:
            raise KeyTaken(key) from None

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        taken = []
        for key in keys:
            try:
                self.put(key, [data], exclusive=True)
            except KeyTaken:
                taken.append(key)
        return tuple(taken)


def mark(name: str) -> None:
    with open(EFFECTS / name, "ab", buffering=0) as file:
        file.write(b"x")


@step
def small(round: int, name: str, after: Any = None) -> int:
    mark(f"{round}-{name}")
    return len(name) + round


@step
def large(round: int, name: str, after: Any = None) -> bytes:
    mark(f"{round}-{name}")
    time.sleep(0.001)
    return (name * 8_000).encode() + str(round).encode()


@step
def both(round: int, name: str, items: list[Any]) -> tuple[int, bytes]:
    mark(f"{round}-{name}")
    return len(items), b"".join(item for item in items if isinstance(item, bytes))


@pipeline(progress=False)
def twenty(round: int) -> Any:
    """Twenty steps: a chain, a fan-out, a fan-in, and a chain."""
    last: Any = small(round, "begin")
    for number in range(5):
        last = (small if number % 2 else large)(round, f"chain-{number}", last)
    wide = [(large if n % 2 else small)(round, f"wide-{n}", last) for n in range(8)]
    count, data = both(round, "join", wide)
    for number in range(5):
        data = (large if number % 2 else small)(round, f"tail-{number}", data)
    return count, data


def child(stack: Stack, round: int) -> int:
    pid = os.fork()
    if not pid:
        try:
            twenty.on(stack).run(round)
        finally:
            os._exit(0)
    return pid


def times(round: int) -> dict[str, int]:
    """How often each step of a round was carried out."""
    prefix = f"{round}-"
    found = EFFECTS.glob(f"{prefix}*")
    return {path.name.removeprefix(prefix): path.stat().st_size for path in found}


def named(run: Run[Any]) -> dict[str, str]:
    """The names that the steps of a run mark themselves with, by their ids."""
    return {
        view.id: json.loads(json.loads(view.record.parts)["parameters"]["name"]) for view in run
    }


def complaints(stack: Stack, run: str) -> Iterator[str]:
    """What is wrong with the records of one run."""
    ledger = Ledger(stack.artifact_store)
    values = Values(stack.artifact_store, Fingerprints().of_names)
    try:
        record = ledger.run(run)
        ledger.sealed(run)
        done = {
            call: found
            for call in record.calls
            if (found := ledger.step(run, call) or ledger.hit(run, call))
        }
        for call in record.calls:
            ledger.attempts(run, call)
        for call, found in done.items():
            for name, artifact in found.outputs.items():
                if not values.is_there(artifact):
                    yield f"{call} has no object for {name}"
                else:
                    values.buffer(artifact, call)
        status = Client(stack).run(run).status
        if status is Status.COMPLETED and len(done) < len(record.calls):
            yield f"{len(done)} of {len(record.calls)} steps, and it is {status}"
        if status not in (Status.COMPLETED, Status.LOST):
            yield f"it is {status}"
    except PenstockError as error:
        yield f"{type(error).__name__}: {error}"


def committed(stack: Stack, run: str) -> set[str]:
    """The cache keys of what a killed run had finished."""
    ledger = Ledger(stack.artifact_store)
    folders = ledger.store.keys("cache/")
    entries = [entry for folder in folders for entry in ledger.store.keys(folder.key)]
    found = [ledger.cached(entry.name) for entry in entries]
    return {item.key for item in found if item is not None and item.run == run}


def survived(stack: Stack, round: int, delay: float) -> tuple[list[str], int]:
    """One round: what is wrong, and how many steps were done when the run was killed."""
    pid = child(stack, round)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        # A folder with nothing in it is no run: the kill came before the first record.
        store = stack.artifact_store
        killed = [run for run in Ledger(store).runs() if any(store.keys(f"runs/{run}/"))]
        problems = [text for run in killed for text in complaints(stack, run)]
        keys = {key for run in killed for key in committed(stack, run)}
        before = times(round)
        run = twenty.on(stack).run(round)
    except PenstockError as error:
        return [f"{type(error).__name__}: {error}"], 0
    if run.result()[0] != 8 or run.status is not Status.COMPLETED:
        problems.append("the next run ended wrong")
    again = {name for name, count in times(round).items() if count > before.get(name, 0)}
    done = {name for id, name in named(run).items() if run[id].record.key in keys}
    problems += [f"{name} was done and is done again" for name in again & done]
    problems += complaints(stack, run.id)
    return problems, len(keys)


def fresh(round: int, kind: type[LocalArtifactStore]) -> Stack:
    """A stack with a store that nobody has used."""
    store = kind(path=str(Path(f"store{round}").absolute()))
    return Stack("s", orchestrator=LocalOrchestrator(), artifact_store=store)


def main(rounds: int, kind: type[LocalArtifactStore]) -> None:
    EFFECTS.mkdir(exist_ok=True)
    chance = random.Random(4)
    twenty.on(fresh(-1, kind)).run(-1)
    begin = time.perf_counter()
    os.waitpid(child(fresh(-2, kind), -2), 0)
    whole = time.perf_counter() - begin
    problems, reached = [], []
    for round in range(rounds):
        found, count = survived(fresh(round, kind), round, chance.uniform(0, whole))
        # Machines are slow and fast by turns: follow them, so that kills fall all over a run.
        whole *= 0.95 if count == 20 else 1.02
        problems += [f"round {round}: {text}" for text in found]
        reached.append(count)
        if problems and kind is InPlace:
            break
    print(json.dumps({"problems": problems, "reached": reached}))


if __name__ == "__main__":
    main(int(sys.argv[1]), InPlace if "--in-place" in sys.argv else LocalArtifactStore)
