"""Runs as users see them: a door to the records and values of one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from penstock.artifacts.values import Trust, Values
from penstock.errors import (
    CorruptArtifact,
    NotFound,
    PenstockError,
    RunError,
    StoreError,
    did_you_mean,
    listed,
)  # fmt: skip
from penstock.lazy import lazy
from penstock.model import binding as bindings
from penstock.model import plain
from penstock.model import plan as plans
from penstock.model.binding import Binding, Held, Literally, Use
from penstock.model.records import Failure, RunRecord, Status, StepRun
from penstock.runtime import expansion, loading, logs, map_view, processes, provenance, scratch
from penstock.runtime.ledger import Get, Ledger
from penstock.runtime.map_view import MapView
from penstock.runtime.notation import MALFORMED, End
from penstock.runtime.observer import RunObserver
from penstock.runtime.run_maps import RunMaps
from penstock.runtime.status import run_status
from penstock.runtime.step_view import StepView
from penstock.stack.engine import Cancels

if TYPE_CHECKING:
    from penstock.runtime import at_once, engines, in_notebook, waiting, watching
    from penstock.runtime import replaying as replays
    from penstock.runtime.background import Background
    from penstock.runtime.cleaning import pins
    from penstock.runtime.elsewhere import carrying, jobs
    from penstock.runtime.explaining import difference as differences
    from penstock.runtime.explaining import why as explaining
    from penstock.runtime.explaining.change import Explanation
    from penstock.runtime.explaining.difference import Difference, Side
    from penstock.runtime.replaying import Replay
    from penstock.runtime.watching import Heard, Watching
    from penstock.stack.orchestrator import Orchestrator
else:
    replays = lazy("penstock.runtime.replaying")
    at_once = lazy("penstock.runtime.at_once")  # only where somebody looks
    carrying = lazy("penstock.runtime.elsewhere.carrying")  # only for runs elsewhere
    jobs = lazy("penstock.runtime.elsewhere.jobs")
    engines = lazy("penstock.runtime.engines")
    watching = lazy("penstock.runtime.watching")
    waiting = lazy("penstock.runtime.waiting")
    explaining = lazy("penstock.runtime.explaining.why")  # only where somebody asks
    differences = lazy("penstock.runtime.explaining.difference")
    in_notebook = lazy("penstock.runtime.in_notebook")  # only where somebody looks
    pins = lazy("penstock.runtime.cleaning.pins")

R = TypeVar("R")

FindEngine = Callable[[RunRecord], "Orchestrator | None"]
"""Finds who can be asked about a run that goes on elsewhere."""

Beat = tuple[Status, Mapping[str, float]]
"""How the run is doing, and the steps that run, or ran at the last sign of it, since when."""


class Run(Generic[R]):
    """One run of a pipeline. What it says is read from the store."""

    def __init__(
        self,
        ledger: Ledger,
        values: Values,
        record: RunRecord,
        known: Mapping[str, StepRun] | None = None,
        hints: Mapping[str, Mapping[str, Any]] | None = None,
        plan: bytes | None = None,
        end: End | None = None,
    ) -> None:
        """Whoever has planned it knows the `plan`, whatever becomes of the one in the store. `end`
        is its seal, if somebody has read it already."""
        self._ledger = ledger
        self._values = values
        self._known = known or {}
        self._hints = hints or {}
        self._steps: Mapping[str, StepView] | None = None
        self._end = end
        self._background: Background | None = None
        self._engine: FindEngine = _nobody
        if plan is not None:
            self._plan = plan
        self.record = record
        """What was known when it started."""

    @property
    def id(self) -> str:
        """UTC time and chance: `20261122-005412-k3fq-7f3a`. Its tail is enough to find it."""
        return self.record.run

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.record.pipeline

    @property
    def stack(self) -> str:
        """Name of the stack that it runs on."""
        return self.record.stack

    @property
    def started(self) -> float:
        """Seconds since 1970, UTC."""
        return self.record.started

    @property
    def duration(self) -> float:
        """Seconds from start to end, or until now; of a run that nobody has sealed and that does
        not go on, until the last sign of it."""
        sealed = self._sealed()
        if sealed is None and self.status is not Status.RUNNING:
            # Stores have clocks of their own, and some count whole seconds.
            return max(0.0, self._ledger.last_sign(self.record) - self.started)
        return (sealed.ended if sealed else time.time()) - self.started

    @property
    def status(self) -> Status:
        """What became of it, as the store says now."""
        return run_status(self._ledger, self.record, self._sealed)

    @property
    def reason(self) -> str:
        """What ended it before its time, in words; empty if nothing did."""
        sealed = self._sealed()
        return sealed.why if sealed else ""

    @property
    def failures(self) -> list[Failure]:
        """Why steps failed, each with its step; also of a completed run, which went on without
        them (`failure="collect"`)."""
        failed = (Status.FAILED, Status.TIMED_OUT)
        records = [view.record for view in self if view.status in failed]
        return [replace(item.failure, step=item.call) for item in records if item.failure]

    def wait(self, timeout: float | None = None) -> Run[R]:
        """The run itself, once it has ended, in this process, in another one, or elsewhere.

        Raises `RunFailed` as `.run()` does, and `StillRunning` after `timeout` seconds.
        """
        __tracebackhide__ = True  # pytest shows the user's frames only
        error = waiting.error_at_end(self, self._background, timeout)
        if error is not None:
            raise error
        return self

    def goes_on(self, background: Background) -> None:
        """It is carried out by a thread of this process."""
        self._background = background

    def asks(self, engine: FindEngine) -> None:
        """Who can be asked how it is doing if it goes on elsewhere; looked for when needed."""
        self._engine = engine
        self.__dict__.pop("engine", None)

    @cached_property
    def engine(self) -> Orchestrator | None:
        """The orchestrator whose engine carries it out, if it can be asked."""
        return self._engine(self.record) if self.record.elsewhere else None

    @property
    def is_here(self) -> bool:
        """Whether it was started on this machine, where it is certain if its process is there."""
        return self.record.machine == processes.machine()

    def cancel(self) -> None:
        """Stop it, wherever it runs: its own process sees this within seconds, and the engine that
        carries it out, if one does, is told.

        Raises `RunError` if it does not run, and `EngineError` or `StackError` if the engine cannot
        be told.
        """
        status, engine = self.status, self.engine
        goes_on = engine is not None and self._sealed() is None and not status.usable
        if status is not Status.RUNNING and not goes_on:
            said = "lost: nobody is there to stop it" if status is Status.LOST else status
            raise RunError(f"Run {self.id} cannot be cancelled: it is {said}.")
        self._ledger.cancel(self.id, provenance.user(), provenance.host())
        self._cancel_at(engine)

    def _cancel_at(self, engine: Orchestrator | None) -> None:
        """Have its job ended, once the engine has said that it is this run's."""
        able: object = engine
        if engine is None or not isinstance(able, Cancels):
            return
        noted = jobs.job_for(self._ledger.store, self.record)
        if (seen := engines.job(engine, self.record, noted)) is not None:
            able.cancel(seen.remote_id)

    @property
    def pinned(self) -> bool:
        """Whether no cleaning takes it away."""
        return pins.is_pinned(self._ledger.store, self.id)

    def pin(self) -> None:
        """Keep it, whatever is cleaned, until `unpin()`."""
        pins.pin(self._ledger.store, self.id)

    def unpin(self) -> None:
        """Let it go like any other run."""
        pins.unpin(self._ledger.store, self.id)

    def knows(self, run: str) -> bool:
        """Whether another run is in the same store, and was not cleaned away."""
        try:
            self._ledger.store.stat(f"runs/{run}/run.json")
        except StoreError:  # no run at all, or no name of one
            return False
        return True

    def watching(
        self, told: RunObserver, heard: Heard | None = None, calls: Sequence[str] | None = None
    ) -> Watching:
        """Tells an observer of it until its end, and somebody who has `heard` of it what these
        steps say."""
        self._end = None  # whoever watches may find out more of how it ended
        told.explained_by(
            explaining.watched(
                self._ledger, self._values, self.record, lambda: self._plan, self._record_of
            )
        )
        return watching.Watching(
            self._ledger, self.record, lambda: carrying.planned(self._plan, self.id), self.engine,
            told, heard, calls,
        )  # fmt: skip

    @property
    def steps(self) -> Mapping[str, StepView]:
        """Every step by id, in an order in which they can run."""
        if self._steps is not None:
            return self._steps
        running = self._running()
        found = {}
        for call, view in self._views(self.record.calls, running).items():
            found[call] = view
            if isinstance(view, MapView) and self._maps.has_begun(call):
                found.update(self._views(view.items, running))
        if self._sealed() is not None:  # nothing changes any more
            self._steps = found
        return found

    @overload
    def __getitem__(self, step: str) -> StepView: ...
    @overload
    def __getitem__(self, step: tuple[str]) -> Sequence[StepView]: ...
    def __getitem__(self, step: Any) -> Any:
        """A step by id; the steps that a `map` made, as a list, by the name they share."""
        if self._steps is not None and step in self._steps:
            return self._steps[step]
        if step in self.record.calls or self._maps.of(step):
            return self._view(step)
        if each := self.named(step):
            return [self._view(call) for call in each]
        raise NotFound(
            f"Run {self.id} of {self.pipeline!r} has no step {step!r}. "
            f"Its steps: {listed(self.record.calls)}.",
            hint=did_you_mean(step, self.record.calls),
        )

    def named(self, step: str) -> list[str]:
        """The ids that a name stands for: of one step, of all that a `map` made, or none."""
        if step in self.record.maps:
            return [*self._maps.items(step), step]
        if step in self.record.calls or self._maps.of(step):
            return [step]
        return [call for call in self.record.calls if self._is_item(call, step)]

    def inputs(self, step: str) -> dict[str, str]:
        """What a step was given, in words: plain data as text, anything else by its name."""
        id = self[step].id
        parent = self._maps.of(id)
        with self._reading():
            bound = plans.inputs_in(self._plan, parent or id)
            if parent:
                over = plans.over_in(self._plan, parent)
                bound[over] = self._item(bound[over], id)
        return {name: bindings.spoken(item) for name, item in bound.items()}

    def result(self) -> R:
        """What the pipeline returned, in the same shape. Raises `NotFound` if a step is missing."""
        binding = self._result
        if binding is None:
            return None  # type: ignore[return-value]
        return bindings.rebuilt(binding, self._leaf, loading.result_hint(self.record.reference))  # type: ignore[no-any-return]

    def why(self, step: str | None = None) -> list[Explanation]:
        """Why its steps ran: each beside the nearest earlier record of it. Of all steps, or of
        those that a name stands for."""
        calls = list(self.steps) if step is None else self.named(step) or [self[step].id]
        with self._reading():
            return explaining.explanations(
                self._ledger, self._values, self.record, lambda: self._plan, self._record_of, calls
            )

    def diff(self, later: Run[Any]) -> Difference:
        """What is different in another run: parameters, code, packages, steps, outputs, times."""
        with self._reading():
            return differences.between(self._values, self._side, later._side)

    def replay(self, step: str) -> Any:
        """Run one step again, here and now, on the inputs that it was given; what its function
        returns. Nothing is written down.

        Raises what the step raises, or `NotFound` if its code or its inputs are not there.
        """
        return self.replaying(step).value()

    def replaying(self, step: str) -> Replay:
        """The same, not begun yet."""
        calls = self.named(step)
        if len(calls) > 1:
            raise NotFound(
                f"{step!r} stands for {len(calls):,} steps of run {self.id}.",
                hint=f"Name one of them: {calls[0]}",
            )
        id = self[step].id
        with self._reading():
            return replays.Replay(self._ledger, self._values, self.record, self._plan, id)

    def logs(self) -> str:
        """What was printed and logged by no known step."""
        return logs.read(self._ledger.store, self.id, logs.RUN)

    def edges(self) -> Iterator[tuple[str, str, str]]:
        """(from, to, parameter) of each edge of its graph, without a parameter for `after`."""
        with self._reading():
            found = list(plans.edges_in(self._plan))
        return iter(found)

    def __repr__(self) -> str:
        try:
            said: str = self.status
        except StoreError:  # a value that cannot be shown is of no use where one looks for it
            said = "its store cannot be read"
        return f"<run {self.id} of {self.pipeline!r}: {said}>"

    def _repr_html_(self) -> str | None:
        return in_notebook.of_run(self)

    def __iter__(self) -> Iterator[StepView]:
        return iter(self.steps.values())

    def _sealed(self, _: str = "") -> End | None:
        """How it ended. Once that is written down, it stays so."""
        if self._end is None:
            self._end = self._ledger.sealed(self.id)
        return self._end

    @cached_property
    def _plan(self) -> bytes:
        return bytes(self._values.fetch(self.record.plan, f"The plan of run {self.id}"))

    @cached_property
    def _result(self) -> Binding | None:
        with self._reading():
            written = plain.decode(self._plan)["result"]
            return bindings.from_data(written) if written else None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Around the plan, which is what its digest says, but perhaps no plan."""
        try:
            yield
        except PenstockError:  # some of them are among those below
            raise
        except MALFORMED as error:
            raise CorruptArtifact(
                f"The plan of run {self.id} in {self._ledger.store.path} cannot be read: {error!r}."
            ) from error

    @property
    def _side(self) -> Side:
        return differences.Side(self.record, self._record_of, lambda: self._plan, self.duration)

    def _record_of(self, step: str) -> StepRun:
        return self[step].record

    def _leaf(self, item: Binding) -> Any:
        if isinstance(item, Literally):
            return plain.decode(item.text)
        if isinstance(item, Use):
            if item.call not in self.record.calls and self.record.part:
                raise NotFound(
                    f"Run {self.id} has no result: step {item.call} was left out "
                    f"({self.record.part}).",
                    hint=f"What it has: {listed(self.record.calls)}.",
                )
            view = self[item.call]
            if item.output not in view.outputs:
                if self.status is Status.RUNNING:
                    raise NotFound(
                        f"Run {self.id} is running and has no result yet: step {item.call} is "
                        f"{view.status}.",
                        hint="Wait for it: run.wait().result()",
                    )
                raise NotFound(
                    f"Run {self.id} has no result: step {item.call} is {view.status}.",
                    hint=f"penstock run show {self.id}",
                )
            return view.outputs[item.output].load()
        assert isinstance(item, Held)
        trust = Trust(item.vouched and self.record.verified)
        hint = loading.hint_of_held(item, None)
        return self._values.load(
            item.artifact, hint, f"The result of run {self.id}", scratch.until_exit, trust
        )

    def _running(self) -> Beat:
        """The steps that run now, or ran when the run was lost, and since when."""
        said = self._ledger.signs(self.record).running()
        status = self.status if said else Status.RUNNING
        return (status, said) if status in (Status.RUNNING, Status.LOST) else (status, {})

    def _views(self, calls: Sequence[str], running: Beat) -> dict[str, StepView]:
        """Of a distant store all of their records are asked for at once."""
        store = self._ledger.store
        records = at_once.read_all(store, {call: partial(self._recorded, call) for call in calls})
        is_tried = self._are_tried() if store.distant else None
        return {
            call: self._shown(record or self._unfinished(call, running, is_tried))
            for call, record in records.items()
        }

    def _are_tried(self) -> Container[str]:
        """The steps of which there are attempts that gave nothing."""
        return {entry.name for entry in self._ledger.store.keys(f"runs/{self.id}/attempts/")}

    def _view(self, call: str, running: Beat | None = None) -> StepView:
        return self._shown(self._step(call, running))

    def _shown(self, record: StepRun) -> StepView:
        call = record.call
        parent = call if call in self.record.maps else self._maps.of(call)
        hints = self._hints.get(parent or call, {})
        if not parent:
            return StepView(self._ledger, self._values, record, hints)
        hints = hints or loading.list_hint(record.step)
        if parent != call:
            return StepView(self._ledger, self._values, record, map_view.item_hints(hints))
        items = self._maps.items(call)
        return MapView(self._ledger, self._values, record, hints, items, self._view)

    @cached_property
    def _maps(self) -> RunMaps:
        record = self.record
        return RunMaps(self._ledger, self._values, record, lambda call: self._step(call, None))

    def _item(self, items: Binding, id: str) -> Binding:
        """What an item of a map was given, as far as that is seen without loading anything."""
        made = self._step(items.call, None) if isinstance(items, Use) else None
        return expansion.item_of(items, int(id.rpartition(".")[2]), made, self._values)

    def _step(self, call: str, running: Beat | None) -> StepRun:
        """The record: known here, written by this run, taken from the cache, or of an attempt."""
        record = self._recorded(call)
        if record is None:
            record = self._unfinished(call, self._running() if running is None else running)
        return record

    def _recorded(self, call: str, get: Get | None = None) -> StepRun | None:
        """The same, but of an attempt."""
        record = self._known.get(call) or self._ledger.step(self.id, call, get)
        if record is None and self.record.maps:
            record = self._maps.taken(call, get)
        if record is None and call in self.record.hits:
            record = self._ledger.hit_of(self.record, call, get)
        return record

    def _unfinished(self, call: str, beat: Beat, is_tried: Container[str] | None = None) -> StepRun:
        """The record of a step that has given nothing yet; `is_tried` are those with attempts, if
        that is known."""
        looks = is_tried is None or call in is_tried
        attempts = self._ledger.attempts(self.id, call) if looks else []
        status, running = beat
        if call in running:
            since = running[call]
            now = self._ledger.last_sign(self.record) if status is Status.LOST else time.time()
            return StepRun(
                self.id, call, "", status, started=since, wall=max(now - since, 0.0),
                attempt=max((each.attempt for each in attempts), default=0) + 1,
            )  # fmt: skip
        if not attempts:
            return StepRun(self.id, call, "", Status.PENDING)
        # What has the same number later has tried nothing, and only repeats how that one failed.
        last = attempts[-1].attempt
        return next(each for each in attempts if each.attempt == last)

    @staticmethod
    def _is_item(call: str, name: str) -> bool:
        head, _, number = call.rpartition(".")
        return head == name and number.isdigit()


def _nobody(record: RunRecord) -> Orchestrator | None:
    """Where nobody says who can be asked."""
    return None
