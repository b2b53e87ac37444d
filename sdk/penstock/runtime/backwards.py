"""Backwards: the ids of the newest runs, without listing all that there ever were.

A listing goes upwards, and ids go with time. So first the last hour is listed, then longer and
longer times before it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from typing import Final

from penstock.artifacts.store import ArtifactStore, Entry
from penstock.runtime.runid import PATTERN, second

RUNS: Final = "runs/"

HOUR: Final = 3600.0

TIMES: Final = 8
"""How many times as far back as the one before each listing begins."""

LONGEST: Final = 10 * 365 * 24 * HOUR
"""Before this all is listed that is left."""

PAGE: Final = 1000
"""Names that one request lists."""


def all_ids(store: ArtifactStore) -> list[str]:
    """The ids of all runs, the newest first."""
    return _ids(store.keys(RUNS))


def newest_ids(store: ArtifactStore) -> Iterator[Sequence[str]]:
    """The same in portions, each listed when somebody asks for it. A near store has one."""
    if not store.distant:
        yield all_ids(store)
        return
    until, *starts = _starts()
    yield _ids(store.keys(RUNS, start_after=until))
    oldest = list(islice(store.keys(RUNS), PAGE))
    if len(oldest) < PAGE:  # one request has told of all that there are
        yield _ids(_before(until, oldest))
        return
    for start in starts:
        yield _ids(_before(until, store.keys(RUNS, start_after=start)))
        until = start


def _starts() -> Iterator[str]:
    """What all runs of the last hour are behind, and those of longer times; at last, all."""
    now, span = time.time(), HOUR
    while span < LONGEST:
        yield RUNS + second(now - span)
        span *= TIMES
    yield ""


def _before(until: str, found: Iterable[Entry]) -> Iterator[Entry]:
    return takewhile(lambda entry: entry.key < until, found)


def _ids(found: Iterable[Entry]) -> list[str]:
    # Others leave folders, too: file managers, synchronisers.
    names = [entry.name for entry in found if entry.key.endswith("/")]
    return [name for name in names if PATTERN.fullmatch(name)][::-1]
