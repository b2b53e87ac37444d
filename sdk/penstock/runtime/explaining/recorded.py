"""What a step's record says of the cache: in words, and which kind of reason they are."""

from __future__ import annotations

from typing import Final

from penstock.model.records import StepRun
from penstock.runtime.cache import OFF, REFRESHED
from penstock.runtime.explaining.change import Change

_KINDS: Final = (
    (OFF, "cache-off"),
    (REFRESHED, "refreshed"),
    ("the result is older than ", "expired"),
    (" ahead of the clock here", "expired"),
    (" was deleted", "deleted"),
    ("allow_pickle: never", "key-not-here"),
    (", which is not here", "key-not-here"),
    ("is not the one that its name says", "corrupt"),
    ("in the place of the cache entry", "corrupt"),
    ("the cache entry cannot be read: ", "corrupt"),
    (" has changed: ", "outside"),
)
"""Words that each reason of `cache` has, and its kind."""

ASKED_FOR: Final = frozenset({"cache-off", "refreshed"})
"""Kinds that somebody has asked for, and needs not be told while the step runs."""


def reason(step: StepRun) -> Change | None:
    """Why the cache was not used though it may have had a result, if the record says so."""
    return Change(kind(step.why), new=step.why, words=step.why) if step.why else None


def kind(why: str) -> str:
    """Which kind of reason the words are."""
    return next((kind for words, kind in _KINDS if words in why), "unusable")
