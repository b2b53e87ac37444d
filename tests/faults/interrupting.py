"""Interrupts a run before each single change of a file, and looks at what the next run makes of it:
`interrupting.py PIPELINE HOW [FIRST EVERY]`. Prints JSON. With FIRST and EVERY it is done before
every so manieth change, counted from 0. `interrupting.py PIPELINE HOW STORE` takes a store with a
defect, until that is found.

HOW is what happens to a change: "die" (the run is killed in its place), "die halfway" (half of the
data is written), or "full" (the disk is full, for this one change). What counts are the changes
below the folders of the store and of the user; a run's own effects lie beside these.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from changing_calls import Change
from children import child
from crashing import EFFECTS, InPlace, complaints
from interrupted_pipelines import PIPELINES
from supervised import Answer, supervised

from penstock import LocalArtifactStore, LocalOrchestrator, Run, Stack, Status
from penstock.errors import PenstockError, RunFailed
from penstock.runtime.ledger import Ledger

Digests = dict[str, tuple[tuple[str, str], ...]]
"""Step → its outputs and their digests."""

STORES = {"in-place": InPlace}
HOW: dict[str, Answer] = {"die": "die", "die halfway": "die halfway", "full": errno.ENOSPC}


@dataclass(frozen=True)
class Trial:
    """A pipeline to be interrupted, and how."""

    pipeline: str
    how: str
    kind: type[LocalArtifactStore]

    @property
    def resumes(self) -> bool:
        """Whether the next run is told to go on with this one."""
        return self.pipeline == "uncached"

    def stack(self) -> Stack:
        store = self.kind(path=str(Path("store").absolute()))
        return Stack("s", orchestrator=LocalOrchestrator(max_workers=2), artifact_store=store)

    def ready(self) -> Any:
        """The pipeline, in a folder and a home of its own."""
        EFFECTS.mkdir(exist_ok=True)
        os.environ["HOME"] = home = str(Path("home").absolute())
        os.environ["XDG_CONFIG_HOME"] = f"{home}/.config"
        os.environ["XDG_CACHE_HOME"] = f"{home}/.cache"
        return PIPELINES[self.pipeline].on(self.stack())


@dataclass
class Interruption:
    """Lets so many changes pass, and answers the next one in another way."""

    folder: str
    number: int
    answer: Answer
    seen: list[str] = field(default_factory=list)
    happened: bool = False

    def decide(self, change: Change) -> Answer:
        if not change.path.startswith((f"{self.folder}/store", f"{self.folder}/home")):
            return "go on"
        if self.answer == "die halfway" and not change.holds_data:
            return "go on"
        self.seen.append(f"{change.name} {plain(change.path.removeprefix(self.folder))}")
        if self.happened or len(self.seen) != self.number:
            return "go on"
        self.happened = True
        return self.answer


def plain(path: str) -> str:
    """A path without what differs from run to run."""
    path = re.sub(r"\d{8}-\d{6}-\w{4}-\w{4}", "RUN", path)
    return re.sub(r"/tmp/[\w-]+|(key|hashed)-\w+", "/tmp/…", path)


def digests(run: Run[Any]) -> Digests:
    """What all steps of a run gave."""
    return {
        view.id: tuple((name, each.digest) for name, each in view.record.outputs.items())
        for view in run
    }


def at_work() -> dict[str, int]:
    """How often each step was at work so far."""
    return {path.name: path.stat().st_size for path in EFFECTS.iterdir()}


def committed(stack: Stack, runs: list[str]) -> set[str]:
    """The steps whose results the killed runs have published: for the cache, or for themselves."""
    ledger = Ledger(stack.artifact_store, make=False)
    folders = ledger.store.keys("cache/")
    entries = [entry.name for folder in folders for entry in ledger.store.keys(folder.key)]
    found = [ledger.cached(name) for name in entries]
    # Without a key that could be kept, nobody else may unpickle what a process has left.
    mine = [item for item in found if item is not None and item.run in runs and item.verified]
    return {item.call for item in mine}


def recorded(stack: Stack, runs: list[str]) -> set[str]:
    """The steps of which the killed runs have a record, whatever the cache knows."""
    ledger = Ledger(stack.artifact_store, make=False)
    return {call for run in runs for call in ledger.run(run).calls if ledger.step(run, call)}


def again(trial: Trial, pipeline: Any, runs: list[str]) -> Run[Any]:
    """The next run; of steps that no cache remembers it takes what the killed one has."""
    if trial.resumes and runs:
        return cast("Run[Any]", pipeline.with_options(resume="last").run())
    return cast("Run[Any]", pipeline.run())


def judged(trial: Trial, expected: Digests) -> tuple[list[str], int]:
    """What is wrong after an interruption, and how many steps were committed before it."""
    pipeline, stack = trial.ready(), trial.stack()
    try:
        # A folder with nothing in it is no run: the kill came before the first record.
        store = stack.artifact_store
        ledger = Ledger(store, make=False)
        runs = [run for run in ledger.runs() if any(store.keys(f"runs/{run}/"))]
        problems = [] if trial.how == "full" else [x for r in runs for x in complaints(stack, r)]
        done, before = committed(stack, runs), at_work()
        if trial.resumes:
            done |= recorded(stack, runs)
        run = again(trial, pipeline, runs)
        found = digests(run)  # of a map that is taken from the cache, not of its items
        other = found.items() - expected.items() or {*run.record.calls} - found.keys()
        if run.status is not Status.COMPLETED or other:
            problems.append(f"the next run is {run.status} and gives something else: {other}")
        problems += complaints(stack, run.id)
    except PenstockError as error:
        return [f"{type(error).__name__}: {error}"], 0
    once_more = {name for name, times in at_work().items() if times > before.get(name, 0)}
    problems += [f"{name} was done and is done again" for name in sorted(once_more & done)]
    return problems, len(done)


def refused(work: Callable[[], object]) -> Callable[[], object]:
    """The work, on a disk that is full: an error of ours is as good as success, another one is
    not."""

    def tried() -> None:
        try:
            work()
        except RunFailed as error:
            if not isinstance(error.__cause__, PenstockError):
                raise
        except PenstockError:
            return

    return tried


def interrupted(trial: Trial, number: int) -> tuple[Interruption, int]:
    """One run, and what it said when it ended."""
    what = Interruption(os.getcwd(), number, HOW[trial.how])
    status = supervised(refused(lambda: trial.ready().run()), what.decide)
    return what, status


def told(trial: Trial, number: int, expected: Digests) -> dict[str, Any] | None:
    """What becomes of one interruption; None if the run ended before it."""
    what, status = interrupted(trial, number)
    if not what.happened:
        return None
    problems, done = child(lambda: judged(trial, expected))
    if trial.how == "full" and status != 0:
        problems.append(f"the run ended with {status}")
    return {"at": what.seen[number - 1], "problems": problems, "committed": done}


def undisturbed(trial: Trial) -> Digests:
    """What a run gives that nobody interrupts. It loads here what every run needs."""
    run = trial.ready().run()
    assert run.status is Status.COMPLETED
    return digests(run)


def trials(trial: Trial, place: Path, numbers: Iterable[int]) -> Iterator[dict[str, Any]]:
    """Interruptions, one after the other, each in a folder of its own."""

    def inside(name: str) -> None:
        (place / name).mkdir()
        os.chdir(place / name)

    inside("undisturbed")
    expected = undisturbed(trial)
    for number in numbers:
        inside(str(number))
        found = told(trial, number, expected)
        if found is None:
            return
        yield found


def until_wrong(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in found:
        yield each
        if each["problems"]:
            return


def main(pipeline: str, how: str, *words: str) -> None:
    kind = STORES[words[0]] if len(words) == 1 else None
    first, every = (0, 1) if kind else map(int, words or (0, 1))
    with TemporaryDirectory(prefix="penstock-") as place:
        trial = Trial(pipeline, how, kind or LocalArtifactStore)
        found = trials(trial, Path(place).resolve(), count(1 + first, every))
        print(json.dumps(list(until_wrong(found) if kind else found)))
        os.chdir("/")


if __name__ == "__main__":
    main(*sys.argv[1:])
