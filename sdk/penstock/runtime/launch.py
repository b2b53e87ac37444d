"""Launching: from a pipeline and its arguments to a run that has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from typing import Any

from penstock.artifacts import trust
from penstock.artifacts.values import Values
from penstock.digest import digest
from penstock.errors import StoreError
from penstock.model import plain
from penstock.model.building import draw
from penstock.model.graph import Graph
from penstock.model.options import PipelineOptions
from penstock.model.records import RunRecord, Status, StepRun
from penstock.model.refs import StoredValue
from penstock.runtime import (
    capture,
    checks,
    fingerprint,
    hooks,
    loading,
    logs,
    observer,
    planner,
    provenance,
)
from penstock.runtime.cache import LONG, Cache
from penstock.runtime.executor import Executor
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.runtime.run import Run
from penstock.runtime.runid import new_run_id
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a launch ended."""

    run: Run[Any]
    status: Status
    failed: tuple[StepRun, ...]
    errors: Mapping[str, BaseException]
    """What the failed steps raised, by step."""


def launch(
    name: str,
    reference: str,
    body: Callable[[], Any],
    parameters: Mapping[str, Any],
    options: PipelineOptions,
) -> Outcome:
    """Draw, plan, record, run, seal. A step that fails is in the outcome, not raised."""
    loading.refuse_while_importing(f"{name}.run()")
    started = time.time()
    graph = draw(name, body)
    project = Project.find()
    stack = Registry(project).stack(options.stack, options.chosen_by)
    notes = [*stack.notes, *checks.check(graph, stack, options)]
    if stack.artifact_store.path == str(project.folder) and not project.folder.exists():
        project.prepared()
    ledger = Ledger(stack.artifact_store)
    ledger.check()
    values = Values(stack.artifact_store, fingerprint.of_names)
    cache = Cache(ledger, values)
    if notice := trust.news(ledger.keys):
        notes.append(notice)
    told = observer.on_stderr() if options.progress else observer.Silent()
    run_id = new_run_id(started)
    plan = planner.plan(run_id, graph, reference, stack, options.cache, values)
    told.run_started(run_id, name, stack.name, stack.origin, graph.calls)
    for note in notes:
        told.note(note)
    found = planner.find(plan, cache)
    record = RunRecord(
        run=run_id,
        pipeline=name,
        reference=reference,
        plan=values.keep(plan.to_bytes()).digest,
        parameters={key: _described(value) for key, value in parameters.items()},
        stack=stack.name,
        stack_origin=stack.origin,
        orchestrator=stack.orchestrator.flavor,
        user=provenance.user(),
        host=provenance.host(),
        process=provenance.process(),
        started=started,
        code=_code(graph),
        commit=provenance.commit(project.root),
        versions=provenance.versions(),
        calls=tuple(graph.calls),
        hits={call: hit.key for call, hit in found.hits.items()},
    )
    ledger.begin(record)
    executor = Executor(plan, stack, ledger, values, cache, told, found)
    run: Run[Any] = Run(ledger, values, record, executor.results, _hints(graph))
    try:
        told.found_in_cache(found.hits)
        hooks.call(options.on_start, run, told)
        if executor.pending:
            with capture.captured(logs.StepLog(ledger.store, run_id, logs.RUN)):
                stack.orchestrator.submit(executor, told)
    except BaseException:
        with suppress(StoreError):  # the store may be what failed; that is what gets raised
            ledger.end(End(run_id, Status.STOPPED, time.time(), executor.digests))
        told.run_finished(run_id, Status.STOPPED, time.time() - started)
        raise
    status = executor.settle()
    ended = time.time()
    ledger.end(End(run_id, status, ended, executor.digests))
    told.run_finished(run_id, status, ended - started)
    completed = status is Status.COMPLETED
    hooks.call(options.on_success if completed else options.on_failure, run, told)
    failed = tuple(item for item in executor.results.values() if not item.usable)
    return Outcome(run, status, failed, executor.errors)


def _described(value: Any) -> str:
    """A parameter for the record: plain data as text, anything else by what it is."""
    if isinstance(value, StoredValue):
        return str(value)
    try:
        text = plain.encode(value)
    except plain.NotPlain:
        if not (is_dataclass(value) or hasattr(type(value), "model_fields")):
            return f"a {type(value).__qualname__}"
        text = repr(value)
    return text if len(text) < LONG else f"a {type(value).__qualname__} of {len(text):,} characters"


def _code(graph: Graph) -> str:
    """One digest for the code of all steps."""
    steps = {id(call.step): call.step for call in graph.calls.values()}
    return digest("code of all steps/1", *sorted(map(fingerprint.of_step, steps.values())))


def _hints(graph: Graph) -> dict[str, dict[str, Any]]:
    """The annotations of all outputs: by step, so that equal steps share one dict."""
    by_step = {
        id(call.step): {output.name: output.hint for output in call.step.signature.outputs}
        for call in graph.calls.values()
    }
    return {call.id: by_step[id(call.step)] for call in graph.calls.values()}
