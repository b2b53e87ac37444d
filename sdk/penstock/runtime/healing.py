"""Healing: what a call needs is computed again if it has gone since it was found in the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Final

from penstock.model.binding import Binding, Group, Held, Use
from penstock.model.graph import Call
from penstock.model.records import Artifact, StepRun
from penstock.runtime.observer import first_line
from penstock.runtime.progress import Progress
from penstock.runtime.stopping import Stopped

ROUNDS: Final = 3
"""How often one call is helped: a store that loses everything at once must not be fed for ever."""

_KINDS: Final = ("NoSuchKey", "CorruptArtifact")

Again = Callable[[Call], StepRun]
"""Carries a call out once more, in the way that suits the job, and gives what became of it."""


class Healing:
    """Of the steps of one job. Only what its own steps gave can be had again: not what a run was
    given, nor what other runs gave."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._locks: dict[str, threading.Lock] = {}
        self._waiting: set[str] = set()
        """Calls that have not got what they need, so that they have used nothing of it yet."""

    def concerns(self, call: Call, result: StepRun) -> bool:
        """Whether it failed because something that it needs is not in the store."""
        failure = result.failure
        if failure is None or failure.kind not in _KINDS or result.call != call.id:
            return False
        run = self._progress.plan.run
        told = (f" of step {up} in run {run}" for up in call.upstream)
        # Its function may have raised such an error, too, about something else.
        return any(each in failure.message for each in (f" of step {call.id})", *told))

    def heals(self, call: Call, result: StepRun, again: Again) -> bool:
        """Whether it is worth another try: what it needs and what had gone is there once more."""
        if not self.concerns(call, result):
            return False
        gone = {up for up, artifact in self._needs(call) if not self._is_there(artifact)}
        self._waiting.add(call.id)
        try:
            return all(up and self.restore(up, call, again) for up in sorted(gone))
        finally:
            self._waiting.discard(call.id)

    def restore(self, call: str, why: Call, again: Again) -> bool:
        """Compute a call again if what it gave has gone. Whether it is there then: the same, or
        something else that nobody who has seen the first could be at odds with."""
        if self._progress.stop.requested:
            raise Stopped
        with self._locks.setdefault(call, threading.Lock()):
            made = self._made(call)
            if made is None or self._has_all(made):
                return made is not None  # somebody else has seen to it meanwhile
            return self._is_made_again(self._progress.expansions.call(call), made, why, again)

    def _is_made_again(self, call: Call, made: StepRun, needing: Call, again: Again) -> bool:
        progress = self._progress
        if any(self._made(up) is None for up in call.upstream):
            return False
        progress.observer.note(
            f"{call.id} is computed again: what it gave is gone from the store, "
            f"and {needing.id} needs it"
        )
        is_recorded = progress.record(call.id) is not None
        result = self._computed(call, again, is_recorded)
        if not result.usable:
            progress.observer.note(f"{call.id} has failed now: {first_line(result)}")
            return False
        progress.renewed.add(call.id)
        if not is_recorded:  # it was taken from the cache; now this run has computed it
            progress.results[call.id] = result
        return _identity(result) == _identity(made) or self._may_differ(call.id, is_recorded)

    def _computed(self, call: Call, again: Again, is_recorded: bool) -> StepRun:
        """What a call gives now. A record that this run has of it stays the one that it is."""
        digests = self._progress.digests
        digest = digests.get(call.id)
        try:
            return again(call)
        finally:
            if is_recorded:
                digests.pop(call.id, None)
                if digest is not None:
                    digests[call.id] = digest

    def _may_differ(self, id: str, is_recorded: bool) -> bool:
        """Whether a call may have another result from here on: nobody has seen the first."""
        user = "its record" if is_recorded else self._user(id)
        if user:
            self._progress.observer.note(
                f"{id} gives something else now, and {user} is of the first"
            )
        return not user

    def _needs(self, call: Call) -> Iterator[tuple[str, Artifact]]:
        """What it is given: whose that is, empty if of no step of this plan; and the artifact."""
        graph = self._progress.plan.graph
        for name, binding in call.bindings.items():
            maker = ""
            if call.of and name == (parent := graph.calls[call.of]).over:
                source = parent.bindings[name]
                maker = source.call if type(source) is Use else ""
            yield from self._in(binding, maker)
        for condition in call.when:
            yield from self._in(condition.binding, "")

    def _in(self, binding: Binding, maker: str) -> Iterator[tuple[str, Artifact]]:
        """`maker`: the call that has listed what is held here."""
        if type(binding) is Use:
            if (made := self._made(binding.call)) is not None:
                yield binding.call, made.outputs[binding.output]
        elif type(binding) is Held:
            yield maker, binding.artifact
        elif type(binding) is Group:
            for item in binding.items:
                yield from self._in(item, maker)

    def _made(self, id: str) -> StepRun | None:
        """The result of a call. A process that carries out one step knows only what that needs."""
        progress = self._progress
        if id not in progress.results:
            found = progress.record(id) or progress.ledger.hit(progress.plan.run, id)
            if found is None:
                return None
            progress.results[id] = found
        return progress.results[id]

    def _has_all(self, made: StepRun) -> bool:
        return all(map(self._is_there, made.outputs.values()))

    def _is_there(self, artifact: Artifact) -> bool:
        return self._progress.values.rely_on(artifact)

    def _user(self, id: str) -> str:
        """A call that may have seen what another gave; empty if there is none."""
        progress = self._progress
        seen = {*progress.results, *progress.running} - self._waiting
        below = (call for call in progress.plan.graph.calls.values() if id in call.upstream)
        has_seen = progress.expansions.are_known
        return next((each.id for each in below if each.id in seen or has_seen(each)), "")


def _identity(result: StepRun) -> dict[str, tuple[str, str]]:
    """What the outputs are, by what others know them by."""
    return {name: (each.format, each.digest) for name, each in result.outputs.items()}
