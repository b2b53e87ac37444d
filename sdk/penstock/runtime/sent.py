"""Sent: what other machines find in a store before a step of a run can start there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """Objects, by their digests, and which store it is."""

    record: str
    """The record of the run, without what makes it that run: each job begins with a copy of it."""
    code: str
    """The project's code; empty if it is there already."""
    store: str
    """The id of the store."""
    remarks: Sequence[str] = ()
    """What one should know of the code, a line each."""
