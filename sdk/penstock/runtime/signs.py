"""Signs of life: what those who carry a run out write now and then, and what that tells others.

A run on one machine has one `beat`. Of a run whose steps run elsewhere each process has its own,
`beats/<name>`, and takes it away when it is done.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from penstock.artifacts.store import ArtifactStore, Entry
from penstock.errors import NoSuchKey
from penstock.model.records import RunRecord
from penstock.runtime.notation import MALFORMED

UNHEARD: Final = 60.0
"""Seconds that no run lives without a beat."""

_dump: Final = json.JSONEncoder().encode


class Signs:
    """Those of one run."""

    def __init__(self, store: ArtifactStore, run: str, *, elsewhere: bool = False) -> None:
        """`elsewhere` says whether its steps run on other machines."""
        self._store = store
        self._run = run
        self._elsewhere = elsewhere

    def beat(self, running: Mapping[str, float], name: str = "") -> None:
        """Give one: the steps that run now, and since when. Elsewhere each process has a `name`."""
        text = _dump({"running": running})
        self._store.put(self._key(name), [text.encode()])

    def end(self, name: str) -> None:
        """Whoever had this name is done."""
        with suppress(NoSuchKey):
            self._store.delete(self._key(name))

    def running(self) -> dict[str, float]:
        """The steps that ran at the last beats, and since when. Anybody may have written them."""
        return dict(said for entry in self._beats() for said in self._said(entry.key).items())

    def last(self) -> tuple[float, dict[str, float]]:
        """When the last beat was written, by the store's clock, and what all say; 0 for none."""
        beats = list(self._beats())
        newest = max((entry.modified for entry in beats), default=0.0)
        return newest, dict(said for each in beats for said in self._said(each.key).items())

    def since_beat(self) -> float:
        """Seconds since the last beat, by the store's clock; very many if there is none."""
        newest = max((entry.modified for entry in self._beats()), default=-math.inf)
        return self._store.clock() - newest

    def silence(self) -> float:
        """Seconds, by the store's clock, since the run began or last gave a sign of life."""
        began = self._entry(f"runs/{self._run}/run.json")
        found = [*self._beats(), *([began] if began else [])]
        return self._store.clock() - max((entry.modified for entry in found), default=0.0)

    def last_sign(self, record: RunRecord) -> float:
        """When it last wrote a record of a step, a beat, or its own. Seconds since 1970, UTC."""
        began = self._entry(f"runs/{self._run}/run.json")
        signs = [entry.modified for entry in (*self._beats(), *([began] if began else []))]
        steps = [entry.modified for entry in self._store.keys(f"runs/{self._run}/steps/")]
        if self._elsewhere:
            tried = self._store.keys(f"runs/{self._run}/attempts/")
            attempts = [each for folder in tried for each in self._store.keys(folder.key)]
            signs += [*steps, *(each.modified for each in attempts)]
            return max(signs, default=record.started)
        # A result that the cache has, too, is one file with two names: it looks younger as soon as
        # somebody uses it. As long as the run lived, it has written a beat in between.
        until = max(signs, default=record.started) + UNHEARD
        signs += [modified for modified in steps if modified <= until]
        return max(signs, default=record.started)

    def _beats(self) -> Iterator[Entry]:
        if (found := self._entry(self._key(""))) is not None:
            yield found
        if self._elsewhere:
            yield from self._store.keys(f"runs/{self._run}/beats/")

    def _said(self, key: str) -> dict[str, float]:
        try:
            said = json.loads(bytes(self._store.get(key)))["running"]
            return {str(call): float(since) for call, since in said.items()}
        except (NoSuchKey, *MALFORMED):
            return {}

    def _key(self, name: str) -> str:
        return f"runs/{self._run}/beats/{name}" if name else f"runs/{self._run}/beat"

    def _entry(self, key: str) -> Entry | None:
        try:
            return self._store.stat(key)
        except NoSuchKey:
            return None
