"""Words on a command line, and the values that they mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import click

from penstock.model.fit import shown
from penstock.model.signature import bare, class_in

if TYPE_CHECKING:
    Choice = click.Choice[str]
    ParamType = click.ParamType[Any]
else:  # generic since click 8.2, and 8.1 will do
    from click import Choice, ParamType

_dump: Final = json.JSONEncoder().encode

_SIMPLE: Final[Mapping[Any, click.ParamType[Any]]] = {
    int: click.INT,
    float: click.FLOAT,
    str: click.STRING,
    Path: click.Path(path_type=Path),
}


def parser(hint: Any) -> tuple[click.ParamType[Any], str | None]:
    """How a value of this type is read, and what stands for it in the help if not click's own."""
    inside = bare(hint)
    if get_origin(inside) is Literal:
        return _OneOf({str(item): item for item in get_args(inside)}), None
    if isinstance(inside, type) and issubclass(inside, Enum):
        return _OneOf({str(item.value): item for item in inside}), None
    if inside in _SIMPLE:
        return _SIMPLE[inside], None
    return _Read(hint), shown(hint).upper()


def read(hint: Any, word: str) -> Any:
    """What a word means where a value of this type is wanted. Raises `ValueError`."""
    kind = click.BOOL if class_in(hint) is bool else parser(hint)[0]
    try:
        return kind.convert(word, None, None)
    except click.UsageError as error:
        raise ValueError(error.message) from error


def written(value: Any) -> str:
    """A default, as one would type it."""
    if value is None:
        return "none"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool | list | tuple | dict):
        with suppress(TypeError, ValueError):
            return _dump(value)
    return str(value) or "''"


def refused(flag: str, error: Exception) -> str:
    """What the class behind `flag` has against its fields, in one sentence."""
    if hasattr(error, "errors"):  # pydantic's, which says where
        first = error.errors()[0]
        place = ".".join([flag, *(str(part).replace("_", "-") for part in first["loc"])])
        return f"{place}: {first['msg']}."
    return f"{flag}: {error}"


class _OneOf(Choice):
    """One of some values, by how each is written."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(list(values))
        self._values = values

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._values[super().convert(value, param, ctx)]


class _Read(ParamType):
    """Anything that pydantic makes of text or JSON."""

    name = "value"

    def __init__(self, hint: Any) -> None:
        self._hint = hint

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from pydantic import (  # heavy, and not for plain words
            PydanticUserError,
            TypeAdapter,
            ValidationError,
        )

        try:
            adapter = TypeAdapter(self._hint)
        except PydanticUserError as error:
            text = f"{shown(self._hint)} can be given in code only."
            raise click.BadParameter(text, ctx, param) from error
        problems = []
        for reading in self._readings(value):
            try:
                return adapter.validate_python(reading)
            except ValidationError as error:
                said = error.errors(include_url=False)[-1]["msg"]
                problems.append(said.removeprefix("Value error, "))
        raise click.BadParameter(
            f"{value!r} does not fit {shown(self._hint)}: {problems[-1]}.", ctx, param
        )

    def _readings(self, text: str) -> list[Any]:
        """As it stands and as JSON. A class with words of its own, such as a date, is asked about
        these first; what could be anything, or several things, about the JSON."""
        readings: list[Any] = [text]
        with suppress(ValueError, RecursionError):
            readings.append(json.loads(text))
        kind = class_in(self._hint)
        plain = kind is None or kind in (Any, object, list, dict, tuple, set, frozenset)
        return readings[::-1] if plain else readings
