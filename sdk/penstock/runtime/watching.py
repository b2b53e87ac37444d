"""Watching: a run that goes on elsewhere, told as it happens, until it is certain how it ended.

Each look lists the folder of the run once and reads what is new in it. Now and then the engine is
asked, too. If nobody else seals the run, whoever watches does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property
from typing import Final

from penstock.errors import EngineError, RunFailed, StoreError, StoreUnavailable
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status
from penstock.runtime import logs, provenance, status, terminal
from penstock.runtime.capturing import capture
from penstock.runtime.elsewhere import jobs, sealing, verdict
from penstock.runtime.elsewhere.verdict import Verdict
from penstock.runtime.engines import Engine
from penstock.runtime.following import Follower, LogFollower
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.runtime.observer import RunObserver
from penstock.runtime.pulse import Work
from penstock.runtime.snapshot import Snapshot
from penstock.runtime.stopping import Stop, Stopped, Terminated
from penstock.stack.orchestrator import Orchestrator

NEAR: Final = 0.5
"""Seconds between two looks into a folder."""

LONGEST: Final = 10.0
"""Seconds between two looks into a distant store, if each costs many requests."""

BLIND: Final = 300.0
"""Seconds that a store may not answer before the watching ends."""

LAST_WORD: Final = 5.0
"""Seconds that an engine has at the end to say whether it agrees."""

EXPLAINING: Final = 30.0
"""Seconds that it has to say why a run was lost, if it is still ending the job."""

Heard = Callable[[str, str], None]
"""Is told a step, and what it has said."""


class Watching:
    """One run, from now on."""

    def __init__(
        self, ledger: Ledger, record: RunRecord, plan: Callable[[], Plan],
        orchestrator: Orchestrator | None, told: RunObserver, heard: Heard | None = None,
        calls: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Without an `orchestrator` to ask, the records are all there is. What these steps say, by
        default all of them, `heard` is told; if it is None, nobody reads that."""
        self.record = record
        self._plan = plan
        self._ledger = ledger
        self._snapshot = Snapshot(ledger.store, f"runs/{record.run}/")
        self._seen = Ledger(self._snapshot, make=False)
        self._seen.keys = ledger.keys
        self.follower = Follower(self._seen, record, told)
        self._logs = LogFollower(self._seen, record, calls or (*record.calls, logs.RUN))
        self._heard = heard
        self._told = told
        self._engine = Engine(orchestrator, record, told.note) if orchestrator else None
        self._noted: dict[str, str] = {}
        """What the engine has said of single steps, and was told."""
        self._verdict: Verdict | None = None
        self._since = 0.0
        """When it was reached, by the monotonic clock."""
        self._lost_since: float | None = None
        """Since when it is known that it was lost, and not why, by the monotonic clock."""
        self._stop = Stop()
        self._cost = 1
        """Requests of the last look."""
        self._blind_since: float | None = None
        """Since when the store does not answer, by the monotonic clock."""

    @property
    def is_gone(self) -> bool:
        """Whether the engine has lost the job."""
        return self._verdict is not None and self._verdict.is_gone

    def begin(self) -> None:
        """Tell what was known when the run started."""
        self._snapshot.look()
        self.follower.begin()
        if url := jobs.page_of(self._snapshot, self.record.run):
            self._told.note(f"submitted to {self._name}: {url}")
        alone = self.record.elsewhere and self._engine is None
        if alone and self._seen.sealed(self.record.run) is None:
            self._told.note(
                f"no stack here has the orchestrator {self.record.orchestrator!r} that could be "
                "asked how the run is doing: it is watched by its records"
            )

    def until_over(self, seconds: float | None = None) -> Status | None:
        """How it has ended; None if it goes on after so many seconds. What ends the watching before
        that, Ctrl-C for example, says so and leaves the run alone."""
        end = time.monotonic() + seconds if seconds is not None else float("inf")
        try:
            with self._work():
                while (found := self._looked()) is Status.RUNNING:
                    left = end - time.monotonic()
                    if left <= 0:
                        return None
                    if self._stop.event.wait(min(self._pause, left)):
                        raise Stopped
                return found
        except (KeyboardInterrupt, Terminated, Stopped) as error:
            if self.record.elsewhere:
                take_leave(self.record.run, self._name)
            raise self._stop.instead(self.record.run, error) from None

    def look(self) -> Status:
        """Tell what is new, and say how the run is doing."""
        before = self._requests
        self._snapshot.look()
        sealed = self._seen.sealed(self.record.run)
        if sealed is None:
            self._ask()
        found = self._judged() if sealed is None else self._explained(sealed)
        if self._heard is not None:  # what a step has said comes before the line that it is done
            for call, text in self._logs.look(last=found is not Status.RUNNING):
                self._heard(call, text)
        self.follower.tell(found)
        if found is not Status.RUNNING:
            self._compare(found)
        self._cost = self._requests - before
        return found

    def failed(self, error: RunFailed | None) -> RunFailed | None:
        """What is raised of a run that ended like this: with another exit code if it is the engine
        that has lost it."""
        if error is not None and self.is_gone:
            error.exit_code = EngineError.exit_code
        return error

    @property
    def _name(self) -> str:
        return self._engine.name if self._engine else self.record.orchestrator

    @property
    def _requests(self) -> int:
        return self._snapshot.asked + (self._engine.asked if self._engine else 0)

    @property
    def _pause(self) -> float:
        """Seconds until the next look: so many that there is no more than one request in each."""
        if not self._snapshot.distant:
            return NEAR
        return max(1.0, min(float(self._cost), LONGEST))

    @property
    def _remote_id(self) -> str | None:
        noted = jobs.job_for(self._snapshot, self.record)
        return self._engine.believed(noted) if self._engine else noted

    def _looked(self) -> Status:
        """The same; while the store does not answer, what happens there is not known."""
        try:
            found = self.look()
        except StoreUnavailable as error:
            now = time.monotonic()
            if self._blind_since is None:
                self._blind_since = now
                self._told.note(f"{error.message} The run is watched as soon as that is over.")
            if now - self._blind_since > BLIND:
                raise
            return Status.RUNNING
        self._blind_since = None
        return found

    def _ask(self, *, soon: bool = False) -> None:
        """Tell what is new of what the engine says, and ask it again if it is time for that."""
        engine = self._engine
        if engine is None:
            return
        self._tell(engine)  # what it said before this look: a step may have said more
        remote_id = self._remote_id
        engine.look(remote_id, soon=soon or self._looks_over(engine))
        if remote_id is None and engine.seen is not None:
            # Whoever submitted it did not come to write that down.
            seen = engine.seen
            jobs.submitted_as(self._snapshot, self.record.run, seen.remote_id, seen.url)

    def _tell(self, engine: Engine) -> None:
        """Pass on what is new of what it says of steps."""
        if engine.seen is None:
            return
        for call, why in verdict.untold(self._seen, self.record, engine.seen).items():
            if self._noted.get(call) != why:
                self._noted[call] = why
                self._told.note(f"{engine.name} says of step {call}: {why}")

    def _looks_over(self, engine: Engine) -> bool:
        """Whether it is time to ask a little sooner: a step has failed, or all are done."""
        record = self.record
        if engine.seen is None or status.done(self._seen, record).issuperset(record.calls):
            return True
        silent = self._seen.signs(record).since_beat() > LONGEST
        return silent and any(self._snapshot.tree(f"runs/{record.run}/attempts/"))

    def _judged(self) -> Status:
        """How a run is doing that is not sealed; once that is certain, it is."""
        found = verdict.of_run(self._seen, self.record, self._engine, self._remote_id, self._ends)
        if found != self._verdict:
            self._verdict, self._since = found, time.monotonic()
        if found is None or time.monotonic() - self._since < found.after:
            return Status.RUNNING
        return self._sealed(found) if found.seals else found.status

    @cached_property
    def _ends(self) -> bool:
        """Whether the engine starts somebody who seals the run."""
        return self._engine is not None and self._plan().ends

    def _sealed(self, found: Verdict) -> Status:
        """Write down how it ended; what counts is what somebody has written first."""
        run = self.record.run
        if found.is_unsent:  # should the job come after all, it ends by itself
            self._ledger.cancel(run, provenance.user(), provenance.host())
        writing = Ledger(self._ledger.store)
        end = sealing.end(self._seen, self.record, self._plan(), found.status, found.why)
        with suppress(StoreError):  # who may only read knows as much
            writing.end(end)
            return (writing.sealed(run) or end).status
        return end.status

    def _explained(self, sealed: End) -> Status:
        """How a run is that is sealed. If a process there has sealed it as lost, the engine may
        know why, and that is written down as well: until then, or for a while, it goes on."""
        engine = self._engine
        if engine is None or not sealing.is_unexplained(self._seen, self.record, sealed):
            return sealed.status
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
        self._ask(soon=True)
        waits = now - self._lost_since < (EXPLAINING if engine.answers else LAST_WORD)
        if waits and not (engine.is_over or engine.is_silent or engine.missed):
            return Status.RUNNING
        self._tell(engine)
        if engine.seen is not None:
            self._explain(sealed, verdict.reason(self._seen, self.record, engine.name, engine.seen))
        return sealed.status

    def _explain(self, sealed: End, why: str) -> None:
        """Write down why it was lost. Nothing of the seal is taken over that the records do not
        say: it would be signed by another key."""
        if not why:
            return
        end = sealing.end(self._seen, self.record, self._plan(), sealed.status, why)
        if end.status is sealed.status:
            with suppress(StoreError):  # who may only read was told it
                Ledger(self._ledger.store).explain(replace(end, ended=sealed.ended), sealed)

    def _compare(self, found: Status) -> None:
        """Say it if the engine has another opinion of how the run ended."""
        engine = self._engine
        if engine is None or not engine.asked:
            return
        if found is Status.COMPLETED:
            engine.look_again(self._remote_id, LAST_WORD)
        if (seen := engine.seen) is None or not seen.is_over:
            return
        if (seen.status is Status.COMPLETED) != (found is Status.COMPLETED):
            self._told.note(f"{engine.name} says {seen.word}, the records say {found}")

    def _work(self) -> AbstractContextManager[None]:
        """While this goes on, a signal ends it, and nothing else."""
        return Work(self._stop, None, _nothing) if self.record.elsewhere else nullcontext()


def take_leave(run: str, name: str) -> None:
    """Say of a run that it goes on, to somebody who does not watch it any more."""
    line = (
        f"run {run} goes on at {name}: penstock run watch {run}; "
        f"to stop it: penstock run cancel {run}"
    )
    with suppress(OSError, ValueError, AttributeError):
        terminal.write(f"{line}\n", capture.beside(sys.stderr))


def _nothing() -> None:
    """There is nothing to write down: the run goes on."""
