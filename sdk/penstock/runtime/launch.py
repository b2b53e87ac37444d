"""Launching: from a pipeline and its arguments to a run that has ended."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.lazy import lazy
from penstock.model.graph import Graph
from penstock.model.options import PipelineOptions
from penstock.model.records import Status
from penstock.runtime import hooks, loading, logs, observer
from penstock.runtime.beside import Beside
from penstock.runtime.capturing import capture
from penstock.runtime.cleaning import estimate
from penstock.runtime.executor import Executor
from penstock.runtime.going import Going
from penstock.runtime.guarded import Guarded
from penstock.runtime.ledger import Ledger
from penstock.runtime.observer import RunObserver
from penstock.runtime.outcome import Outcome, raised
from penstock.runtime.planner import Found
from penstock.runtime.preparing import Drawn, Prepared, Wanted
from penstock.runtime.run import Run
from penstock.runtime.runid import new_run_id
from penstock.stack.engine import Watches
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import background, outbox
    from penstock.runtime.elsewhere import submission
    from penstock.runtime.explaining import why
else:
    submission = lazy("penstock.runtime.elsewhere.submission")  # only for engines
    why = lazy("penstock.runtime.explaining.why")  # only where somebody looks
    background = lazy("penstock.runtime.background")  # only for runs that nobody waits for
    outbox = lazy("penstock.runtime.outbox")  # only for stores that are far away


@dataclass(frozen=True, slots=True)
class Launch:
    """A run that has begun: it is drawn, planned and recorded, and nothing has run yet."""

    run: Run[Any]
    executor: Executor
    stack: Stack
    options: PipelineOptions
    told: RunObserver
    found: Found
    ledger: Ledger

    def ended(self) -> BaseException | None:
        """Run it to its end; what `.run()` raises of that."""
        try:
            return self.carried_out().error
        except BaseException as error:
            return raised(error)

    @property
    def is_handed_over(self) -> bool:
        """Whether an engine carries it out: it goes on whatever becomes of this process."""
        orchestrator = self.stack.orchestrator
        watches = orchestrator.elsewhere and isinstance(orchestrator, Watches)
        return watches and bool(self.executor.pending)

    def carried_out(self) -> Outcome:
        """Run it to its end, and seal it. A step that fails is in the outcome, not raised."""
        if self.is_handed_over:
            return submission.Submission(self).watched()
        run, executor, told, options = self.run, self.executor, self.told, self.options
        going = Going(run.id, self.ledger, executor, told.note)
        log = logs.StepLog(self.ledger.store, run.id, logs.RUN, executor.secrets.mask)
        with executor.secrets.provided(), going.work:
            try:
                told.found_in_cache(self.found.hits)
                hooks.call(options.on_start, run, told)
                if executor.pending:
                    with capture.captured(log), going.work.ending():
                        self.stack.orchestrator.submit(executor, told)
                    if left := executor.traces.threads():
                        told.note(f"steps have left threads running: {', '.join(left)}")
                status = going.seal.finish(executor.settle())
            except BaseException as error:
                going.work.ends()
                status = Status.STOPPED
                with suppress(Exception):  # the store may be what failed; that is what gets raised
                    status = going.seal.put(status, error)
                going.tell(error)
                told.run_finished(run.id, status, time.time() - run.started)
                if (instead := executor.stop.instead(run.id, error)) is error:
                    raise
                raise instead from None
        going.tell()
        told.run_finished(run.id, status, time.time() - run.started, self._store_size())
        if not (executor.plan.ends and executor.pending):  # else somebody elsewhere has told them
            completed = status is Status.COMPLETED
            hooks.call(options.on_success if completed else options.on_failure, run, told)
        failed = tuple(item for item in executor.results.values() if not item.usable)
        return Outcome(run, status, failed, executor.errors)

    def _store_size(self) -> str:
        """What is to be said of the store after all that was written now; mostly nothing."""
        executor = self.executor
        made = (executor.results[call] for call in executor.digests if call in executor.results)
        written = sum(item.written for item in made if item.status is not Status.CACHED)
        return estimate.said(self.ledger.store, written)

    def in_background(self) -> Run[Any]:
        """Have it carried out by a thread of its own, unless it is handed over anyway."""
        if self.is_handed_over:
            return submission.Submission(self).submitted()
        self.executor.traces.ignore()
        thread = background.Background(self.run.id, self.ended, self.executor.stop.request)
        self.run.goes_on(thread)
        capture.leave_out()
        thread.start()
        return self.run


def begin(wanted: Wanted) -> Launch:
    """Draw, check, plan, record."""
    loading.refuse_while_importing(f"{wanted.name}.run()")
    started = time.time()
    options = wanted.options
    drawn = Drawn(wanted)
    drawn.check()
    stack, secrets = drawn.stack, drawn.secrets
    sends = outbox.Outbox(stack.artifact_store) if stack.artifact_store.distant else None
    prepared = Prepared(drawn, sends or stack.artifact_store, new_run_id(started))
    plan, ledger, values = prepared.plan, prepared.ledger, prepared.values
    shown = observer.on_stderr() if options.progress else observer.Silent()
    told = Guarded(shown, secrets.mask)
    told.run_started(plan.run, wanted.name, stack.name, stack.origin, plan.graph.calls)
    for note in prepared.notes:
        told.note(note)
    found = prepared.found()
    for note in prepared.remarks:
        told.note(note)
    if prepared.is_sent(found):
        with secrets.provided():
            stack.orchestrator.ready()
    beside = Beside(values, later=prepared.elsewhere)
    record = prepared.record(found, beside.keep, started)
    sent = prepared.sent(record, found, beside.keep)
    for remark in sent.remarks if sent else ():
        told.note(remark)
    executor = prepared.executor(found, told, sent)
    if sends is not None:
        sends.ends_with(executor.stop.event)
    hints = _hints(plan.graph)
    run: Run[Any] = Run(ledger, values, record, executor.results, hints, prepared.written)
    launch = Launch(run, executor, stack, options, told, found, ledger)
    beside.kept()
    ledger.begin(record)
    executor.take_over(found.resumed)
    if options.progress and executor.pending:
        told.explained_by(why.while_running(ledger, values, record, plan.graph, executor.results))
    return launch


def _hints(graph: Graph) -> dict[str, dict[str, Any]]:
    """The annotations of all outputs: by step, so that equal steps share one dict."""
    by_step = {
        (id(call.step), bool(call.over)): {output.name: output.hint for output in call.outputs}
        for call in graph.calls.values()
    }
    return {call.id: by_step[id(call.step), bool(call.over)] for call in graph.calls.values()}
