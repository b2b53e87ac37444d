"""Single: one call of a plan in a process of its own, on the machine where the run was started."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from penstock.artifacts.values import Values
from penstock.errors import CannotRun, PenstockError
from penstock.lazy import lazy
from penstock.model.plan import Plan
from penstock.model.records import StepRun
from penstock.runtime import calling, loading, logs, observer
from penstock.runtime.cache import Cache
from penstock.runtime.capturing import capture
from penstock.runtime.earlier import NOBODY
from penstock.runtime.elsewhere.parent import Parent
from penstock.runtime.executor import Executor
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.flusher import flusher
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.runtime.pulse import Work
from penstock.runtime.secrets import Secrets
from penstock.stack.project import Project
from penstock.stack.registry import Registry

if TYPE_CHECKING:
    from penstock.runtime import resuming
else:
    resuming = lazy("penstock.runtime.resuming")  # only for runs that go on with another one


def execute(
    run: str,
    call: str,
    plan: str,
    stack_data: str,
    *,
    here: bool = False,
    number: int = 1,
    directory: str | None = None,
    parent: Parent | None = None,
    resumed: str | None = None,
) -> StepRun:
    """Run one call and return its record; `here` even if a step operator is meant to run it."""
    project = Project.find()
    with loading.importing("the flavors of its stack"):
        stack = Registry(project).from_data(json.loads(stack_data))
    ledger = Ledger(stack.artifact_store)
    fingerprints = Fingerprints(project.root)
    values = Values(stack.artifact_store, fingerprints.of_names)
    data = values.fetch(plan, f"The plan of run {run}")
    loaded = Plan.from_bytes(bytes(data), run, loading.find_step)
    upstream = {}
    for name in loaded.needed(call):
        record = ledger.step(run, name) or ledger.hit(run, name)
        if record is None:
            raise CannotRun(f"Step {call} of run {run} needs step {name}, which is not done yet.")
        upstream[name] = record
    secrets = Secrets(stack, loaded.graph.calls.values(), project.root)
    if directory is not None:
        os.chdir(directory)
    cache = Cache(ledger, values, fingerprints)
    executor = Executor(
        loaded, stack, ledger, values, cache,
        observer.Notes(sys.stderr, secrets.mask) if parent else observer.Silent(),
        Found(upstream, {}), secrets, parent.limit if parent else calling.limit,
        resuming.named(resumed, ledger, cache) if resumed else NOBODY,
    )  # fmt: skip
    if parent is not None:
        executor.traces.ignore()  # they end with this process
    work = Work(executor.stop, None, lambda: _give_up(executor))
    log = logs.StepLog(ledger.store, run, logs.RUN, secrets.mask)
    with secrets.provided(only=executor.expansions.call(call)), work, capture.captured(log):
        return executor.execute_here(call, number) if here else executor.execute(call)


def _give_up(executor: Executor) -> NoReturn:
    """A signal was sent, and the step does not come back: end without it."""
    try:
        executor.abandon(executor.stop.why)
        flusher.flush()
    finally:
        os._exit(128 + executor.stop.number)


def main(given: argparse.Namespace) -> int:
    """What the command line says of it, carried out. Returns the exit code."""
    parent = Parent(given.parent, given.tell, given.testaments) if given.parent else None
    try:
        done = execute(
            given.run, given.call, given.plan, given.stack, here=given.here,
            number=given.attempt or 1, directory=given.directory, parent=parent,
            resumed=given.resumed,
        )  # fmt: skip
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except PenstockError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    code = 0 if done.usable else 1
    if parent is not None:
        parent.leave(code)
    if done.failure is not None and parent is None:
        sys.stderr.write(done.failure.traceback)
    return code
