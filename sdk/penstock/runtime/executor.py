"""The executor: how a step runs, on every orchestrator, in every process."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from types import CoroutineType
from typing import TYPE_CHECKING, Final

from penstock.artifacts.source import Writing, unnoticed
from penstock.artifacts.trust import Keyring
from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.errors import LostStep, PenstockError, StackError, StepError
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Failure, Status, StepRun
from penstock.runtime import calling, conditions, held, hooks, retrying
from penstock.runtime.attempt import Attempt
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.elsewhere.handed import Handed, is_whole
from penstock.runtime.expansion import Expansions
from penstock.runtime.inputs import Inputs
from penstock.runtime.item_lists import ItemLists
from penstock.runtime.ledger import Ledger
from penstock.runtime.observer import first_line
from penstock.runtime.outputs import Outputs
from penstock.runtime.planner import Found
from penstock.runtime.runid import nonce
from penstock.runtime.search import Search
from penstock.runtime.secrets import Secrets
from penstock.runtime.stopping import CTRL_C, Stop, Stopped, is_end
from penstock.runtime.tracebacks import trim
from penstock.runtime.traces import Traces
from penstock.stack.orchestrator import Job, Observer
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import checkpoints
    from penstock.runtime.checkpoints import Checkpoints
    from penstock.runtime.elsewhere import apart, vanished
    from penstock.stack import blame
else:
    apart = lazy("penstock.runtime.elsewhere.apart")  # only for steps in processes of their own
    checkpoints = lazy("penstock.runtime.checkpoints")  # only for steps that ask for them
    vanished = lazy("penstock.runtime.elsewhere.vanished")  # only when something has gone wrong
    blame = lazy("penstock.stack.blame")


_NO_KEY: Final = Key("", "{}")
"""What a call has that is not even looked up."""


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
    ) -> None:
        self.plan = plan
        self.secrets = secrets
        self.stack = stack
        self._limit = limit
        self._ledger = ledger
        self._values = values
        self._cache = cache
        self._observer = observer
        self.results: dict[str, StepRun] = dict(found.hits)
        """What is known of each call so far."""
        self._known: dict[str, Miss | StepRun] = dict(found.misses)
        self._earlier = earlier
        self.digests: dict[str, str] = {}
        """Digests of the records that were written here."""
        self.errors: dict[str, BaseException] = {}
        """What the failed steps raised."""
        self.running: dict[str, float] = {}
        """Calls that are being carried out → when they began, seconds since 1970, UTC."""
        self.stop = Stop()
        """Whether the run is to stop: then no step begins, and nobody waits for another attempt."""
        self._inputs = Inputs(plan, self.results, values)
        lists = ItemLists(values, cache.code_now, cache.canonical)
        self._outputs = Outputs(values, lists)
        self.expansions = Expansions(plan, self.results, values, lists)
        """The items of maps over lists known at run time."""
        self._begun_maps: set[str] = set()
        self.traces = Traces()
        """What the steps leave behind in this process."""

    @cached_property
    def pending(self) -> Sequence[str]:
        return [call for call in self.plan.graph.calls if call not in self.results]

    def record(self, call_id: str) -> StepRun | None:
        return self._ledger.step(self.plan.run, call_id)

    def command(self, call_id: str) -> Sequence[str]:
        return [
            *[sys.executable, "-m", "penstock.runtime.entrypoint"],
            *["--run", self.plan.run, "--call", call_id, "--plan", self._plan_digest],
            *["--stack", json.dumps(self.plan.stack)],
            *(["--resumed", self._earlier.runs[0].run] if self._earlier.runs else ()),
        ]

    @cached_property
    def _plan_digest(self) -> str:
        return of_buffers([self.plan.to_bytes()])

    @property
    def keys(self) -> Keyring:
        """Those that sign and verify its records."""
        return self._ledger.keys

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
        if call.over:
            return self._mapped(call, environment, writing, by)
        self._begin(call)
        if (skipped := self._skipped(call)) is not None:
            return self._done(call, skipped)
        operated = call.step.options.step_operator is not None
        if operated or (environment is not None and by is None):
            if (hit := self._hit(call)) is not None:
                return self._done(call, hit)
            self._tell_start(call)
            return self._done(call, self._handed_over(call, environment or {}), told=True)
        result = self._carried_out(call, told=True, writing=writing, by=by)
        return self._done(call, result, told=True)

    def expand(self, call_id: str) -> Sequence[Call]:
        call = self.plan.graph.calls[call_id]
        if self.stop.requested:
            raise Stopped
        if not call.over or call_id in self.results or not self._has_all_for(call):
            return ()
        if call_id not in self._begun_maps and not self._expanded(call):
            return ()
        return [item for item in self.expansions.items(call) if item.id not in self.results]

    def _has_all_for(self, call: Call) -> bool:
        """Whether all that a call needs is done, here or by somebody else."""
        for up in call.upstream - self.results.keys():
            if (record := self.record(up)) is None:
                return False
            self.results[up] = record
            self.digests[up] = self._ledger.step_digest(self.plan.run, up)
        return all(self.results[up].usable for up in call.upstream)

    def _expanded(self, call: Call) -> bool:
        """Find out what a map becomes, unless it is skipped or all of it is in the cache. What is
        wrong with its list is said where it is gathered: there is a record for it."""
        apart = self._is_apart(call)
        found = self._known.get(call.id)
        if isinstance(found, StepRun):
            return False
        found = self._skipped(call) or found
        if found is None:
            found = Miss(self._cache.key(call, self.results)) if apart else self._look_up(call)
        self._known[call.id] = found
        if isinstance(found, StepRun):
            return False
        try:
            items = self.expansions.items(call)
        except PenstockError:
            return False
        search = Search(self.plan, self.results, self._earlier, self._cache, self._ledger)
        if not apart:
            self._known.update(search.misses(items, self.stop))
        self.digests.update(search.write(call, len(items)))
        self._begun_maps.add(call.id)
        if search.count:
            self._observer.note(f"{call.id}: {search.count:,} of {len(items):,} are cached")
        return True

    def _mapped(
        self,
        call: Call,
        environment: Mapping[str, str] | None,
        writing: Writing,
        by: Callable[[Job, str], None] | None,
    ) -> StepRun:
        """Run the items of a map that nobody has run, one after the other; then gather them. The
        first that fails is what becomes of it."""
        for item in self.expand(call.id):
            result = self.record(item.id) or self.execute(
                item.id, environment=environment, writing=writing, by=by
            )
            self.results[item.id] = result
            if not result.usable:
                return result
        self._begin(call)
        found = self._known.pop(call.id, None) or self.results[call.id]
        if isinstance(found, Miss):
            reusable = self.plan.controls(call).cache and not self._is_apart(call)
            found, _ = self._attempt(call, found, 1, reusable, writing)
        return self._done(call, found)

    def _skipped(self, call: Call) -> StepRun | None:
        """The record of a call that is not to run: because of a condition, or because of what was
        skipped and cannot be None. Of a condition that cannot be read, the record of that."""
        if not conditions.may_be_skipped(call, self.results):
            return None
        attempt = Attempt(
            call, self.plan.run, Miss(_NO_KEY), 1, self._ledger.store, self.secrets.mask,
            lambda: self._checkpoints(call, _NO_KEY),
        )  # fmt: skip
        try:
            with attempt, self.stop.reach():
                load = partial(self._inputs.condition, call=call, folder=attempt.scratch.folder)
                why = conditions.why_skipped(call, self.results, load)
                outputs = self._outputs.nothing(call, self._count(call)) if why else {}
        except BaseException as error:
            result = self._failed(call, attempt, error)
            if is_end(type(error)):
                raise
            return result
        if not why:
            return None
        result = StepRun(
            self.plan.run, call.id, call.step.reference, Status.SKIPPED, outputs=outputs,
            started=time.time(), verified=True, why=self.secrets.mask.text(why),
        )  # fmt: skip
        self.digests[call.id] = self._ledger.finish(result, reusable=False)
        return result

    def _count(self, call: Call) -> int | None:
        """How many items a map has that is skipped; nothing if its list was skipped, too."""
        if not call.over or conditions.has_no_list(call, self.results):
            return None
        return len(self.expansions.items(call))

    def _is_apart(self, call: Call) -> bool:
        """Whether a step has other packages than this process, and so other keys."""
        name = call.step.options.step_operator
        operator = self.stack.step_operator(name) if name is not None else None
        return operator is not None and operator.own_environment

    def execute_here(self, call_id: str, number: int = 1, missed: Miss | None = None) -> StepRun:
        """Run the call in this process, also if a step operator is meant to: it has called us.

        Hooks are told by whoever called the operator. `number` is that of the first attempt.
        `missed` is what the cache has said, if it was asked already.
        """
        call = self.expansions.call(call_id)
        self._begin(call)
        if missed is not None:
            self._known[call_id] = missed
        return self._done(call, self._carried_out(call, number))

    def _carried_out(
        self,
        call: Call,
        number: int = 1,
        *,
        told: bool = False,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """Look the call up, and try it as often as it may be tried."""
        reusable = self.plan.controls(call).cache
        found = self._known.pop(call.id, None) or self._look_up(call)
        if isinstance(found, StepRun):
            return found
        if found.useless:
            self._cache.forget(found.key)
        if told:
            self._tell_start(call, found.key)
        if by is not None:
            return self._handed_over(call, {}, found, by)
        while True:
            result, error = self._attempt(call, found, number, reusable, writing)
            if error is None or not self._tries_again(call, result, error):
                return result
            number += 1
            writing(0)

    def take_over(self, calls: Iterable[str]) -> None:
        """Make results of a run that is resumed records of this one."""
        for call in calls:
            self.digests[call] = self._ledger.finish(self.results[call], reusable=False)

    def _tries_again(self, call: Call, result: StepRun, error: BaseException) -> bool:
        return retrying.tries_again(call, result, error, self._observer, self.stop)

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
        if told and result.status is not Status.CACHED:
            options = call.step.options
            hook = options.on_success if result.failure is None else options.on_failure
            hooks.call(hook, result, self._observer)
        return result

    def _tell_start(self, call: Call, key: Key | None = None) -> None:
        if (hook := call.step.options.on_start) is not None:
            digest, parts = (key.digest, key.parts) if key else ("", "{}")
            now = time.time()
            record = StepRun(
                self.plan.run, call.id, call.step.reference, Status.RUNNING, digest, parts,
                started=now,
            )  # fmt: skip
            hooks.call(hook, record, self._observer)

    def _collected(self, call: Call, result: StepRun) -> StepRun:
        """The failure of an item of a map as its outputs, for this run only."""
        if result.outputs or result.failure is None:
            return result
        outputs = self._outputs.in_place(call, result.failure)
        result = replace(result, outputs=outputs, verified=True)
        self.digests[call.id] = self._ledger.finish(result, reusable=False)
        return result

    def settle(self) -> Status:
        """Read what was done in other processes, and say what became of the run."""
        for call in self.pending:
            if call not in self.results and (record := self._recorded(call)) is not None:
                self.results[call] = record
            if call not in self.results and self.plan.graph.calls[call].over:
                self.results.update(self._failed_items(call))
        if any(not item.usable for item in self.results.values()):
            return Status.FAILED
        done = self.results.keys() >= self.plan.graph.calls.keys()
        return Status.COMPLETED if done else Status.STOPPED

    def _failed_items(self, call: str) -> dict[str, StepRun]:
        """The items of a map that failed in other processes: it has no record for that."""
        tried = self._ledger.store.keys(f"runs/{self.plan.run}/attempts/")
        names = [each.name for each in tried if each.name.startswith(f"{call}.")]
        found = {name: record for name in names if (record := self._recorded(name)) is not None}
        return {name: record for name, record in found.items() if not record.usable}

    def _recorded(self, call: str) -> StepRun | None:
        """What the store says of a call: its result, else its last attempt."""
        found = self.record(call)
        if found is not None:
            self.digests[call] = self._ledger.step_digest(self.plan.run, call)
        elif attempts := self._ledger.attempts(self.plan.run, call):
            found = attempts[-1]
        return found

    def _handed_over(
        self,
        call: Call,
        environment: Mapping[str, str],
        missed: Miss | None = None,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """Have the call run by its step operator, by somebody else, or in a process of its own. It
        is tried again there, and here if whoever tried has vanished."""
        name = call.step.options.step_operator
        operator = self.stack.step_operator(name) if name is not None else None
        run = by or (apart.run if operator is None else operator.run)
        environment = {**self.stack.environment, **self.secrets.of(call), **environment}
        number = 1
        while True:
            job = Handed(self, environment, number, missed, call if call.of else None)
            result, error = self._handed(call, partial(run, job, call.id), number)
            if error is None or not self._tries_again(call, result, error):
                return result
            number = result.attempt + 1

    def _handed(
        self, call: Call, run: Callable[[], None], number: int
    ) -> tuple[StepRun, BaseException | None]:
        """What became of it, as the store says; and the error if that says nothing."""
        name = call.step.options.step_operator
        raised = None
        try:
            with self.stop.reach():
                run()
        except Exception as error:
            trim(error)
            raised = error
        except BaseException as error:  # Ctrl-C, or the end of the process
            left = self._recorded(call.id) or self._stopped(call, str(error) or CTRL_C)
            self._given_up(left)
            raise
        # The step's own story comes first: an operator may raise because the step failed.
        found = self._recorded(call.id)
        if found is not None and is_whole(found, number, call, raised):
            if (failure := found.failure) is not None:
                told = StepError(failure.kind, failure.message, failure.traceback)
                self.errors[call.id] = told
            return found, None
        number = max(number, found.attempt + 1 if found is not None else 1)
        lost, named = vanished.vanished(
            self.plan.run, call, name, raised, number, self._ledger.store, self.secrets.mask,
            self.running.get(call.id, time.time()),
        )  # fmt: skip
        self._ledger.attempt(lost, named)
        self.errors[call.id] = why = raised or LostStep(first_line(lost))
        return lost, None if isinstance(why, StackError) else why

    def abandon(self, why: str) -> None:
        """Write down as stopped what is still carried out, and does not come back in time."""
        for call in list(self.running):
            self._stopped(self.expansions.call(call), why)

    def _given_up(self, result: StepRun) -> None:
        """A call is left without a result, because everything is to end."""
        self.running.pop(result.call, None)
        self._observer.step_finished(result)

    def _stopped(self, call: Call, why: str) -> StepRun:
        """Write down that a call was stopped, in the place of whoever carries it out."""
        now = time.time()
        started = self.running.get(call.id, now)
        failure = Failure("Stopped", why, f"The run was stopped: {why}.\n")
        record = StepRun(
            self.plan.run, call.id, call.step.reference, Status.STOPPED, started=started,
            wall=now - started, failure=failure,
        )  # fmt: skip
        self._ledger.attempt(record, nonce())
        return record

    def _hit(self, call: Call) -> StepRun | None:
        """What the cache has for a call that is to run in another process, if one with other
        packages need not be asked."""
        reusable = self.plan.controls(call).cache
        if call.id in self._known or not (reusable or self._earlier.runs):
            return None
        if self._is_apart(call):
            return None
        found = self._look_up(call)
        return found if isinstance(found, StepRun) else None

    def _look_up(self, call: Call) -> StepRun | Miss:
        """A hit that was found while running belongs to this run's records, too."""
        key = self._cache.key(call, self.results)
        controls = self.plan.controls(call)
        found = self._cache.look_up(key, controls)
        found = self._earlier.instead(found, call.id, key) or found
        if isinstance(found, Miss):
            return found
        result = found.reused(self.plan.run, call.id)
        self.digests[call.id] = self._ledger.finish(result, reusable=False)
        return result

    def _attempt(
        self, call: Call, missed: Miss, number: int, reusable: bool, writing: Writing
    ) -> tuple[StepRun, BaseException | None]:
        """One attempt, from the inputs to the record. What the step raises becomes a record, and
        comes with it."""
        attempt = Attempt(
            call, self.plan.run, missed, number, self._ledger.store, self.secrets.mask,
            lambda: self._checkpoints(call, missed.key),
        )  # fmt: skip
        try:
            with attempt, self.stop.reach():
                if call.over:
                    outputs, read = self.expansions.gathered(call)
                    reusable = reusable and not self.expansions.failed(call)
                else:
                    first, rest, read = self._inputs.arguments(call, attempt.scratch.folder)
                    with self._limit(call):
                        value = call.step.function(*first, **rest)
                        if type(value) is CoroutineType:
                            value = calling.awaited(value, call)
                    alone = held.by_nobody_else(value)
                    outputs = self._outputs.saved(call, value, writing if alone else unnoticed)
        except BaseException as error:
            result = self._failed(call, attempt, error)
            if is_end(type(error)):
                raise
            return result, error
        if reusable and (now := self._inputs.changed(call)):
            # Nobody knows which of the two it has seen: for a cache that is not good enough.
            self._observer.note(f"{call.id} is not kept in the cache, an input has changed: {now}")
            reusable = False
        result = attempt.completed(outputs, read, self._ledger.keys.signing.id)
        replaces = self.plan.controls(call).replaces
        self.digests[call.id] = self._ledger.finish(result, reusable=reusable, replaces=replaces)
        attempt.context.done()
        return result, None

    def _failed(self, call: Call, attempt: Attempt, error: BaseException) -> StepRun:
        """The record of an attempt that has raised this."""
        result = attempt.failed(blame.blamed(error) or error)
        self._ledger.attempt(result, attempt.nonce)
        if is_end(type(error)):  # Ctrl-C, or the end of the process
            self._given_up(result)
        else:
            self.errors[call.id] = error
        return result

    def _checkpoints(self, call: Call, key: Key) -> Checkpoints:
        return checkpoints.Checkpoints(
            self._ledger, self._values, self.plan.run, call.id, key.digest,
            self.plan.controls(call),
        )  # fmt: skip
