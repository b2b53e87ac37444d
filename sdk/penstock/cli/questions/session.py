"""From the first question to the last answer: what is kept until then, and what is said after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from penstock.cli.questions.kept import Kept
from penstock.cli.questions.line import as_it_is, tell
from penstock.cli.questions.question import Question
from penstock.errors import BadConfiguration
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.writing import seen, unchanged
from penstock.stack.complaints import shown
from penstock.stack.flavor import Own
from penstock.stack.shape import RULE


class Session:
    """One form that is being filled in. Nothing is on disk before `end`."""

    def __init__(self, changes: Changes) -> None:
        changes.settle()
        self.changes = changes
        self.kept = Kept()
        self._before = seen(changes.file)

    @property
    def own(self) -> Own:
        """The flavors of the file that it goes to."""
        files = self.changes.registry.files
        return next((each.flavors for each in files if each.path == self.changes.file), {})

    @property
    def flag(self) -> str:
        """What the line needs besides, so that it means the same file."""
        return self.changes.places.flag(self.changes.file)

    def begin(self, what: str) -> None:
        """Say what the questions are for."""
        tell(
            f"This registers {what} in {shown(self.changes.file)}. An empty answer takes what is "
            "in brackets. Ctrl-C ends it, and nothing is written."
        )

    def name(self, what: str) -> str:
        """A name that is free; `what` is a category or `stack`."""
        found = ""

        def take(text: str) -> None:
            nonlocal found
            self.changes.check_name(what, text)
            found = text

        Question("name", f"What it is called. {RULE}").ask(take)
        return found

    def end(self, entry: Any, line: str) -> None:
        """Keep the secrets that are in an entry, and show the line that registers it.

        Raises `BadConfiguration` if somebody else has changed the file meanwhile; nothing is lost.
        """
        kept = self.kept.write(entry)
        file = self.changes.file
        as_it_is(f"\nThe same without questions:\n  {line}\n")
        try:
            unchanged(file, self._before)
        except BadConfiguration as error:
            hint = f"Look at {shown(file)}, and type the line above.{_stays(kept)}"
            raise BadConfiguration(error.message, hint=hint) from error


def _stays(kept: Sequence[str]) -> str:
    """What is on disk all the same."""
    if not kept:
        return ""
    return f"\nSecrets were kept for that line; if you do not type it, delete {', '.join(kept)}"


@contextmanager
def session(changes: Changes) -> Iterator[Session]:
    """Raises `click.Abort` if somebody breaks it off."""
    begun = Session(changes)
    try:
        yield begun
    except (KeyboardInterrupt, EOFError):
        as_it_is("\nNothing was written.")
        raise click.Abort from None
