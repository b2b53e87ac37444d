"""References in texts: `${env:NAME}` and `${file:PATH}`, and what they lead to."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from penstock.errors import MissingReference

REFERENCE: Final = re.compile(r"\$\{(env|file):([^}]+)\}")

_FILE: Final = r"\$\{file:(?!~)([^}]+)\}"
_ALIKE: Final = r"\$[{(]{1,2}\s*([A-Za-z]+)\s*([:.])([^{}()]*)[})]{0,2}"
"""What may be meant as one. It is compiled where a text has a '$', which is seldom."""
_KINDS: Final = {"env": "env", "file": "file", "environ": "env", "environment": "env"}


def resolve(text: str) -> str:
    """`text` with every `${env:NAME}` and `${file:PATH}` replaced. Raises `MissingReference`, also
    if one is misspelt."""
    if wrong := misspelt(text):
        raise MissingReference(wrong)
    return REFERENCE.sub(_led_to, text)


def misspelt(text: str) -> str:
    """A sentence about a reference in `text` that is nearly one; nothing if there is none.

    A `$` that stands for something else is text like any other.
    """
    if "$" not in text:
        return ""
    for found in re.finditer(_ALIKE, REFERENCE.sub("", text)):
        if kind := _meant(found[1].lower(), exactly=found[2] == "."):
            return f"{found[0]!r} is no reference: {_cure(kind, found[3].strip())}"
    return ""


def from_root(text: str, root: Path) -> str:
    """A text whose `${file:…}` are taken from `root`."""
    return re.sub(_FILE, lambda match: f"${{file:{root / match[1]}}}", text)


def _meant(word: str, *, exactly: bool) -> str:
    from difflib import get_close_matches  # only where a text has a '$'

    if word in _KINDS or exactly:
        return _KINDS.get(word, "")
    near = get_close_matches(word, ["env", "file"], n=1, cutoff=0.65)
    return near[0] if near and abs(len(near[0]) - len(word)) <= 1 else ""


def _cure(kind: str, name: str) -> str:
    if name:
        return f"did you mean '${{{kind}:{name}}}'?"
    if kind == "file":
        return "it names no file; write ${file:PATH}."
    return "it names no variable; write ${env:NAME}."


def _led_to(match: re.Match[str]) -> str:
    kind, name = match.groups()
    if kind == "env":
        if name not in os.environ:
            raise MissingReference(
                f"The environment variable {name!r} is not set ({match[0]} needs it).",
                hint=f"export {name}=…",
            )
        return os.environ[name]
    try:
        return Path(name).expanduser().read_text("utf-8").rstrip("\n")
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MissingReference(
            f"The file {name!r} cannot be read: {reason} ({match[0]} needs it)."
        ) from error
