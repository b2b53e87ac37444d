"""What is wrong with a text that is not YAML. The parser says where it could not go on; people want
to know where it went wrong."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, Final

from penstock.stack.complaints import At, Complaints

_TAB: Final = re.compile(r"^ *(\t)[ \t]*\S", re.MULTILINE)
_CONFLICT: Final = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?=\s)", re.MULTILINE)
_WHOLE_FILE: Final = (
    (_CONFLICT, "A merge conflict is not settled here."),
    (_TAB, "This line is indented with a tab; YAML takes spaces only."),
)
"""The usual causes, of which the parser knows nothing."""


def explain(error: Any, text: str, complaints: Complaints) -> None:
    """Complain of what ruamel's `error` comes from."""
    for cause, said in _WHOLE_FILE:
        if found := list(cause.finditer(text)):
            for match in found:
                complaints.add(_place(text, match.start(1)), said)
            return
    place, problem = _cause(error, text)
    complaints.add(place, f"This is not YAML: {problem.splitlines()[0].rstrip('.')}.")


def at(mark: Any) -> At:
    """Line and column of one of ruamel's marks."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _cause(error: Any, text: str) -> tuple[At, str]:
    if (position := getattr(error, "position", None)) is not None:
        return _place(text, position), f"the character {error.character!r} cannot stand in a file"
    problem = getattr(error, "problem", None) or str(error)
    mark, began = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if "another document" in problem:
        return at(mark), "a second document begins here"
    if "could not find expected ':'" in problem:
        return at(began), "a line that needs a ':' with a space behind it"
    if mark and (quote := _open_quote(problem, mark, began, text)):
        return at(quote), "this quote is not closed"
    if mark and began and _is_left_open(mark, began, problem, text):
        return at(began), f"this {text[began.index]!r} is not closed"
    return at(mark or began), problem


def _open_quote(problem: str, mark: Any, began: Any, text: str) -> Any:
    """Where a quote began that ends at the place of the error, lines below, by another's quote."""
    from ruamel.yaml import YAML  # loaded already: it has made the error
    from ruamel.yaml.error import YAMLError

    if "unexpected end of stream" in problem:
        return began
    last = None
    with suppress(YAMLError):  # the one that is being explained
        for token in YAML(typ="safe", pure=True).scan(text):
            if token.end_mark.index > mark.index:
                break
            if getattr(token, "style", None) in ("'", '"'):
                last = token
    if last and last.start_mark.line < last.end_mark.line == mark.line:
        return last.start_mark
    return None


def _is_left_open(mark: Any, began: Any, problem: str, text: str) -> bool:
    """Whether a bracket was forgotten, and not a comma: then what follows stands no deeper."""
    if not problem.startswith("expected ','") or mark.line == began.line:
        return False
    lines = text.split("\n")
    return _depth(lines[mark.line]) <= _depth(lines[began.line])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _place(text: str, index: int) -> At:
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
