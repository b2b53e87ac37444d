"""Options of a flavor on a command line: `--path=x`, `--max-workers 4`, `--no-verify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import click

from penstock.errors import StackError, did_you_mean
from penstock.stack import describe
from penstock.stack.changing.spelling import is_flag, is_text
from penstock.stack.complaints import Complaints
from penstock.stack.component import is_required, option_fields
from penstock.stack.flavor import Own, find
from penstock.stack.nodes import parse

WHERE: Final = "the command line"
"""Who wrote what stands there, in messages."""

Types = Mapping[str, Any]
"""The types of a flavor's options, by name."""

TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed, as plain data."""

    name: str | None
    options: Mapping[str, Any]


def types_of(category: str, flavor: str, own: Own) -> Types | None:
    """Of all options of a flavor; None if it cannot be loaded, which is told elsewhere."""
    try:
        cls = find(category, flavor, own).load()
        hints = describe.type_hints(cls)
    except StackError:
        return None
    return {item.name: hints[item.name] for item in option_fields(cls)}


def required(category: str, flavor: str, own: Own) -> set[str]:
    """The options of a flavor that have no default; none if it cannot be loaded."""
    try:
        cls = find(category, flavor, own).load()
    except StackError:
        return set()
    return {item.name for item in option_fields(cls) if is_required(item)}


def names(words: Sequence[str]) -> list[str]:
    """The words that may be the NAME: first those that are no option's value for sure."""
    pairs = [pair for pair in pairwise(("", *words)) if not pair[1].startswith("-")]
    return [word for _, word in sorted(pairs, key=lambda pair: _awaits(pair[0]))]


def given(words: Sequence[str], types: Types | None) -> Given:
    """The NAME and the options. Raises `click.UsageError` with everything that cannot be read."""
    context = click.get_current_context()
    reader = _Reader(words, types or {})
    reader.read()
    foreign = (f"{word!r} is not UTF-8." for word in words if not _is_unicode(word))
    problems = [*foreign, *reader.problems, *_misspelt(context, reader.options, types)]
    if problems:
        raise click.UsageError("\n  ".join(problems), context)
    return Given(reader.name, reader.options)


class _Reader:
    """Goes through the words, and remembers what it has found."""

    def __init__(self, words: Sequence[str], types: Types) -> None:
        self._rest = list(words)
        self._types = types
        self.name: str | None = None
        self.options: dict[str, Any] = {}
        self.problems: list[str] = []

    def read(self) -> None:
        while self._rest:
            word = self._rest.pop(0)
            if word.startswith("--"):
                self._option(word)
            elif word.startswith("-") or self.name is not None:
                self.problems.append(f"{word!r} is neither a NAME nor an option.")
            else:
                self.name = word

    def _option(self, word: str) -> None:
        typed, sign, text = word.removeprefix("--").partition("=")
        option = self._spelled(typed)
        if sign:
            self._set(option, self._value(option, text))
        elif option not in self._types and (denied := self._denied(typed)):
            self._set(denied, False)
        elif is_flag(self._types.get(option)):
            self._set(option, TRUTH[self._rest.pop(0)] if self._next in TRUTH else True)
        elif self._next and not self._next.startswith("--"):
            self._set(option, self._value(option, self._rest.pop(0)))
        elif option in self._types:
            needed = describe.words(self._types[option])
            self.problems.append(f"--{typed} needs a value, which is {needed}: --{typed}=…")
        else:  # that there is no such option is told with all else that is wrong
            self._set(option, None)

    @property
    def _next(self) -> str:
        return self._rest[0] if self._rest else ""

    def _set(self, option: str, value: Any) -> None:
        if option in self.options:
            self.problems.append(f"--{option} is given twice.")
        self.options[option] = value

    def _value(self, option: str, text: str) -> Any:
        """What a text means: of an option that takes more than text, YAML on one line."""
        if is_text(self._types.get(option, str)):
            return text
        complaints = Complaints(f"--{option}")
        node = parse(text, complaints)
        try:
            complaints.tell()
        except StackError as error:
            self.problems.append(str(error))
        return node.plain() if node else None

    def _spelled(self, typed: str) -> str:
        """Options have underscores, and are typed as one likes."""
        return typed if typed in self._types else typed.replace("-", "_")

    def _denied(self, typed: str) -> str | None:
        """`--no-x` denies the option `x`, if that is true or false."""
        if typed[:3] not in ("no-", "no_"):
            return None
        option = self._spelled(typed[3:])
        return option if is_flag(self._types.get(option)) else None


def _misspelt(context: click.Context, typed: Iterable[str], types: Types | None) -> Iterator[str]:
    """A sentence for each that is nearly one of the command's own; others have their flavor's."""
    own = [text for each in context.command.get_params(context) for text in each.opts]
    known = [*own, *(f"--{option}" for option in types or ())]
    for option in typed:
        if f"--{option}" in known or not did_you_mean(option, [each.strip("-") for each in known]):
            continue  # dashes are alike in all of them
        near = did_you_mean(f"--{option}", known)
        if near and any(repr(text) in near for text in own):
            yield f"There is no option --{option}. {near}"


def _is_unicode(word: str) -> bool:
    """Whether a file can hold it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _awaits(word: str) -> bool:
    """Whether the next word may be its value."""
    return word.startswith("-") and "=" not in word
