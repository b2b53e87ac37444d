"""The executor: how a step runs, on every orchestrator, in every process."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from typing import Final, NamedTuple, TypeVar

from penstock.artifacts.source import Writing, unnoticed
from penstock.artifacts.trust import Keyring
from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Status, StepRun
from penstock.runtime import calling, hooks, retrying
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.elsewhere.handing import Handing
from penstock.runtime.healing import ROUNDS, Healing
from penstock.runtime.ledger import Ledger
from penstock.runtime.maps import Maps
from penstock.runtime.planner import Found
from penstock.runtime.progress import Progress
from penstock.runtime.retrying import Tries
from penstock.runtime.secrets import Secrets
from penstock.runtime.sent import Sent
from penstock.runtime.skips import Skips
from penstock.runtime.stopping import Stopped
from penstock.runtime.traces import Traces
from penstock.runtime.trials import Trials
from penstock.stack.orchestrator import Job, Observer
from penstock.stack.stack import Stack

_dump: Final = json.JSONEncoder().encode

R = TypeVar("R")


class Way(NamedTuple):
    """How a call is to be carried out; see `Job.execute`."""

    environment: Mapping[str, str] | None = None
    by: Callable[[Job, str], None] | None = None


class Executor:
    """A job (see `penstock.stack.orchestrator.Job`): the calls of one plan, carried out."""

    def __init__(
        self,
        plan: Plan,
        stack: Stack,
        ledger: Ledger,
        values: Values,
        cache: Cache,
        observer: Observer,
        found: Found,
        secrets: Secrets,
        limit: Callable[[Call], AbstractContextManager[None]] = calling.limit,
        earlier: Earlier = NOBODY,
        sent: Sent | None = None,
        tries: Tries = retrying.HERE,
    ) -> None:
        """`sent` is what other machines need, if the steps run there."""
        self.plan = plan
        self._sent = sent
        self._tries = tries
        self.secrets = secrets
        self.stack = stack
        self._observer = observer
        self._progress = progress = Progress(
            plan, stack, ledger, values, cache, observer, found, secrets, earlier
        )
        self.results = progress.results
        self.digests = progress.digests
        self.errors = progress.errors
        self.running = progress.running
        self.stop = progress.stop
        self.expansions = progress.expansions
        self._trials = Trials(progress, limit)
        self._skips = Skips(progress, self._trials)
        self._maps = Maps(progress, self._trials, self._skips)
        self._handing = Handing(self, progress, tries)
        self._healing = Healing(progress)
        self.traces = Traces()
        """What the steps leave behind in this process."""

    @cached_property
    def pending(self) -> Sequence[str]:
        return [call for call in self.plan.graph.calls if call not in self.results]

    def record(self, call_id: str) -> StepRun | None:
        return self._progress.record(call_id)

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        self._progress.ledger.store.flush()  # for the other process
        earlier = self._progress.earlier.runs
        resumed = ["--resumed", earlier[0].run] if earlier else []
        return [*self._entrypoint(run, job), "--call", call_id, *resumed]

    def ending(self, *, run: str, job: str) -> Sequence[str]:
        return [*self._entrypoint(run, job), "--end"]

    def _entrypoint(self, run: str, job: str) -> Sequence[str]:
        """What is said of a run, whatever is to be done of it."""
        said = {"run": run or self.plan.run, "plan": self.plan_digest}
        if (sent := self._sent) is not None:
            python = f"{sys.version_info[0]}.{sys.version_info[1]}"
            said |= {"job": job, "record": sent.record, "code": sent.code, "store": sent.store}
            said |= {"python": python}
        said["stack"] = _dump(self.plan.stack)
        flags = (each for name, text in said.items() if text for each in (f"--{name}", text))
        return [sys.executable, "-m", "penstock.runtime.entrypoint", *flags]

    @cached_property
    def plan_digest(self) -> str:
        """That of the plan, by which any other process finds it."""
        return of_buffers([self.plan.to_bytes()])

    @property
    def keys(self) -> Keyring:
        """Those that sign and verify its records."""
        return self._progress.ledger.keys

    @property
    def environment(self) -> Mapping[str, str]:
        return self.stack.environment | self.secrets.literal

    def execute(
        self,
        call_id: str,
        *,
        environment: Mapping[str, str] | None = None,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        call = self.expansions.call(call_id)
        way = Way(environment, by)
        if call.over:
            result = self._mapped(call, way, writing)
            result = self._healed(call, result, way, lambda _: self._mapped(call, way, writing))
            return self._done(call, result) if result.call == call_id else result
        self._begin(call)
        skipped = self._skips.record(call)
        if skipped is not None:
            skipped = self._healed(call, skipped, way, lambda _: self._skips.record(call))
        if skipped is not None:
            return self._done(call, skipped)
        carry_out = self._manner(call, way)
        result = carry_out(self._tries.first(call), told=True, writing=writing)
        if result.failure is not None:
            result = self._healed(call, result, way, partial(carry_out, writing=writing))
        return self._done(call, result, told=True)

    def expand(self, call_id: str) -> Sequence[Call]:
        return self._maps.expand(self.plan.graph.calls[call_id])

    def is_expanded(self, call_id: str) -> bool:
        """Whether a map has become its items here, and was not taken or skipped as a whole."""
        return call_id in self._maps.begun

    def execute_here(self, call_id: str, number: int = 1, missed: Miss | None = None) -> StepRun:
        """Run the call in this process, also if a step operator is meant to: it has called us.

        Hooks are told by whoever called the operator, who also has computed again what the call
        needs and cannot find. `number` is that of the first attempt. `missed` is what the cache
        has said, if it was asked already.
        """
        call = self.expansions.call(call_id)
        self._begin(call)
        if missed is not None:
            self._progress.known[call_id] = missed
        return self._done(call, self._tried(call, number))

    def take_over(self, calls: Iterable[str]) -> None:
        """Make results of a run that is resumed records of this one."""
        for call in calls:
            self._progress.keep(self.results[call])

    def settle(self) -> Status:
        """Read what was done in other processes, and say what became of the run."""
        return self._progress.settled(self.pending)

    def abandon(self, why: str) -> None:
        """Write down as stopped what is still carried out, and does not come back in time."""
        for call in list(self.running):
            self._progress.stopped(self.expansions.call(call), why)

    def give_up(self, call: Call, error: BaseException) -> StepRun:
        """Write down why a call has ended that does not come back, and tell of it; the process is
        to end then. For other threads."""
        return self._done(call, self._trials.given_up(call, error), told=True)

    def _mapped(self, call: Call, way: Way, writing: Writing) -> StepRun:
        """Run the items of a map that nobody has run, one after the other; then gather them. The
        first that fails is what becomes of it."""
        for item in self.expand(call.id):
            result = self.record(item.id) or self.execute(
                item.id, environment=way.environment, writing=writing, by=way.by
            )
            self.results[item.id] = result
            if not result.usable:
                return result
        if call.id not in self.running:
            self._begin(call)
        return self._maps.gathered(call, writing)

    def _manner(self, call: Call, way: Way) -> Callable[..., StepRun]:
        """How a call is carried out: by its step operator or in another process, or here.

        To be called, not to call: there are few frames of ours above a step's.
        """
        operated = call.step.options.step_operator is not None
        if not operated and (way.environment is None or way.by is not None):
            return partial(self._tried, call, by=way.by)
        return partial(self._handed, call, way)

    def _handed(
        self, call: Call, way: Way, number: int = 1, *, told: bool = False,
        writing: Writing = unnoticed,
    ) -> StepRun:  # fmt: skip
        """What becomes of a call that runs elsewhere, unless the cache has it."""
        if (hit := self._progress.hit(call)) is not None:
            return hit
        if told:
            self._tell_start(call)
        return self._handing.result(call, way.environment or {}, number)

    def _tried(
        self,
        call: Call,
        number: int = 1,
        *,
        told: bool = False,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """Look the call up, and try it as often as it may be tried."""
        progress = self._progress
        reusable = self.plan.controls(call).cache
        found = progress.known.pop(call.id, None) or progress.look_up(call)
        if isinstance(found, StepRun):
            return found
        if found.useless:
            progress.cache.forget(found.key)
        if told:
            self._tell_start(call, found.key)
        if by is not None:
            return self._handing.result(call, {}, number, found, by)
        while True:
            result, error = self._trials.once(call, found, number, reusable, writing)
            # What it needs may be gone: then it is not the call that must be tried again.
            if error is None or self._healing.concerns(call, result):
                return result
            if not self._tries.again(call, result, error, self._observer, self.stop):
                return result
            number += 1
            writing(0)

    def _healed(
        self, call: Call, result: StepRun | R, way: Way, again: Callable[[int], StepRun | R]
    ) -> StepRun | R:
        """The same result, or that of another try if it failed for want of what it was given, and
        that could be computed again. Another try is no other attempt."""
        for _ in range(ROUNDS):
            if not isinstance(result, StepRun):
                break
            if not self._healing.heals(call, result, partial(self._again, way)):
                break
            result = again(result.attempt)
        return result

    def _again(self, way: Way, call: Call) -> StepRun:
        """Carry a call out once more that was done. Nobody is told: it has begun and ended."""
        carry_out = partial(self._mapped_again, call, way) if call.over else self._manner(call, way)
        with self.secrets.provided(only=call):
            return self._healed(call, carry_out(), way, carry_out)

    def _mapped_again(self, call: Call, way: Way, _: int = 1) -> StepRun:
        """Those items of a map once more that have gone; all that is not in the cache if the map
        was taken from there as a whole. What cannot be had again is missed by whoever needs it."""
        known = self._progress.known
        if call.id in self._maps.begun:
            known[call.id] = Miss(self._progress.cache.key(call, self.results))
        elif not self._maps.begin(call):
            return self._maps.gathered(call, unnoticed)
        for item in self.expansions.items(call):
            if item.id in self.results:
                self._healing.restore(item.id, call, partial(self._again, way))
                continue
            result = self.results[item.id] = self._again(way, item)
            if not result.usable:
                return result
        return self._maps.gathered(call, unnoticed)

    def _begin(self, call: Call) -> None:
        if self.stop.requested:
            raise Stopped
        self.running[call.id] = time.time()
        self._observer.step_started(call)

    def _done(self, call: Call, result: StepRun, *, told: bool = False) -> StepRun:
        self.running.pop(call.id, None)
        if not self.running and (found := self.traces.directory()) is not None:
            self._observer.note(
                f"{call.id} has changed the working directory to {found}; it is put back"
            )
        if result.failure is not None and call.item and self.stack.orchestrator.collects:
            result = self._collected(call, result)
        self.results[call.id] = result
        self._observer.step_finished(result)
        if told and result.status is not Status.CACHED and self._tries.ends(call, result):
            options = call.step.options
            hook = options.on_success if result.failure is None else options.on_failure
            if hook is not None:
                self._progress.ledger.store.flush()  # it may look there by itself
            hooks.call(hook, result, self._observer)
        return result

    def _tell_start(self, call: Call, key: Key | None = None) -> None:
        if call.step.options.on_start is not None and self._tries.begins(call):
            self._progress.ledger.store.flush()  # it may look there by itself
            hooks.tell_start(call, self.plan.run, self._observer, key)

    def _collected(self, call: Call, result: StepRun) -> StepRun:
        """The failure of an item of a map as its outputs, for this run only."""
        if result.outputs or result.failure is None:
            return result
        outputs = self._progress.outputs.in_place(call, result.failure)
        result = replace(result, outputs=outputs, verified=True)
        self._progress.keep(result)
        return result
