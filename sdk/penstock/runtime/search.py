"""Search: which items of a map are in the cache, and where that is written down."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.graph import Call
from penstock.model.plan import Plan
from penstock.model.records import StepRun
from penstock.runtime.cache import Cache, Key, Miss
from penstock.runtime.earlier import Earlier
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import Expansion
from penstock.runtime.stopping import Stop, Stopped


class Search:
    """Looks up the items of one map. What is there gets no record of its own: one file names all
    of it, so that of a long list with one changed item little is written."""

    def __init__(
        self, plan: Plan, results: dict[str, StepRun], earlier: Earlier, cache: Cache,
        ledger: Ledger,
    ) -> None:  # fmt: skip
        self._plan = plan
        self._results = results
        self._earlier = earlier
        self._cache = cache.at_once()
        self._ledger = ledger
        self._hits: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self._own: list[StepRun] = []
        """Results that the cache may not have: of a run that this one goes on with."""

    @property
    def count(self) -> int:
        """How many were found."""
        return len(self._hits) + len(self._own)

    def misses(self, items: Iterable[Call], stop: Stop) -> dict[str, Miss]:
        """Those that must run; the others become results. Raises `Stopped`."""
        found = {}
        for wave in self._cache.waves(item for item in items if item.id not in self._results):
            keys = [(item, self._cache.key(item, self._results)) for item in wave]
            self._cache.look_ahead([key.digest for _, key in keys])
            for item, key in keys:
                if stop.requested:
                    raise Stopped
                if (miss := self._look_up(item, key)) is not None:
                    found[item.id] = miss
        return found

    def write(self, call: Call, count: int) -> dict[str, str]:
        """Write down what a map became. Returns the digests of the records that it took."""
        run = self._plan.run
        made = Expansion(run, call.id, count, self._hits, self._sources)
        own = self._own
        if not self._ledger.expand(made):
            # Somebody else was first, whose file may not name all that was found here.
            theirs = self._ledger.expansion(run, call.id)
            named = theirs.hits if theirs is not None else {}
            own = own + [self._results[id] for id in self._hits if id not in named]
        return {each.call: self._ledger.finish(each, reusable=False) for each in own}

    def _look_up(self, item: Call, key: Key) -> Miss | None:
        found = self._cache.look_up(key, self._plan.controls(item))
        if (kept := self._earlier.instead(found, item.id, key)) is not None:
            result = self._results[item.id] = kept.reused(self._plan.run, item.id)
            self._own.append(result)
            return None
        if isinstance(found, Miss):
            return found
        self._results[item.id] = found.reused(self._plan.run, item.id)
        self._hits[item.id] = key.digest
        self._sources[item.id] = f"{found.run}/{found.call}"
        return None
