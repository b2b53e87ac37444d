"""Carrying: what a pod does once it has the code, and it is known which run it belongs to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from penstock.artifacts import trust
from penstock.artifacts.values import Values
from penstock.errors import CannotRun, RunCancelled, StepTimeout, StoreError
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, StepRun
from penstock.runtime import at_once, environments, logs, observer, terminal
from penstock.runtime.cache import Cache
from penstock.runtime.capturing import capture
from penstock.runtime.earlier import NOBODY
from penstock.runtime.elsewhere import alarm
from penstock.runtime.elsewhere.beating import Beating
from penstock.runtime.elsewhere.later import LaterStep
from penstock.runtime.elsewhere.one_each import OneEach
from penstock.runtime.elsewhere.told import WHOLE, Told
from penstock.runtime.executor import Executor
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.flusher import flusher
from penstock.runtime.guarded import Guarded
from penstock.runtime.ledger import Get, Ledger
from penstock.runtime.planner import Found
from penstock.runtime.pulse import Work
from penstock.runtime.secrets import Secrets
from penstock.runtime.stopping import Stopped
from penstock.stack.orchestrator import ENVIRONMENT
from penstock.stack.project import Project
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import resuming
else:
    resuming = lazy("penstock.runtime.resuming")  # only for runs that go on with another one


class Carrying:
    """One step of a run, or some items of a map."""

    def __init__(
        self, told: Told, stack: Stack, ledger: Ledger, record: RunRecord, plan: Plan,
        secrets: Secrets,
    ) -> None:  # fmt: skip
        """`record` is that of the run, as far as the pattern of its job goes."""
        self.plan = plan
        self.secrets = secrets
        self.calls = _meant(plan, told)
        self.current = ""
        """The call that is carried out."""
        self._told = told
        self._stack = stack
        self._ledger = ledger
        self._record = record
        self._tries = OneEach(ledger, record.run)
        fingerprints = Fingerprints()
        values = Values(ledger.store, fingerprints.of_names)
        cache = Cache(ledger, values, fingerprints)
        self._observer = Guarded(observer.Lines(capture.beside(sys.stderr)), self.secrets.mask)
        self.executor = Executor(
            self.plan, stack, ledger, values, cache, self._observer, Found({}, {}), self.secrets,
            earlier=resuming.named(told.resumed, ledger, cache) if told.resumed else NOBODY,
            tries=self._tries, limit=partial(alarm.limit, kill=self._kill),
        )  # fmt: skip
        self.executor.plan_digest = told.plan
        self._beating = Beating(ledger, record, told.name, self.executor)

    def load(self) -> None:
        """Import the module of the step that is meant, and see that it has what it needs here.

        Raises `NotFound`, `CannotRun`, or whatever that module raises.
        """
        for step in {id(call.step): call.step for call in self.calls}.values():
            assert isinstance(step, LaterStep)
            step.load()
        problems = list(Secrets(self._stack, self.calls[:1], Project.find().root).problems())
        if problems:
            raise CannotRun(f"In the pod, {'; '.join(problems)}")
        self._note_environment()

    def carry_out(self) -> bool:
        """Whether all of it is done now."""
        if notice := trust.news(self._ledger.keys):
            self._observer.note(notice)
        executor = self.executor
        work = Work(executor.stop, self._beating.look, self._give_up)
        log = logs.StepLog(self._ledger.store, self.plan.run, logs.RUN, self.secrets.mask)
        self._beating.ask()
        if executor.stop.requested:
            raise Stopped
        secrets = self.secrets.provided(only=self.calls[0])
        try:
            with secrets, work, capture.captured(log), work.ending():
                self._gather(self.calls)
                share = self._told.share
                if share is not None and self.calls[0].over:
                    return self._mapped(self.calls[0])
                return self._each(self.calls)
        finally:
            self._beating.end()

    def _each(self, calls: Iterable[Call]) -> bool:
        """Carry them out one after the other; one that fails keeps no other one from it."""
        done = [self._one(call) for call in calls]
        return all(done)

    def _one(self, call: Call) -> bool:
        """Carry a call out, unless that was done."""
        executor = self.executor
        if call.id in executor.results:
            return executor.results[call.id].usable
        self.current = call.id
        for name in sorted(call.upstream - executor.results.keys()):
            self._have(name, call)
        refused = self._tries.refused(call)
        if refused is not None:
            self._observer.note(_refusal(call, refused))
        result = refused or executor.execute(call.id)
        self._show(result)
        return result.usable

    def _mapped(self, call: Call) -> bool:
        """Those items of a map that are this pod's; all of it if they were the last."""
        executor, share = self.executor, self._told.share or WHOLE
        if call.id in executor.results:
            return True
        for name in sorted(call.upstream - executor.results.keys()):
            self._have(name, call)
        executor.expand(call.id)
        if not executor.is_expanded(call.id):  # it is one record, whoever writes it
            return share.number > 0 or self._one(call)
        items = executor.expansions.items(call)
        mine = [items[place] for place in share.among(len(items))]
        self._gather(mine)
        if not self._each(mine):
            return False
        self._ledger.store.flush()
        left = {item.id for item in items} - executor.results.keys() - self._recorded(call)
        if left:  # whoever does the last of them goes on from here
            return True
        self._gather(items)
        return executor.execute(call.id).usable

    def _gather(self, calls: Sequence[Call]) -> None:
        """Read what was done of these calls, and of all that they need."""
        wanted = dict.fromkeys(call.id for call in calls)
        wanted |= dict.fromkeys(up for call in calls for up in sorted(call.upstream))
        results = self.executor.results
        reads = {name: partial(self._found, name) for name in wanted if name not in results}
        found = at_once.read_all(self._ledger.store, reads)
        results.update({name: record for name, record in found.items() if record is not None})

    def _found(self, call: str, get: Get | None = None) -> StepRun | None:
        """What this run has of a call, or had from the cache when it was planned."""
        found = self._ledger.step(self.plan.run, call, get)
        if found is None and call in self._record.hits:
            found = self._ledger.hit_of(self._record, call, get)
        return found

    def _have(self, name: str, call: Call) -> None:
        """See to it that there is what another step gives. Raises `CannotRun`.

        What was left out of the job, because it was in the cache, is computed again if it is gone.
        """
        missing = CannotRun(f"Step {call.id} needs step {name}, which is not done yet.")
        if name not in self._record.hits:
            raise missing
        needed = self.plan.graph.calls[name]
        self._gather([needed])
        self._observer.note(f"{name} is computed again: it was cached, and it is gone")
        if not self._one(needed):
            raise missing

    def _recorded(self, call: Call) -> set[str]:
        """The items of a map of which this run has records."""
        entries = self._ledger.store.keys(f"runs/{self.plan.run}/steps/{call.id}.")
        return {entry.name.removesuffix(".json") for entry in entries}

    def _note_environment(self) -> None:
        orchestrator = self._stack.orchestrator
        text = os.environ.get(ENVIRONMENT)
        text = text or orchestrator.environment_of(self.calls[0], self.plan.settings)
        if text is not None:
            with suppress(StoreError):  # the next pod does it as well
                environments.noted(self._ledger.store, text)

    def _show(self, result: StepRun) -> None:
        """Of a step that has failed, where."""
        if result.failure is not None:
            with suppress(OSError, ValueError):  # the step's log has it
                terminal.write(result.failure.traceback, capture.beside(sys.stderr))

    def _kill(self, call: Call, error: StepTimeout) -> NoReturn:
        """A step has taken too long and does not come back: end without it.

        The other items of a map that this pod was to do are left to the next one that the engine
        starts for them: it does what is not done.
        """
        try:
            self._show(self.executor.give_up(call, error))
            self._beating.end()
            flusher.flush()
        finally:
            os._exit(1)

    def _give_up(self) -> NoReturn:
        """It is to end, and the step does not come back: end without it."""
        stop = self.executor.stop
        try:
            self.executor.abandon(stop.why)
            self._beating.end()
            flusher.flush()
        finally:
            os._exit(128 + stop.number if stop.number else RunCancelled.exit_code)


def planned(data: bytes, run: str) -> Plan:
    """A plan of which no step is looked for yet: no module of the user's is imported."""
    return Plan.from_bytes(data, run, LaterStep)


def _meant(plan: Plan, told: Told) -> list[Call]:
    """The calls that are to be carried out; of a map over a list known at run time, the map."""
    calls = plan.graph.calls
    if told.share is None or (told.call in calls and calls[told.call].over):
        return [_known(plan, told.call)]
    items = [call for call in calls.values() if call.item and _map_of(call) == told.call]
    if not items:
        return [_known(plan, told.call)]
    return [items[place] for place in told.share.among(len(items))]


def _known(plan: Plan, call: str) -> Call:
    if call not in plan.graph.calls:
        raise CannotRun(f"The plan of run {plan.run} has no step {call!r}.")
    return plan.graph.calls[call]


def _refusal(call: Call, last: StepRun) -> str:
    return (
        f"{call.id} is not tried again: attempt {last.attempt} failed "
        f"({observer.first_line(last)}), and {last.final}. A pod that somebody starts once its "
        "retries are used up does try it. The error was:"
    )


def _map_of(call: Call) -> str:
    return call.id.rpartition(".")[0]
