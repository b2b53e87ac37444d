"""One line on a terminal: what is said there, and what somebody types."""

from __future__ import annotations

import os
import sys
import textwrap
import unicodedata
import warnings
from typing import Final

import click

from penstock.errors import BadConfiguration
from penstock.runtime import terminal

NARROWEST: Final = 20

_AGAIN: Final = "Type it once more."


def tell(text: str, indent: str = "") -> None:
    """A sentence, its words on as many lines as the terminal needs. No word is cut."""
    seen = terminal.fitting(text, sys.stderr)
    lines = textwrap.fill(
        seen,
        _columns(),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    as_it_is(lines)


def as_it_is(text: str = "") -> None:
    """Lines that somebody may want to copy."""
    terminal.write(f"{text}\n", sys.stderr)


def typed(prompt: str) -> str:
    """What somebody types after it. Raises `EOFError` if that is the end, `BadConfiguration` for
    what is no text."""
    terminal.write(prompt, sys.stderr)
    line = sys.stdin.buffer.readline()
    if not line:
        raise EOFError
    try:
        return _clean(line.decode(sys.stdin.encoding)).strip()
    except UnicodeDecodeError as error:
        raise _undecoded(error) from error


def hidden(prompt: str) -> str:
    """The same, and nobody sees it; spaces around it may be a part of it."""
    from getpass import GetPassWarning, getpass  # only for secrets

    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            # It writes the prompt when nothing is seen any more.
            return _clean(getpass(terminal.fitting(prompt, sys.stderr), stream=sys.stderr))
        except GetPassWarning as error:
            raise click.UsageError(
                "This terminal cannot hide what is typed. Give secrets as references, with the "
                "command: --OPTION='${env:NAME}' or --OPTION='${file:PATH}'."
            ) from error
        except UnicodeDecodeError as error:
            raise _undecoded(error) from error


def _clean(text: str) -> str:
    """Without its end. What the arrow keys leave is no answer."""
    text = text.rstrip("\r\n")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise BadConfiguration(
            "There is a character in it that is no text; an arrow key leaves such ones.",
            hint=_AGAIN,
        )
    return text


def _undecoded(error: UnicodeDecodeError) -> BadConfiguration:
    return BadConfiguration(
        f"That is no text in the encoding of this terminal, {error.encoding}.", hint=_AGAIN
    )


def _columns() -> int:
    try:
        return max(NARROWEST, os.get_terminal_size(sys.stderr.fileno()).columns)
    except OSError:
        return 80
