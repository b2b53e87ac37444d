"""Maps: lists known at run time, and the calls that they become."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.artifacts.source import Writing
from penstock.errors import PenstockError
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.runtime.cache import Miss
from penstock.runtime.progress import Progress
from penstock.runtime.search import Search
from penstock.runtime.skips import Skips
from penstock.runtime.stopping import Stopped
from penstock.runtime.trials import Trials


class Maps:
    """Those of one job."""

    def __init__(self, progress: Progress, trials: Trials, skips: Skips) -> None:
        self._progress = progress
        self._trials = trials
        self._skips = skips
        self.begun: set[str] = set()
        """Maps that have become their items here."""

    def expand(self, call: Call) -> Sequence[Call]:
        """See `Job.expand`."""
        if self._progress.stop.requested:
            raise Stopped
        if not call.over or call.id in self._progress.results or not self._has_all_for(call):
            return ()
        return self.left(call) if call.id in self.begun or self.begin(call) else ()

    def left(self, call: Call) -> Sequence[Call]:
        """The items of a map that still have to run."""
        progress = self._progress
        return [item for item in progress.expansions.items(call) if item.id not in progress.results]

    def begin(self, call: Call) -> bool:
        """Find out what a map becomes, unless it is skipped or all of it is in the cache. What is
        wrong with its list is said where it is gathered: there is a record for it."""
        progress = self._progress
        if isinstance(found := progress.known.get(call.id), StepRun):
            return False
        apart = progress.is_apart(call)
        found = self._skips.record(call) or found
        if found is None:
            key = progress.cache.key
            found = Miss(key(call, progress.results)) if apart else progress.look_up(call)
        progress.known[call.id] = found
        if isinstance(found, StepRun):
            return False
        try:
            items = progress.expansions.items(call)
        except PenstockError:
            return False
        search = Search(
            progress.plan, progress.results, progress.earlier, progress.cache, progress.ledger
        )
        if not apart:
            progress.known.update(search.misses(items, progress.stop))
        progress.digests.update(search.write(call, len(items)))
        self.begun.add(call.id)
        if search.count:
            progress.observer.note(f"{call.id}: {search.count:,} of {len(items):,} are cached")
        return True

    def gathered(self, call: Call, writing: Writing) -> StepRun:
        """What a map gives, when all its items are done."""
        progress = self._progress
        found = progress.known.pop(call.id, None) or progress.results[call.id]
        if isinstance(found, StepRun):
            return found
        if found.useless:
            progress.cache.forget(found.key)
        reusable = progress.plan.controls(call).cache and not progress.is_apart(call)
        return self._trials.once(call, found, 1, reusable, writing)[0]

    def _has_all_for(self, call: Call) -> bool:
        """Whether all that a call needs is done, here or by somebody else."""
        progress = self._progress
        for up in call.upstream - progress.results.keys():
            if (record := progress.record(up)) is None:
                return False
            progress.results[up] = record
            progress.digests[up] = progress.ledger.step_digest(progress.plan.run, up)
        return all(progress.results[up].usable for up in call.upstream)
