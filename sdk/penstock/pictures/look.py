"""How a state looks: its word, its mark and its colour. No two marks have the same shape, so that
nothing is said by colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Look:
    """How one state looks."""

    word: str
    tone: str
    """The colour's name in the palette."""
    mark: str
    """SVG around the point 0, 0, inside a radius of 7. `t` is filled with the tone, `r` a ring of
    it, `s` a stroke of it, `p` a stroke of the paper's colour."""


_DISC: Final = '<circle class="t" r="7"/>'
_RING: Final = '<circle class="r" r="6.2"/>'
_DOTS: Final = '<circle class="r" r="6.2" stroke-dasharray="2.2 2.67"/>'
_HALF: Final = '<path class="t" d="M0-3.8A3.8 3.8 0 0 1 0 3.8Z"/>'
_BLOCK: Final = '<rect class="t" x="-6" y="-6" width="12" height="12" rx="2.5"/>'
_CROSS: Final = "M-2.6-2.6 2.6 2.6M2.6-2.6-2.6 2.6"
_CLOCK: Final = "M0-4V0L2.8 2"
_QUERY: Final = "M-2.2-1.9C-2.2-4.6 2.2-4.6 2.2-1.8 2.2-.2 0-.1 0 1.5M0 3.9v.1"
_CHECK: Final = "M-3.2.2-.9 2.6 3.3-2.3"
_AHEAD: Final = "M-2.8-2.6-.2 0-2.8 2.6M.6-2.6 3.2 0 .6 2.6"


def _on(ground: str, path: str) -> str:
    kind = "p" if ground is _DISC else "s"
    return f'{ground}<path class="{kind}" d="{path}"/>'


LOOKS: Final[Mapping[str, Look]] = {
    "failed": Look("failed", "bad", _on(_DISC, _CROSS)),
    "timed_out": Look("timed out", "bad", _on(_DISC, _CLOCK)),
    "lost": Look("lost", "odd", _on(_DISC, _QUERY)),
    "stopped": Look("stopped", "odd", _BLOCK),
    "running": Look("running", "busy", _RING + _HALF),
    "pending": Look("pending", "quiet", _DOTS),
    "completed": Look("completed", "good", _on(_DISC, _CHECK)),
    "skipped": Look("skipped", "quiet", _on(_RING, _AHEAD)),
    "cached": Look("cached", "kept", _on(_RING, _CHECK)),
}
"""The worst first: that is how several in one box look."""

UNKNOWN: Final = LOOKS["lost"].mark


def look(status: str) -> Look:
    """How a state looks; one that this version does not know says its own name."""
    return LOOKS.get(status) or Look(status.replace("_", " "), "odd", UNKNOWN)


def worst(statuses: Mapping[str, int]) -> list[str]:
    """The states in which there are any, the worst first."""
    known = [status for status in LOOKS if status in statuses]
    return [*(status for status in statuses if status not in LOOKS), *known]
