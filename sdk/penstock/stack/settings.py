"""Settings for a flavor: what pipelines and steps say under its name, in plain data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from penstock.errors import did_you_mean, listed

if TYPE_CHECKING:
    from penstock.model.graph import Call

ByFlavor = Mapping[str, Mapping[str, Any]]


def given(
    flavor: str, pipeline: str, settings: ByFlavor, calls: Iterable[Call]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Who gives settings for a flavor, and which: the pipeline, and each step once."""
    yield f"pipeline {pipeline}", settings.get(flavor, {})
    steps: dict[int, Call] = {}
    for call in calls:
        steps.setdefault(id(call.step), call)
    for call in steps.values():
        yield f"step {call.id} ({call.where})", (call.step.options.settings or {}).get(flavor, {})


def unknown(who: str, values: Iterable[str], flavor: str, known: Collection[str]) -> Iterator[str]:
    """Those that the flavor does not know, a sentence each."""
    for name in values:
        if name not in known:
            near = did_you_mean(name, known)
            yield (
                f"{who} has the setting {name!r} for the flavor {flavor!r}, which knows "
                f"{listed(known)}{'. ' + near if near else ''}"
            )
