"""Bars: what the ways to keep a value took, to write and to read, one group for each value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from penstock.digest import digest
from penstock.pictures.lettering import escaped
from penstock.pictures.palette import colour
from penstock.pictures.sheet import SANS, scoped

WIDTH: Final = 760
LEFT: Final = 170
LONGEST: Final = 430
LINE: Final = 20
HEAD: Final = 30
EDGE: Final = 16
TITLE: Final = "time to write a value and to read it back"

RULES: Final = {
    "text": f"{colour('fill', 'ink')};font:12px {SANS}",
    ".head": "font-weight:600",
    ".soft": colour("fill", "soft"),
    ".paper": colour("fill", "paper"),
    ".ours": colour("fill", "good"),
    ".other": colour("fill", "edge"),
    ".read": "opacity:.5",
}

Bar = Mapping[str, Any]
"""`thing`, `way`, and seconds: `write` and `read`."""


def drawn(bars: Sequence[Bar]) -> str:
    """SVG. The longest bar of each group is as long as that of the others."""
    groups = [list(group) for _, group in groupby(bars, itemgetter("thing"))]
    body, y = [], EDGE + 12
    body.append(_text(EDGE, y, "written, then read, in milliseconds; shorter is better", "soft"))
    for group in groups:
        y += HEAD
        body.append(_text(EDGE, y, group[0]["thing"], "head"))
        longest = max(map(_total, group))
        for bar in group:
            y += LINE
            body.extend(_bar(bar, y, LONGEST / longest))
    return _svg("\n".join(body), y + EDGE, "; ".join(map(_described, bars)))


def _bar(bar: Bar, y: int, scale: float) -> Iterator[str]:
    kind = "ours" if bar["way"] == "penstock" else "other"
    write, read = bar["write"] * scale, bar["read"] * scale
    yield _text(EDGE, y, bar["way"], "head" if kind == "ours" else "soft")
    yield _box(LEFT, y, write, kind)
    yield _box(LEFT + write, y, read, f"{kind} read")
    yield _text(LEFT + write + read + 8, y, f"{_figure(bar['write'])} + {_figure(bar['read'])}", "")


def _box(x: float, y: int, width: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y - 11}" width="{width:.1f}" height="14"/>'


def _text(x: float, y: int, text: str, kind: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y}">{escaped(text)}</text>'


def _total(bar: Bar) -> float:
    return float(bar["write"] + bar["read"])


def _figure(seconds: float) -> str:
    """Milliseconds, two digits that count."""
    value = seconds * 1e3
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _described(bar: Bar) -> str:
    return f"{bar['thing']}, {bar['way']}: {_figure(bar['write'])} + {_figure(bar['read'])} ms"


def _svg(body: str, height: int, said: str) -> str:
    scope = f"penstock-{digest('bars', body)[:12]}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{scope}" role="img" '
        f'aria-label="{TITLE}" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}">\n'
        f"<title>{TITLE}</title>\n<desc>{escaped(said)}</desc>\n"
        f"<style>{scoped(f'.{scope}', RULES)}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>\n{body}\n</svg>\n'
    )
