"""Questions for secrets: what is typed is not seen, and a reference stands for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from penstock.cli.questions.kept import Kept
from penstock.cli.questions.line import as_it_is
from penstock.cli.questions.question import INDENT, NOTHING, Question

HIDDEN: Final = (
    "A secret: it is not shown while you type, and kept in a file that only you can read. Or type "
    "where it is: env:NAME or file:PATH."
)
Take = Callable[[str], object]


def ask(kept: Kept, what: str, question: Question, take: Take) -> bool:
    """Ask for one. `take` is given the reference; `what` tells it from all others."""

    def taken(text: str) -> None:
        reference = kept.reference(what, text)
        take(reference)
        as_it_is(f"{INDENT}{reference}")

    about = f"{question.about} {HIDDEN}".strip()
    return replace(question, about=about, is_hidden=True).ask(taken)


def ask_named(
    kept: Kept,
    what: str,
    question: Question,
    take: Callable[[str, str], object],
    check: Take = str,
) -> None:
    """Ask for any number of them, for the name of each first. `take` is given name and reference;
    `check` raises what is wrong with a name."""
    name = ""

    def named(text: str) -> None:
        nonlocal name
        check(text)
        name = text

    while question.ask(named) and name:
        one = Question(f"{question.name} {name}", f"The secret {name!r}.", NOTHING)
        ask(kept, f"{what}.{name}", one, partial(take, name))
        question = replace(question, about="Another one?", default="no more", forget=None)
        name = ""
