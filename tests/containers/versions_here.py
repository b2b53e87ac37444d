"""What a requirement needs, all in all, in the versions that are installed on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def pins(wanted: Sequence[str], without: str) -> Sequence[str]:
    """As pip takes them, sorted."""
    names = {name for name, extra in needed(wanted) if not extra and name != without}
    return sorted(f"{name}=={distribution(name).version}" for name in names)


def needed(wanted: Sequence[str]) -> set[tuple[str, str]]:
    """Distributions and their extras; each by itself, too, with no extra."""
    found: set[tuple[str, str]] = set()
    open_ones = list(map(Requirement, wanted))
    while open_ones:
        requirement = open_ones.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in found:
                found.add((name, extra))
                open_ones += asked_for(name, extra)
    return found


def asked_for(name: str, extra: str) -> Iterator[Requirement]:
    """What one of them asks for itself, on this Python."""
    for requirement in map(Requirement, distribution(name).requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement
