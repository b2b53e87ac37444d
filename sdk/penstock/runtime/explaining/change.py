"""Changes: what is different, and explanations: what became of a step, and because of what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from penstock.model.records import Status

RECORDED: Final = (
    "cache-off", "refreshed", "expired", "deleted", "key-not-here", "corrupt", "outside",
    "unusable",
)  # fmt: skip
"""Kinds that only whoever ran the step could know; they are in its record."""

ORDER: Final = (
    *RECORDED, "parameter", "function", "class", "data", "module", "code", "version", "variable",
    "package", "python", "format", "input", "names", "meanwhile", "not-kept", "gone", "never-ran",
    "failed", "hit", "resumed", "skipped", "not-run",
)  # fmt: skip
"""All kinds, what one wants to know first before the rest."""

_RANK: Final = {kind: rank for rank, kind in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different, or one reason besides."""

    kind: str
    """One of `ORDER`."""
    name: str = ""
    """What it is about: a parameter, an input, `module:qualname`, a distribution."""
    old: str | None = None
    """What it was, as text, None where it was not there."""
    new: str | None = None
    where: str = ""
    """File and line of code; of an input the step that made it."""
    diff: str = ""
    """Of code: what was edited, as a unified diff."""
    words: str = ""
    """All of it in a few words, for one line."""
    because: str = ""
    """Of an input: why the step that made it ran, in words."""

    @property
    def is_edit(self) -> bool:
        """Whether a thing is another one, and was not just added or taken away."""
        return self.old is not None and self.new is not None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of one step, and because of what."""

    step: str
    status: Status
    against: str = ""
    """The earlier run whose record of the step is the nearest; empty if there is none."""
    changes: tuple[Change, ...] = ()
    """What is different from it, what matters most first."""

    @property
    def words(self) -> str:
        """The changes in a few words; empty if there is nothing to say."""
        return in_words(self.changes)


def in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """What matters most first: reasons before consequences, edits before what they bring along.
    Each once: a class may be reached by the step and named by what it is given."""
    return tuple(sorted(dict.fromkeys(changes), key=_rank))


def in_words(changes: Sequence[Change]) -> str:
    """The first of them in words, and how many more there are."""
    if not changes:
        return ""
    more = len(changes) - 1
    return f"{changes[0].words} and {more} more" if more else changes[0].words


def with_cause(change: Change, because: str) -> Change:
    """The same change of an input, with the reason of whoever made it."""
    return replace(change, because=because) if because else change


def _rank(change: Change) -> tuple[int, bool]:
    return _RANK.get(change.kind, len(ORDER)), not change.is_edit
