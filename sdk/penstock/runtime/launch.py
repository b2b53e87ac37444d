"""Launching: from a pipeline and its arguments to a run that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.artifacts import trust
from penstock.artifacts.values import Values
from penstock.lazy import lazy
from penstock.model.building import draw
from penstock.model.graph import Graph
from penstock.model.options import PipelineOptions
from penstock.model.records import RunRecord, Status
from penstock.runtime import (
    checks,
    hooks,
    loading,
    logs,
    observer,
    planner,
    processes,
    provenance,
    step_choices,
)
from penstock.runtime.beside import Beside
from penstock.runtime.cache import Cache
from penstock.runtime.capturing import capture
from penstock.runtime.cleaning import estimate
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.executor import Executor
from penstock.runtime.fingerprints import code
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.going import Going
from penstock.runtime.guarded import Guarded
from penstock.runtime.ledger import Ledger
from penstock.runtime.observer import RunObserver
from penstock.runtime.outcome import Outcome, raised
from penstock.runtime.parameters import written as parameters_written
from penstock.runtime.planner import Found
from penstock.runtime.run import Run
from penstock.runtime.runid import new_run_id
from penstock.runtime.secrets import Secrets
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import background, last_time, outbox, resuming, selection, taking
    from penstock.runtime.explaining import why
else:
    why = lazy("penstock.runtime.explaining.why")  # only where somebody looks
    background = lazy("penstock.runtime.background")  # only for runs that nobody waits for
    last_time = lazy("penstock.runtime.last_time")  # only for stores that are far away
    outbox = lazy("penstock.runtime.outbox")  # only for stores that are far away
    resuming = lazy("penstock.runtime.resuming")  # only for runs that are not of all steps anew
    selection = lazy("penstock.runtime.selection")
    taking = lazy("penstock.runtime.taking")


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

    def carried_out(self) -> Outcome:
        """Run it to its end, and seal it. A step that fails is in the outcome, not raised."""
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
        """Have it carried out by a thread of its own."""
        self.executor.traces.ignore()
        thread = background.Background(self.run.id, self.ended, self.executor.stop.request)
        self.run.goes_on(thread)
        capture.leave_out()
        thread.start()
        return self.run


def begin(
    name: str,
    reference: str,
    body: Callable[[], Any],
    parameters: Mapping[str, Any],
    options: PipelineOptions,
) -> Launch:
    """Draw, check, plan, record."""
    loading.refuse_while_importing(f"{name}.run()")
    started = time.time()
    graph = draw(name, body)
    project = Project.find()
    stack = Registry(project).stack(options.stack, options.chosen_by)
    graph = step_choices.with_options(graph, stack.steps)
    if options.steps is not None:
        graph = options.steps.applied(graph)
    part = selection.selected(graph, options) if options.is_part else None
    chosen = part.graph if part else graph
    secrets = Secrets(stack, chosen.calls.values(), project.root)
    notes = [*stack.notes, *checks.check(chosen, stack, options, secrets)]
    if stack.artifact_store.path == str(project.folder) and not project.folder.exists():
        project.prepared()
    sends = outbox.Outbox(stack.artifact_store) if stack.artifact_store.distant else None
    store = sends or stack.artifact_store
    ledger = Ledger(store)
    ledger.check()
    fingerprints = Fingerprints()
    values = Values(store, fingerprints.of_names)
    cache = Cache(ledger, values, fingerprints)
    notes += ledger.store.remarks()
    if notice := trust.news(ledger.keys):
        notes.append(notice)
    shown = observer.on_stderr() if options.progress else observer.Silent()
    told = Guarded(shown, secrets.mask)
    run_id = new_run_id(started)
    plan = planner.plan(
        run_id, graph, reference, stack, options.controls, values, fingerprints.canonical,
        options.settings,
    )
    checks.refuse_secrets(plan.graph, secrets)
    operators = {each.name for each in stack.step_operators if each.own_environment}
    earlier: Earlier = NOBODY
    if options.resume is not None:
        earlier = resuming.Resumed(options.resume, ledger, cache)
    looking = cache.at_once()
    if ledger.store.distant:
        with secrets.provided():
            looking.look_ahead(last_time.likely(plan, ledger, cache))
    if part is not None:
        with secrets.provided():
            taken = taking.Taking(plan, part, ledger, values, looking, earlier, operators)
            plan = taken.plan()
        graph = plan.graph
        notes += taken.notes
    told.run_started(run_id, name, stack.name, stack.origin, graph.calls)
    for note in notes:
        told.note(note)
    with secrets.provided():
        found = planner.find(plan, looking, operators, earlier)
    if earlier.runs:
        told.note(earlier.said)
    written = plan.to_bytes()
    beside = Beside(values)
    texts, described = parameters_written(parameters, secrets.mask)
    record = RunRecord(
        run=run_id,
        pipeline=name,
        reference=reference,
        plan=beside.keep(written).digest,
        parameters=texts,
        described=described,
        stack=stack.name,
        stack_origin=stack.origin,
        orchestrator=stack.orchestrator.flavor,
        user=provenance.user(),
        host=provenance.host(),
        process=provenance.process(),
        machine=processes.machine(),
        process_started=processes.own_start(provenance.process()),
        started=started,
        code=_code(graph, fingerprints, project.root, beside.keep, secrets),
        commit=provenance.commit(project.root),
        versions=provenance.versions(),
        calls=tuple(graph.calls),
        maps=tuple(call.id for call in graph.calls.values() if call.over),
        hits={call: hit.key for call, hit in found.hits.items() if call not in found.resumed},
        resumed=earlier.runs[0].run if earlier.runs else "",
        part=part.words if part else "",
        sources={call: "/".join(hit.source or ()) for call, hit in found.hits.items()},
    )
    executor = Executor(
        plan, stack, ledger, values, cache, told, found, secrets, earlier=earlier
    )  # fmt: skip
    if sends is not None:
        sends.ends_with(executor.stop.event)
    run: Run[Any] = Run(ledger, values, record, executor.results, _hints(graph), written)
    launch = Launch(run, executor, stack, options, told, found, ledger)
    beside.kept()
    ledger.begin(record)
    executor.take_over(found.resumed)
    if options.progress and executor.pending:
        told.explained_by(why.while_running(ledger, values, record, plan.graph, executor.results))
    return launch


def _code(
    graph: Graph, fingerprints: Fingerprints, root: Path, keep: code.Keep, secrets: Secrets
) -> str:
    """The digest of the object that has the code of all steps."""
    for call in graph.calls.values():
        fingerprints.of_step(call.step)
    return code.write(fingerprints.surveyed, fingerprints.named, root, keep, secrets.mask.text)


def _hints(graph: Graph) -> dict[str, dict[str, Any]]:
    """The annotations of all outputs: by step, so that equal steps share one dict."""
    by_step = {
        (id(call.step), bool(call.over)): {output.name: output.hint for output in call.outputs}
        for call in graph.calls.values()
    }
    return {call.id: by_step[id(call.step), bool(call.over)] for call in graph.calls.values()}
