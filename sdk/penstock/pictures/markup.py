"""Pieces of HTML. Whoever makes one out of text gets it escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NewType

from penstock.pictures.lettering import escaped
from penstock.pictures.look import look
from penstock.pictures.palette import TONES, colour
from penstock.pictures.sheet import MONO, SANS, scoped

Markup = NewType("Markup", str)
"""HTML that is whole: what text it has is escaped."""

SCOPE: Final = "penstock-block"

_RULES: Final[Mapping[str, str]] = {
    "h1,h2": f"{colour('color', 'ink')};font:600 15px {SANS};margin:0 0 8px",
    "h2": "margin-top:20px",
    "table": "border-collapse:collapse;border:0;margin:0 0 12px",
    "tr": f"{colour('background', 'paper')}",
    "th,td": f"{colour('color', 'ink')};border:0;font:13px {SANS};padding:3px 18px 3px 0;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere;white-space:pre-wrap",
    "th": f"{colour('color', 'soft')};white-space:nowrap",
    "td": "max-width:60em",
    ".grid th": f"border-bottom:1px solid;{colour('border-bottom-color', 'edge')}",
    "p": f"{colour('color', 'soft')};font:13px {SANS};margin:8px 0",
    "pre": f"{colour('background', 'box')};{colour('color', 'ink')};border:0;border-radius:6px;"
    f"font:12px/1.45 {MONO};margin:6px 0 12px;max-height:32em;overflow:auto;padding:8px 12px;"
    "white-space:pre-wrap;overflow-wrap:anywhere",
    "summary": f"{colour('color', 'ink')};cursor:pointer;font:600 13px {SANS};padding:4px 0",
    "details": f"border-top:1px solid;{colour('border-top-color', 'edge')};padding:2px 0",
    ".inside": "padding:2px 0 6px 18px",
    ".scroll": "max-height:44em;overflow:auto",
    ".scroll svg": "display:block;max-width:none",
    ".state": "font-weight:600",
    **{f".{tone}": colour("color", tone) for tone in TONES},
}  # fmt: skip


def sheet() -> Markup:
    """The style that blocks need, once on a page."""
    own = f".{SCOPE}{{{colour('background', 'paper')};border-radius:8px;padding:12px 16px}}"
    return Markup(f"<style>{scoped(f'.{SCOPE}', _RULES)}{own}</style>")


def block(parts: Iterable[Markup]) -> Markup:
    """A part of somebody's page, with a background of its own."""
    return Markup(f'<div class="{SCOPE}">\n{"".join(parts)}</div>\n')


def title(text: str) -> Markup:
    return Markup(f"<h1>{escaped(text)}</h1>\n")


def section(text: str) -> Markup:
    return Markup(f"<h2>{escaped(text)}</h2>\n")


def sentence(text: str) -> Markup:
    return Markup(f"<p>{escaped(text)}</p>\n")


def verbatim(text: str) -> Markup:
    """Text as it is, in a font whose letters are all equally wide."""
    return Markup(f"<pre>\n{escaped(text)}</pre>\n")


def state(status: str, more: str = "") -> Markup:
    """A state's word in its colour, and text behind it."""
    seen = look(status)
    return Markup(f'<span class="state {seen.tone}">{escaped(seen.word)}</span>{escaped(more)}')


def text(said: object) -> Markup:
    return Markup(escaped(said))


def facts(rows: Mapping[str, Markup]) -> Markup:
    """One name and what is to be said of it a line."""
    lines = (f"<tr><th>{escaped(name)}</th><td>{said}</td></tr>\n" for name, said in rows.items())
    return Markup(f"<table>\n{''.join(lines)}</table>\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[Markup]]) -> Markup:
    head = "".join(f"<th>{escaped(heading)}</th>" for heading in headings)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return Markup(f'<table class="grid">\n<tr>{head}</tr>\n{body}</table>\n')


def scrolled(picture: str) -> Markup:
    """A picture, in a frame of its own if it is larger than its place."""
    return Markup(f'<div class="scroll">{picture}</div>\n')


def opened(summary: Markup, inside: Iterable[Markup], *, open: bool = False) -> Markup:
    """What is seen after a click, or at once."""
    attribute = " open" if open else ""
    return Markup(
        f"<details{attribute}><summary>{summary}</summary>\n"
        f'<div class="inside">{"".join(inside)}</div></details>\n'
    )


def document(name: str, parts: Iterable[Markup]) -> Iterable[str]:
    """A whole page in pieces. It forbids itself scripts and anything from elsewhere."""
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(name)}</title>\n{sheet()}"
        "<style>:root{color-scheme:light dark}body{margin:0}"
        f".{SCOPE}{{min-height:100vh;box-sizing:border-box;border-radius:0}}</style>\n"
        f'</head>\n<body class="{SCOPE}">\n'
    )
    yield from parts
    yield "</body>\n</html>\n"
