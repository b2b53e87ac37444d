"""Following: what happens in a run, told as it happens, by what the store says of it."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from penstock.errors import NoSuchKey
from penstock.model.records import RunRecord, Status, StepRun
from penstock.runtime import at_once, logs, overwriting
from penstock.runtime.ledger import Ledger
from penstock.runtime.observer import RunObserver, first_line
from penstock.runtime.status import run_status

_Seen = tuple[StepRun, bool]
"""A result, and whether another attempt came after it."""


class Follower:
    """Tells an observer of a run in another process. Each look lists what is not finished yet."""

    def __init__(self, ledger: Ledger, record: RunRecord, told: RunObserver) -> None:
        self._ledger = ledger
        self._record = record
        self._told = told
        self._calls = frozenset(record.calls)
        self._done: set[str] = set()
        self._attempts: dict[str, list[StepRun]] = {}
        """Of each step the attempts that were seen and not told yet."""
        self._counts: dict[str, int] = {}
        """How many were seen at all."""
        self._newest: dict[str, float] = {}
        """When the newest of them was written, by the store's clock."""

    def begin(self) -> None:
        """Tell what was known when the run started."""
        record = self._record
        self._told.run_started(
            record.run, record.pipeline, record.stack, record.stack_origin, record.calls
        )
        reads = {call: partial(self._ledger.hit_of, record, call) for call in record.hits}
        taken = at_once.read_all(self._ledger.store, reads)
        self._told.found_in_cache({call: hit for call, hit in taken.items() if hit is not None})

    def look(self) -> Status:
        """Tell what is new, and say how the run is doing."""
        status = run_status(self._ledger, self._record)  # before the rest, which is whole then
        self.tell(status)
        return status

    def tell(self, status: Status) -> None:
        """Tell what is new in a run that is doing like this."""
        for result, again in sorted([*self._finished(), *self._failed(status)], key=_ended):
            if again:
                said = first_line(result)
                self._told.note(f"{result.call} failed ({said}), attempt {result.attempt}")
            else:
                self._told.step_finished(result)

    def _knows(self, call: str) -> bool:
        """Whether it is one of the run's, or an item of one of its maps."""
        return call in self._calls or is_item(self._record, call)

    def _finished(self) -> Iterator[_Seen]:
        run, store = self._record.run, self._ledger.store
        calls = [entry.name.removesuffix(".json") for entry in store.keys(f"runs/{run}/steps/")]
        new = [call for call in calls if self._knows(call) and call not in self._done]
        self._done.update(new)
        reads = {call: partial(self._ledger.step, run, call) for call in new}
        for result in at_once.read_all(store, reads).values():
            if result is not None:
                yield result, False

    def _failed(self, status: Status) -> Iterator[_Seen]:
        """Attempts, as soon as it is known whether another one came after them."""
        self._see_attempts()
        waiting = [call for call, attempts in self._attempts.items() if attempts]
        beat, running = self._ledger.signs(self._record).last() if waiting else (0.0, {})
        for call in waiting:
            attempts = self._attempts[call]
            while len(attempts) > 1 or (attempts and call in self._done):
                yield attempts.pop(0), True
            over = call not in running and beat > self._newest[call]
            if attempts and (over or status is not Status.RUNNING):
                yield attempts.pop(), False

    def _see_attempts(self) -> None:
        run, store = self._record.run, self._ledger.store
        for folder in store.keys(f"runs/{run}/attempts/"):
            if self._knows(folder.name):
                entries = list(store.keys(folder.key))
                if len(entries) > self._counts.get(folder.name, 0):
                    self._newest[folder.name] = max(entry.modified for entry in entries)
                    found = self._ledger.attempts(run, folder.name)
                    new = found[self._counts.get(folder.name, 0) :]
                    self._attempts.setdefault(folder.name, []).extend(new)
                    self._counts[folder.name] = len(found)


def is_item(record: RunRecord, call: str, of: Container[str] | None = None) -> bool:
    """Whether a call is made at run time, of one of the run's maps, or of one of these."""
    head, _, number = call.rpartition(".")
    known = head in record.maps and number.isdecimal()
    return known and (of is None or head in of)


def _ended(seen: _Seen) -> float:
    result, _ = seen
    return result.started + result.wall


@dataclass
class _Log:
    """What is known of one step's log."""

    seen: set[str] = field(default_factory=set)
    rest: bytes = b""
    """The last line, which has no end yet."""


class LogFollower:
    """Gives the logs of some steps of a run, whole lines as they come."""

    def __init__(self, ledger: Ledger, record: RunRecord, calls: Sequence[str]) -> None:
        self._ledger = ledger
        self._record = record
        self._logs = {call: _Log() for call in calls}
        self._over: set[str] = set()

    def look(self, *, last: bool = False) -> Iterator[tuple[str, str]]:
        """Steps and what they have said since. `last`: also of lines that have no end."""
        done = self._done()  # before the rest, which is whole then
        over = set() if last else self._over
        for folder in self._ledger.store.keys(f"runs/{self._record.run}/logs/"):
            call = folder.name
            if call not in self._logs and is_item(self._record, call, self._logs):
                self._logs[call] = _Log()
            if call in self._logs and call not in over:
                text = self._said(call, self._logs[call], whole=last or call in done)
                if text:
                    yield call, text
        self._over = done

    def _done(self) -> set[str]:
        """The steps that say nothing more; what they said is all there."""
        steps = self._ledger.store.keys(f"runs/{self._record.run}/steps/")
        return {entry.name.removesuffix(".json") for entry in steps}

    def _said(self, call: str, log: _Log, *, whole: bool) -> str:
        text = log.rest + b"".join(self._new(call, log))
        end = len(text) if whole else text.rfind(b"\n") + 1
        log.rest = text[end:]
        return overwriting.shown(text[:end]).decode("utf-8", "replace")

    def _new(self, call: str, log: _Log) -> Iterator[bytes]:
        # Not by `start_after`: the children of a step have names of their own between its pieces.
        for key in logs.pieces(self._ledger.store, self._record.run, call):
            if key not in log.seen:
                log.seen.add(key)
                with suppress(NoSuchKey):
                    yield bytes(self._ledger.store.get(key))
