"""Whoever submits is killed at any of its requests: no run is submitted twice, and none is lost."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any, Final

import pytest
from killing import Killing
from prod import STACKS, UNPULLABLE, Prod
from sampling import Sample
from servers import Server
from small_projects import SMALL
from standins import Hatchery, Standin
from warm import Typed, Warm

CARELESS: Final = """\
from penstock_kubeflow import KubeflowOrchestrator


class Twice(KubeflowOrchestrator):
    flavor = "twice"

    def submit(self, job, observer):
        super().submit(job, observer)
        return super().submit(job, observer)


class Forgetful(KubeflowOrchestrator):
    flavor = "forgetful"

    def seen(self, run, remote_id=None):
        return super().seen(run, remote_id) if remote_id else None
"""
"""One repeats what it has done already, and one does not look for what others have done."""

POST: Final = "engine: POST .*/runs$"
LOOKED: Final = "engine: GET .*/runs$"
NOTED: Final = "store: PUT .*/submitted.json"

TOGETHER: Final = 8
"""Trials that are judged at the same time."""


@dataclass(frozen=True)
class Trial:
    """A submission that was killed."""

    at: str
    """The request."""
    prod: Prod
    typed: Callable[..., Typed]

    def problems(self) -> Iterator[str]:
        """What is wrong with what it has left, and with what becomes of that."""
        jobs, runs = self.prod.jobs, self.prod.runs
        if unknown := {_run(job) for job in jobs} - {*runs}:
            yield f"submitted, and not written down: {unknown}"
        watched = self.typed("penstock", "run", "watch", "last").ended()
        if not runs:
            if watched.code != 4:
                yield f"there is no run, and watching it ends with {watched.code}: {watched.said}"
            return
        if self.prod.jobs:
            yield from self._picked_up(watched)
        else:
            yield from self._never_submitted(watched)
        yield from self._twice()

    def _picked_up(self, watched: Typed) -> Iterator[str]:
        if (status := self._status()) != "completed" or watched.code != 0:
            yield f"its job was there, and it is {status} ({watched.code}): {watched.said}"
            return
        again = self.typed("python", "small.py").ended()
        if again.printed != "42\n" or "cached" not in again.said:
            yield f"what it has computed is lost: {again.said}"

    def _never_submitted(self, watched: Typed) -> Iterator[str]:
        if (status := self._status()) != "stopped" or watched.code != 1:
            yield f"it has no job, and is {status} ({watched.code}): {watched.said}"
        if "never submitted" not in watched.said:
            yield f"that it was never submitted is not said: {watched.said}"
        resumed = self.typed("penstock", "run", "resume", "last").ended()
        if resumed.code != 0 or self._status() != "completed":
            yield f"it cannot be resumed: {resumed.said}"

    def _twice(self) -> Iterator[str]:
        for run, times in Counter(map(_run, self.prod.jobs)).items():
            if times > 1:
                yield f"run {run} was submitted {times} times"

    def _status(self) -> str:
        shown = self.typed("penstock", "run", "show", "last", "--json").ended()
        return str(json.loads(shown.printed)["status"]) if shown.code == 0 else shown.said


def _run(job: Mapping[str, Any]) -> str:
    return str(job["runtime_config"]["parameters"]["run"])


class Ground:
    """Where trials take place: each in a checkout and a bucket of its own."""

    def __init__(
        self, folder: Path, engine: Standin, server: Server, killing: Killing, warm: Warm
    ) -> None:
        self._folder = folder
        self._engine, self._server = engine, server
        self._killing, self._warm = killing, warm
        self._numbers = count()

    @contextmanager
    def engine_that(self, does: str) -> Iterator[None]:
        """One that does something to the first who submits."""
        self._engine.fault(POST.removeprefix("engine: "), does)
        yield
        self._engine.mend()

    def trial(
        self, number: int, what: str = "", *, reaches: bool, stacks: str = STACKS
    ) -> Trial | None:
        """Kill a submission at its request of this number, of those that match a pattern; None if
        it had ended before."""
        place = self._folder / str(next(self._numbers))
        prod = Prod(place, self._engine, self._server, stacks=stacks)
        (prod.folder / "small.py").write_text(SMALL)
        (prod.folder / "careless.py").write_text(CARELESS)

        typed = partial(prod.begun, self._warm)
        proxies = {"KFP_HOST": self._killing.engine.url, "S3_URL": self._killing.store.url}
        self._killing.aim(number, what, reaches=reaches)
        process = typed("python", "small.py", **proxies)
        self._killing.take(process.process)
        code = process.ended().code
        if not self._killing.at:
            assert (code, process.printed) == (0, "42\n"), process.said
            return None
        assert code == -signal.SIGKILL, process.said
        return Trial(self._killing.at, prod, typed)

    def swept(self, chosen: slice, *, reaches: bool) -> list[Trial]:
        """A trial at every request, or at some."""
        found = []
        for number in count(1 + (chosen.start or 0), chosen.step or 1):
            if (trial := self.trial(number, reaches=reaches)) is None:
                return found
            found.append(trial)
        return found


@pytest.fixture(scope="module")
def ground(
    hatchery: Hatchery, started: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    server, folder = started("moto"), tmp_path_factory.mktemp("killed")
    with (
        hatchery.standin(folder / "engine") as engine,
        Killing(engine.url, server.url) as killing,
        Warm(folder) as warm,
    ):
        yield Ground(folder, engine, server, killing, warm)


def wrong(trials: Sequence[Trial]) -> list[str]:
    with ThreadPoolExecutor(TOGETHER) as threads:
        found = threads.map(lambda trial: (trial.at, list(trial.problems())), trials)
        return [f"{at}: {problem}" for at, problems in found for problem in problems]


@pytest.mark.parametrize("reaches", [False, True], ids=["before it arrives", "once it is done"])
def test_who_is_killed_at_any_request_has_not_submitted_twice_and_loses_nothing(
    ground: Ground, sample: Sample, reaches: bool
) -> None:
    every = sample.every(9)
    trials = ground.swept(every, reaches=reaches)
    sample.leave_out(len(trials) * ((every.step or 1) - 1))

    assert wrong(trials) == []


def test_who_is_killed_while_looking_what_came_of_a_lost_answer(ground: Ground) -> None:
    with ground.engine_that("commit-then-cut"):
        trial = ground.trial(1, LOOKED, reaches=False)
    assert trial is not None
    assert wrong([trial]) == []
    assert len(trial.prod.jobs) == 1


def test_who_is_killed_around_the_moments_that_count(ground: Ground) -> None:
    """Before and after it is submitted, and before and after that is written down."""
    moments = product((POST, NOTED), (False, True))
    trials = [ground.trial(1, what, reaches=reaches) for what, reaches in moments]
    assert wrong([trial for trial in trials if trial is not None]) == []
    assert None not in trials


def careless(flavor: str) -> str:
    """Stacks with an orchestrator that has a defect."""
    own = f"flavors: {{{{orchestrator: {{{{{flavor}: careless:{flavor.title()}}}}}}}}}\n"
    return own + STACKS.replace("flavor: kubeflow", f"flavor: {flavor}")


def test_who_submits_twice_does_not_pass(ground: Ground) -> None:
    trial = ground.trial(1, NOTED, reaches=False, stacks=careless("twice"))
    assert trial is not None
    assert any("was submitted 2 times" in each for each in wrong([trial]))


def test_who_does_not_look_for_what_was_submitted_does_not_pass(ground: Ground) -> None:
    """Its pod does not start, which would say so."""
    stacks = careless("forgetful").replace("image: {image}", f"image: {UNPULLABLE}")
    trial = ground.trial(1, POST, reaches=True, stacks=stacks)
    assert trial is not None
    assert any("its job was there, and it is stopped" in each for each in wrong([trial]))
