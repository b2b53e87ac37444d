"""One question, which is asked until the answer will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock.cli.questions.line import as_it_is, hidden, tell, typed
from penstock.errors import StackError

INDENT: Final = "  "
NOTHING: Final = "nothing"
AWAY: Final = "-"
"""The answer that takes back an answer which was given before."""

_YES: Final = {"y": True, "yes": True, "n": False, "no": False}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for."""

    name: str
    """What stands before the answer."""
    about: str
    """Sentences that say what is needed."""
    default: str | None = None
    """What an empty answer stands for, in words; None where there has to be one."""
    is_hidden: bool = False
    forget: Callable[[], object] | None = None
    """What is done if an answer that was given before is taken back."""

    def ask(self, take: Callable[[str], object]) -> bool:
        """Whether there was an answer. What `take` raises of it is told, and it is asked again."""
        as_it_is()
        tell(self.about)
        while True:
            try:
                text = self._answer()
                if text.strip():
                    self._taken(text, take)
                    return True
            except StackError as error:
                complain(error)
                continue
            if self.default is not None:
                return False
            tell("There is no default: an answer is needed.", INDENT)

    def _taken(self, text: str, take: Callable[[str], object]) -> None:
        if text.strip() == AWAY and self.forget:
            self.forget()
        else:
            take(text)

    def _answer(self) -> str:
        default = "" if self.default is None else f" [{self.default}]"
        return (hidden if self.is_hidden else typed)(f"{self.name}{default}: ")


def confirmed(text: str, *, default: bool) -> bool:
    """A question for yes or no."""
    choice = "Y/n" if default else "y/N"
    while True:
        try:
            answer = typed(f"{text} [{choice}]: ").lower()
        except StackError as error:
            complain(error)
            continue
        if answer in _YES or not answer:
            return _YES.get(answer, default)
        tell("Type y or n.", INDENT)


def once_more() -> None:
    """Say what is different if all is asked again."""
    tell(f"Once more, with your answers in brackets; {AWAY!r} takes one away.", INDENT)


def complain(error: StackError) -> None:
    """Say what is wrong with an answer."""
    for line in str(error).splitlines():
        tell(line.strip(), INDENT)
