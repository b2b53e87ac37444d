"""The style sheets of pictures and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from penstock.pictures.palette import TONES, colour, variables

MONO: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS: Final = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"

_ROUND: Final = "stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round"

PICTURE: Final[Mapping[str, str]] = {
    "text": f"{colour('fill', 'ink')};font:600 12px {MONO}",
    ".line": f"{colour('fill', 'soft')};font:11px {SANS}",
    ".paper": colour("fill", "paper"),
    ".edge,.under": f"{colour('fill', 'box')};{colour('stroke', 'edge')}",
    ".wire": f"fill:none;{colour('stroke', 'edge')};stroke-width:1.4",
    ".tip": colour("fill", "edge"),
    ".dash": "stroke-dasharray:4 3",
    ".p": f"fill:none;{colour('stroke', 'paper')};{_ROUND}",
    ".r": "fill:none;stroke-width:1.6",
    ".s": f"fill:none;{_ROUND}",
    **{f".{tone} .t": colour("fill", tone) for tone in TONES},
    **{f".{tone} .r,.{tone} .s,.{tone} .edge": colour("stroke", tone) for tone in TONES},
}
"""What belongs to which class of a picture."""


def scoped(scope: str, rules: Mapping[str, str]) -> str:
    """The sheet for elements inside of `scope` and for nothing else on the page."""
    within = (
        ",".join(f"{scope} {selector}" for selector in selectors.split(",")) + f"{{{rule}}}"
        for selectors, rule in rules.items()
    )
    return variables(scope) + "".join(within)
