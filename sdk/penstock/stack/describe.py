"""Options of a flavor, for people: types in plain words, docstrings as descriptions."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import PurePath
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from penstock.errors import BadConfiguration, listed
from penstock.model.component import Secret, StackComponent
from penstock.stack.component import is_required, option_fields

WORDS: Final[Mapping[object, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    type(None): "nothing",
    Any: "anything",
    Secret: "a secret, best as ${env:NAME} or ${file:PATH}",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as `flavor describe`, a prompt or a form shows it."""

    name: str
    type: str
    """In plain words."""
    required: bool
    default: Any
    """None if it is required."""
    description: str
    """The docstring below the field, on one line."""
    secret: bool


def options(cls: type[StackComponent]) -> tuple[Option, ...]:
    """What a component of this class can be told, in the order of its fields."""
    hints = type_hints(cls)
    texts = descriptions(cls)
    return tuple(
        Option(
            name=item.name,
            type=words(hints[item.name]),
            required=is_required(item),
            default=_default(item),
            description=texts.get(item.name, ""),
            secret=holds_secret(hints[item.name]),
        )
        for item in option_fields(cls)
    )


def about(cls: type[StackComponent]) -> str:
    """What its docstring begins with, on one line; the one that a dataclass makes says nothing."""
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return (
        "" if text.startswith(f"{cls.__name__}(") else " ".join(text.partition("\n\n")[0].split())
    )


def type_hints(cls: type[StackComponent]) -> dict[str, Any]:
    """The annotations of its fields, as types. Raises `BadConfiguration`."""
    try:
        return get_type_hints(cls, include_extras=True)
    except Exception as error:  # an annotation can hold any expression
        raise BadConfiguration(
            f"The flavor {cls.flavor!r} has an annotation that cannot be read: {error}.",
            hint="Types of options are imported where the class is, not under TYPE_CHECKING.",
        ) from error


def holds_secret(hint: object) -> bool:
    """Whether a `Secret` may stand there."""
    return hint is Secret or any(holds_secret(part) for part in get_args(hint))


def words(hint: Any) -> str:
    """A type as one would say it, after "what is needed is"."""
    if hint in WORDS:
        return WORDS[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return words(arguments[0])
    if origin is Literal:
        return f"one of {listed(arguments)}"
    if origin in (Union, types.UnionType):
        several = [words(part) for part in arguments if part is not type(None)]
        return " or ".join(dict.fromkeys(several))
    kind = origin or hint
    if not isinstance(kind, type):
        return str(hint)
    return _words(kind, [part for part in arguments if part is not Ellipsis])


def _words(kind: type, parts: list[Any]) -> str:
    if issubclass(kind, Enum):
        return f"one of {listed(item.value for item in kind)}"
    if issubclass(kind, PurePath):
        return "a path"
    if issubclass(kind, Mapping):
        return f"a mapping, each value {words(parts[1])}" if len(parts) == 2 else "a mapping"
    if issubclass(kind, list | tuple | AbstractSet) or kind.__name__ == "Sequence":
        each = " or ".join(dict.fromkeys(map(words, parts)))
        return f"a list, each item {each}" if each else "a list"
    if is_dataclass(kind):
        return f"a mapping of {listed(item.name for item in fields(kind))}"
    return f"a {kind.__name__}"


def _default(item: Field[Any]) -> Any:
    if item.default is not MISSING:
        return item.default
    return item.default_factory() if item.default_factory is not MISSING else None


def descriptions(cls: type) -> dict[str, str]:
    """The docstrings below its fields, each on one line."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if is_dataclass(base):
            found.update(_docstrings(base))
    return found


@cache
def _docstrings(cls: type) -> Mapping[str, str]:
    return dict(_below_fields(cls))


def _below_fields(cls: type) -> Iterator[tuple[str, str]]:
    """The strings that stand below fields, where Python itself forgets them."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):  # typed at a prompt, or made by code
        return
    (definition,) = tree.body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    for above, below in pairwise(body):
        if (
            isinstance(above, ast.AnnAssign)
            and isinstance(above.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            yield above.target.id, " ".join(below.value.value.split())
