"""Serving: a worker, from within. It carries out one call after the other, and is told which.

What it says of itself: see `penstock.runtime.elsewhere.worker`.
"""

from __future__ import annotations

import contextvars
import json
import os
import signal
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, NoReturn

from penstock.artifacts.values import Values
from penstock.errors import CannotRun, NotFound, PenstockError, raised_at
from penstock.model import binding
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import logs, observer
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.capturing import capture
from penstock.runtime.elsewhere import briefing
from penstock.runtime.elsewhere.briefing import Briefing
from penstock.runtime.elsewhere.by_value import Finder
from penstock.runtime.elsewhere.leftovers import Leftovers
from penstock.runtime.elsewhere.parent import Parent
from penstock.runtime.executor import Executor
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.flusher import flusher
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.runtime.pulse import Work
from penstock.runtime.secrets import Secrets

_dump: Final = json.JSONEncoder().encode


class Server:
    """The steps of one run, in this process."""

    def __init__(self, told: Briefing, find: Finder, parent: Parent) -> None:
        store = told.stack.artifact_store
        self._parent = parent
        self._ledger = Ledger(store)
        self._ledger.keys = told.keys
        self._run = told.run
        self._plan = Plan.from_bytes(told.plan, told.run, find)
        self._secrets = Secrets(told.stack, self._plan.graph.calls.values(), told.root)
        fingerprints = Fingerprints(told.root)
        values = Values(store, fingerprints.of_names)
        self._executor = Executor(
            self._plan, told.stack, self._ledger, values, Cache(self._ledger, values, fingerprints),
            observer.Notes(sys.stderr, self._secrets.mask), Found({}, {}), self._secrets,
            parent.limit,
        )  # fmt: skip
        _ = self._record

    def serve(self, orders: int) -> None:
        """Until there are no more, or this process is not fit for another step."""
        log = logs.StepLog(self._ledger.store, self._run, logs.RUN, self._secrets.mask)
        work = Work(self._executor.stop, None, self._give_up)
        with open(orders, "rb") as reading, work, capture.captured(log):
            leftovers = Leftovers()
            self._parent.say("ready")
            while line := reading.readline():
                order = json.loads(line)
                if "environment" in order:
                    leftovers.expect(order["environment"])
                # What a step sets in its context goes with it.
                done = contextvars.copy_context().run(self._carry_out, order)
                leftovers.put_back()
                if done.status is Status.TIMED_OUT or leftovers.are_too_many():
                    self._parent.say("leaves")
                    return
                self._parent.say("done")

    def _carry_out(self, order: Mapping[str, Any]) -> StepRun:
        if "item" in order:
            of, place, written = order["item"]
            self._executor.expansions.tell(of, place, binding.from_data(written))
        call = self._executor.expansions.call(order["call"])
        renewed = order.get("renewed", ())
        for name in call.upstream.difference(self._executor.results).union(renewed):
            self._executor.results[name] = self._result(call, name, name in renewed)
        with self._secrets.provided(only=call):
            digest, parts, why = order["missed"]
            missed = Miss(Key(digest, parts), why)
            return self._executor.execute_here(call.id, order["attempt"], missed)

    def _result(self, call: Call, needed: str, is_renewed: bool) -> StepRun:
        """What a step gave that this one needs: what this run says of it if it `is_renewed`."""
        found = None
        if needed in self._record.hits and not is_renewed:
            found = self._ledger.hit_of(self._record, needed)
        found = found or self._ledger.step(self._run, needed)
        if found is None:
            raise CannotRun(f"Step {call.id} needs step {needed}, whose result is gone.")
        return found

    @cached_property
    def _record(self) -> RunRecord:
        """What was known when the run was planned: what it took from the cache."""
        try:
            return self._ledger.run(self._run)
        except NotFound as error:
            store = self._ledger.store
            raise CannotRun(
                f"what is in the artifact store {store.name!r} ({store.flavor}: {store.path}) is "
                "not there in another process.",
                hint="Take another store, or LocalOrchestrator(workers='threads').",
            ) from error

    def _give_up(self) -> NoReturn:
        """A signal was sent, and the step does not come back: end without it."""
        try:
            self._executor.abandon(self._executor.stop.why)
            flusher.flush()
        finally:
            os._exit(128 + self._executor.stop.number)


def main() -> None:
    """The command line: the parent's id, and the numbers of descriptors."""
    process, tell, orders, told, *left = map(int, sys.argv[1:])
    for number in (orders, told):
        os.set_inheritable(number, False)
    parent = Parent(process, tell, left)
    try:
        found, parcel = briefing.read(told)
        server = Server(found, Finder(parcel), parent)
    except Exception as error:
        _complain(parent, error)
        sys.exit(1)
    code = 0
    try:
        server.serve(orders)
    except KeyboardInterrupt:
        parent.say("leaves")
        code = 128 + signal.SIGINT
    except PenstockError as error:
        _complain(parent, error)
        sys.exit(error.exit_code)
    parent.leave(code)
    sys.exit(code)


def _complain(parent: Parent, error: Exception) -> None:
    """Say why this process carries out no step more."""
    kind, message, hint = "", f"{type(error).__name__}: {error} ({raised_at(error)}).", None
    if isinstance(error, PenstockError):
        kind, message, hint = type(error).__name__, error.message, error.hint
    parent.say(f"error {_dump([kind, message, hint])}")
