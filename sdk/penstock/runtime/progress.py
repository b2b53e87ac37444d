"""Progress: what is known of the calls of one plan while they are carried out."""

from __future__ import annotations

import time
from collections.abc import Sequence

from penstock.artifacts.values import Values
from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import Failure, Status, StepRun
from penstock.runtime.cache import Cache, Miss
from penstock.runtime.earlier import Earlier
from penstock.runtime.expansion import Expansions
from penstock.runtime.inputs import Inputs
from penstock.runtime.item_lists import ItemLists
from penstock.runtime.ledger import Ledger
from penstock.runtime.outputs import Outputs
from penstock.runtime.planner import Found
from penstock.runtime.runid import nonce
from penstock.runtime.secrets import Secrets
from penstock.runtime.stopping import Stop
from penstock.stack.orchestrator import Observer
from penstock.stack.stack import Stack


class Progress:
    """Shared by all that carry calls out in this process. The store has the whole truth."""

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
        earlier: Earlier,
    ) -> None:
        self.plan = plan
        self.stack = stack
        self.ledger = ledger
        self.values = values
        self.cache = cache
        self.observer = observer
        self.secrets = secrets
        self.earlier = earlier
        self.results: dict[str, StepRun] = dict(found.hits)
        """What is known of each call so far."""
        self.known: dict[str, Miss | StepRun] = dict(found.misses)
        """What the cache has said of calls that have not begun."""
        self.digests: dict[str, str] = {}
        """Digests of the records that were written here."""
        self.errors: dict[str, BaseException] = {}
        """What the failed steps raised."""
        self.running: dict[str, float] = {}
        """Calls that are being carried out → when they began, seconds since 1970, UTC."""
        self.renewed: set[str] = set()
        """Calls that were computed again, because what they gave was gone: what somebody else
        remembers of them may be something else."""
        self.stop = Stop()
        """Whether the run is to stop: then no step begins, and nobody waits for another attempt."""
        self.inputs = Inputs(plan, self.results, values)
        lists = ItemLists(values, cache.code_now, cache.canonical)
        self.outputs = Outputs(values, lists)
        self.expansions = Expansions(plan, self.results, values, lists)
        """The items of maps over lists known at run time."""

    def keep(self, result: StepRun, *, reusable: bool = False, replaces: bool = False) -> None:
        """Write down a usable result."""
        self.digests[result.call] = self.ledger.finish(result, reusable=reusable, replaces=replaces)

    def record(self, call: str) -> StepRun | None:
        """The usable result that this run has of a call."""
        return self.ledger.step(self.plan.run, call)

    def recorded(self, call: str) -> StepRun | None:
        """What the store says of a call: its result, else its last attempt."""
        found = self.record(call)
        if found is not None:
            self.digests[call] = self.ledger.step_digest(self.plan.run, call)
        elif attempts := self.ledger.attempts(self.plan.run, call):
            found = attempts[-1]
        return found

    def look_up(self, call: Call) -> StepRun | Miss:
        """A hit that was found while running belongs to this run's records, too."""
        key = self.cache.key(call, self.results)
        found = self.cache.look_up(key, self.plan.controls(call))
        found = self.earlier.instead(found, call.id, key) or found
        if isinstance(found, Miss):
            return found
        result = found.reused(self.plan.run, call.id)
        self.keep(result)
        return result

    def hit(self, call: Call) -> StepRun | None:
        """What the cache has for a call that is to run in another process, if one with other
        packages need not be asked."""
        reusable = self.plan.controls(call).cache
        if call.id in self.known or not (reusable or self.earlier.runs) or self.is_apart(call):
            return None
        found = self.look_up(call)
        return found if isinstance(found, StepRun) else None

    def is_apart(self, call: Call) -> bool:
        """Whether a step has other packages than this process, and so other keys."""
        name = call.step.options.step_operator
        operator = self.stack.step_operator(name) if name is not None else None
        return operator is not None and operator.own_environment

    def given_up(self, result: StepRun) -> None:
        """A call is left without a result, because everything is to end."""
        self.running.pop(result.call, None)
        self.observer.step_finished(result)

    def stopped(self, call: Call, why: str) -> StepRun:
        """Write down that a call was stopped, in the place of whoever carries it out."""
        now = time.time()
        started = self.running.get(call.id, now)
        failure = Failure("Stopped", why, f"The run was stopped: {why}.\n")
        record = StepRun(
            self.plan.run, call.id, call.step.reference, Status.STOPPED, started=started,
            wall=now - started, failure=failure,
        )  # fmt: skip
        self.ledger.attempt(record, nonce())
        return record

    def settled(self, pending: Sequence[str]) -> Status:
        """Read what was done of these in other processes, and say what became of the run."""
        for call in pending:
            if call not in self.results and (record := self.recorded(call)) is not None:
                self.results[call] = record
            if call not in self.results and self.plan.graph.calls[call].over:
                self.results.update(self._failed_items(call))
        if any(not item.usable for item in self.results.values()):
            return Status.FAILED
        done = self.results.keys() >= self.plan.graph.calls.keys()
        return Status.COMPLETED if done else Status.STOPPED

    def _failed_items(self, call: str) -> dict[str, StepRun]:
        """The items of a map that failed in other processes: it has no record for that."""
        tried = self.ledger.store.keys(f"runs/{self.plan.run}/attempts/")
        names = [each.name for each in tried if each.name.startswith(f"{call}.")]
        found = {name: each for name in names if (each := self.recorded(name)) is not None}
        return {name: each for name, each in found.items() if not each.usable}
