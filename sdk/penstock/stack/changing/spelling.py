"""Options as one types them on a command line: what a file holds, as words for a shell."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from penstock.model.component import Secret
from penstock.stack.changing.editing.yaml_text import flow, plain
from penstock.stack.complaints import Complaints
from penstock.stack.nodes import parse

OURS: Final = frozenset({"flavor", "help", "interactive", "json", "unset", "user"})
"""Options of our own commands. One of a flavor that is called so stands after `--`."""


def spelled(options: Mapping[str, Any], hints: Mapping[str, Any] | None = None) -> str:
    """`--path=s3://b/x --max_workers=4`; `hints` are the types of the options, if they are known.

    What takes text only is spelled as it stands. All else is YAML on one line.
    """
    words = []
    for name, value in options.items():
        text = _text(value, verbatim=hints is None or is_text(hints.get(name, str)))
        words.append(f"--{name}={shlex.quote(text)}")
    return " ".join(words)


def is_text(hint: Any) -> bool:
    """Whether an option of this type takes text and nothing else, so that `5` is the text."""
    return all(_is_text(part) for part in parts(hint))


def is_flag(hint: Any) -> bool:
    """Whether an option of this type is true or false, so that `--x` alone says which."""
    return any(part is bool for part in parts(hint))


def shown(value: Any) -> str:
    """A value for people: text as it stands, all else as YAML on one line."""
    return value if isinstance(value, str) else flow(plain(value))


def _text(value: Any, *, verbatim: bool) -> str:
    if isinstance(value, str) and (verbatim or _reads_as_itself(value)):
        return value
    return flow(plain(value))


def _reads_as_itself(text: str) -> bool:
    node = parse(text, Complaints(""))
    return node is not None and node.plain() == text


def parts(hint: Any) -> Iterator[Any]:
    """The types that a value of it may have, but for what is in a list or a mapping."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from parts(arguments[0])
    elif origin in (Union, UnionType):
        for each in arguments:
            yield from parts(each)
    elif origin is Literal:
        yield from map(type, arguments)
    else:
        yield hint


def _is_text(kind: Any) -> bool:
    if kind is NoneType or kind is None:
        return True
    if isinstance(kind, type) and issubclass(kind, Enum):
        return all(isinstance(item.value, str) for item in kind)
    return isinstance(kind, type) and issubclass(kind, str | PurePath | Secret)
