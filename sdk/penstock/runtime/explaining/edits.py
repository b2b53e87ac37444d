"""Edits: what is different in the project's code that a step reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from penstock.artifacts.values import Values
from penstock.errors import StoreError
from penstock.model.records import RunRecord
from penstock.runtime.explaining import diffs
from penstock.runtime.explaining.change import Change
from penstock.runtime.explaining.texts import arrow, dotted, short
from penstock.runtime.fingerprints import code
from penstock.runtime.fingerprints.code import KeptCode
from penstock.runtime.fingerprints.unit import Unit
from penstock.runtime.notation import MALFORMED


class Codes:
    """The code that runs were started with, as they keep it in their store."""

    def __init__(self, values: Values, *, diffs: bool = True) -> None:
        """Without `diffs` no file's text is read."""
        self._values = values
        self._diffs = diffs
        self._read: dict[str, KeptCode | None] = {}

    def edits(self, step: str, old: RunRecord, new: RunRecord) -> list[Change]:
        """What is different in what a step reaches; empty if that is not known."""
        before, after = self._of(old), self._of(new)
        if before is None or after is None:
            return []
        units = before.units_of(step), after.units_of(step)
        return list(self._between(before, after, *units, own=step))

    def distance(self, step: str, old: RunRecord, new: RunRecord) -> int:
        """How many of the things that a step reaches are not the same; 1 if that is not known."""
        before, after = self._of(old), self._of(new)
        if before is None or after is None:
            return 1
        was, now = before.units_of(step), after.units_of(step)
        names = was.keys() | now.keys()
        return sum(_digest(was.get(name)) != _digest(now.get(name)) for name in names)

    def edits_of(self, names: Iterable[str], old: RunRecord, new: RunRecord) -> list[Change]:
        """What is different in classes and functions that values name, and in what is in them."""
        before, after = self._of(old), self._of(new)
        if before is None or after is None:
            return []
        wanted = tuple(names)
        units = _within(before.units, wanted), _within(after.units, wanted)
        return list(self._between(before, after, *units))

    def _of(self, run: RunRecord) -> KeptCode | None:
        """What a run keeps of its code: nothing if it is of an earlier version, or cleaned."""
        if run.code not in self._read:
            found = None
            with suppress(StoreError, *MALFORMED):
                found = code.read(self._fetch(run.code))
            self._read[run.code] = found
        return self._read[run.code]

    def _between(
        self,
        before: KeptCode,
        after: KeptCode,
        old: Mapping[str, Unit],
        new: Mapping[str, Unit],
        own: str = "",
    ) -> Iterator[Change]:
        for name in (*new, *(name for name in old if name not in new)):
            was, now = old.get(name), new.get(name)
            if was is None or now is None:
                yield _reached(name, was, now)
            elif was.digest != now.digest:
                diff = self._diff(before, after, was, now) if self._diffs else ""
                yield _edited(was, now, diff, own=name == own)

    def _diff(self, before: KeptCode, after: KeptCode, was: Unit, now: Unit) -> str:
        """As far as the texts are there; data has its value instead."""
        if now.kind == "data":
            return ""
        texts = self._text(before, was), self._text(after, now)
        if texts[0] is None or texts[1] is None:
            return ""
        names = (f"{was.file} (before)", now.file)
        return diffs.unified(texts[0], texts[1], names, (was.first, now.first))

    def _text(self, kept: KeptCode, unit: Unit) -> str | None:
        with suppress(StoreError, *MALFORMED):
            return kept.text(unit, self._fetch)
        return None

    def _fetch(self, digest: str) -> bytes:
        return bytes(self._values.fetch(digest, "The code of a run"))


def place(unit: Unit) -> str:
    """File and line of it."""
    return f"{unit.file}:{unit.first}" if unit.file and unit.first else unit.file


def _within(units: Iterable[Unit], names: tuple[str, ...]) -> dict[str, Unit]:
    inside = tuple(f"{name}." for name in names)
    return {unit.name: unit for unit in units
            if unit.name in names or unit.name.startswith(inside)}  # fmt: skip


def _reached(name: str, was: Unit | None, now: Unit | None) -> Change:
    """Something that only one of the two reaches."""
    unit = now or was
    assert unit is not None
    words = f"uses {dotted(name)} now" if was is None else f"does not use {dotted(name)} any more"
    old, new = was and _shown(was), now and _shown(now)
    return Change(unit.kind, name, old, new, place(unit), words=words)


def _edited(was: Unit, now: Unit, diff: str, *, own: bool) -> Change:
    """Something that both reach, and that is not the same any more."""
    old, new = _shown(was), _shown(now)
    return Change(now.kind, now.name, old, new, place(now), diff, _words(was, now, own=own))


def _words(was: Unit, now: Unit, *, own: bool) -> str:
    name, at = dotted(now.name), f" ({place(now)})" if now.file else ""
    if now.kind == "data":
        return arrow(name, was.note, now.note) if was.note != now.note else f"{name} changed"
    if now.kind == "module":
        note = f" ({short(now.note)})" if now.note else ""
        return f"module changed: {name}{note}"
    if own:
        return f"code changed{at}"
    return f"{'class' if now.kind == 'class' else 'helper'} changed: {name}{at}"


def _digest(unit: Unit | None) -> str:
    return unit.digest if unit else ""


def _shown(unit: Unit) -> str:
    """What stands for a unit: the value of data, else the digest of code."""
    return unit.note if unit.kind == "data" else unit.digest
