"""Many processes want one result at once, while somebody deletes what lies in the store:
`crowd.py PROCESSES ROUNDS [STORE]`. Prints JSON.

Each process runs a pipeline of one step, and one in which another step needs that result, again and
again. All have been forked from this one, so that they begin in the same moment.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from children import at_once, forked

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.artifacts.store import Buffer
from penstock.errors import NoSuchKey

ROWS = b"0123456789abcdef" * 640

TRIES = 25
"""How often one looks for a result while others wait for the processor, and one deletes it."""


LOOKS = Path("looks")
"""How often somebody looked for a result."""


@dataclass(frozen=True, kw_only=True)
class Forgetful(LocalArtifactStore):
    """A store with a defect: it says that an object is gone in words that nobody expects."""

    flavor: ClassVar[str] = "forgetful"

    def get(self, key: str) -> Buffer:
        try:
            return super().get(key)
        except NoSuchKey:
            if key.startswith("objects/"):
                raise KeyError(key) from None
            raise


STORES = {"local": LocalArtifactStore, "forgetful": Forgetful}


@step
def rows() -> bytes:
    return b"".join([ROWS])


@step(cache=False)
def total(rows: bytes) -> int:
    return sum(rows)


@pipeline(progress=False)
def alone() -> bytes:
    return rows()


@pipeline(progress=False)
def needed() -> int:
    return total(rows())


def one(stack: Stack, rounds: int) -> Counter[str]:
    """What one process has seen."""
    seen: Counter[str] = Counter()
    for _ in range(rounds):
        seen[alone_once(stack)] += 1
        seen[needed_once(stack)] += 1
    return seen


def alone_once(stack: Stack) -> str:
    """What was computed may be deleted before it is looked at. Then the error says to run the
    pipeline again: that must help, if not each time."""
    for _ in range(TRIES):
        try:
            run = alone.on(stack).run()
        except Exception as error:
            return f"alone: {type(error).__name__}: {error}"
        found = loaded(run, ROWS, run["rows"].status)
        if found != "gone":
            return found
    return "gone"


def needed_once(stack: Stack) -> str:
    """An input that is deleted after it was found is computed again: nobody hears of it."""
    try:
        return loaded(needed.on(stack).run(), sum(ROWS), Status.COMPLETED)
    except RunFailed as error:
        return "input gone" if isinstance(error.__cause__, NoSuchKey) else f"needed: {error}"
    except Exception as error:
        return f"needed: {type(error).__name__}: {error}"


def loaded(run: Run[Any], right: object, status: Status) -> str:
    with LOOKS.open("ab") as looks:
        looks.write(b"x")
    try:
        return str(status) if run.result() == right else "a wrong value"
    except NoSuchKey:
        return "gone"
    except Exception as error:
        return f"result: {type(error).__name__}: {error}"


def delete(store: Path) -> None:
    """Delete an object, sometimes a cache entry, for each time that somebody looked for a result,
    for ever. Not by the clock: the fewer processors, the less would ever be there."""
    chance = random.Random(5)
    for turn in count():
        while LOOKS.stat().st_size <= turn:
            time.sleep(0.001)
        found = sorted(store.glob("cache/*/*" if turn % 5 == 0 else "objects/*/*"))
        if found:
            chance.choice(found).unlink(missing_ok=True)
            (store.parent / "deleted").open("ab").write(b"x")


def whole(stack: Stack) -> list[str]:
    """What is wrong when all have gone: the next run heals the store, and the one after it has
    nothing left to do."""
    alone.on(stack).run()
    last = alone.on(stack).run()
    wrong = [] if last["rows"].status is Status.CACHED else ["the store is not healed"]
    wrong += [] if last.result() == ROWS else ["a wrong value at the end"]
    ends = {run.status for run in Client(stack).runs(limit=None)}
    return wrong + [f"a run is {end}" for end in ends - {Status.COMPLETED, Status.FAILED}]


def main(processes: int, rounds: int, kind: str = "local") -> None:
    with TemporaryDirectory(prefix="penstock-") as place:
        os.chdir(place)
        store = STORES[kind](path=f"{place}/store")
        stack = Stack("s", orchestrator=LocalOrchestrator(max_workers=1), artifact_store=store)
        LOOKS.touch()
        needed.on(stack).run()
        somebody = forked(lambda: delete(Path(store.path)))
        found = sum(at_once(lambda: one(stack, rounds), processes), Counter())
        os.kill(somebody, signal.SIGKILL)
        os.waitpid(somebody, 0)
        deleted = Path("deleted").stat().st_size
        print(json.dumps({"seen": found, "deleted": deleted, "after": whole(stack)}))
        os.chdir("/")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
