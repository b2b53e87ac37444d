"""Flags: how the parameters of a pipeline are written on a command line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import click

from penstock.errors import BadArguments, BadStep
from penstock.model.fit import shown
from penstock.model.signature import REQUIRED, Signature, class_in

OURS: Final = {
    "stack": "chooses the stack",
    "config": "names a file with parameters",
    "cache": "and --no-cache switch the cache",
    "no_cache": "switches the cache off",
    "resume": "goes on with an earlier run",
    "pdb": "stops in the debugger",
    "json": "prints JSON",
    "help": "shows the help",
}
"""Names that our own flags have, and what these do."""

_SIMPLE: Final[dict[Any, click.ParamType[Any]]] = {
    int: click.INT,
    float: click.FLOAT,
    str: click.STRING,
}


@dataclass(frozen=True, slots=True)
class Flag:
    """One value on the command line: a parameter, or a field of one."""

    path: tuple[str, ...]
    """The parameter's name, then names of fields."""
    hint: Any
    default: Any = REQUIRED

    def option(self) -> click.Option:
        """The flag as click knows it. Nothing given is None: the defaults stay where they are."""
        name = ".".join(self.path).replace("_", "-")
        kind = class_in(self.hint)
        shows = "required" if self.default is REQUIRED else f"default: {_written(self.default)}"
        common: dict[str, Any] = {"default": None, "required": self.default is REQUIRED}
        if kind is bool:
            return click.Option([f"--{name}/--no-{name}", self.key], help=shows, **common)
        common |= {"param_decls": [f"--{name}", self.key], "help": shows}
        if get_origin(self.hint) is Literal:
            choices = [str(item) for item in get_args(self.hint)]
            return click.Option(type=click.Choice(choices), **common)
        if kind in _SIMPLE:
            return click.Option(type=_SIMPLE[kind], **common)
        return click.Option(metavar=shown(self.hint).upper(), **common)

    @property
    def key(self) -> str:
        """A name for click, which wants identifiers."""
        return "__".join(self.path)

    def value(self, given: Any) -> Any:
        """What the words on the command line mean. Raises `BadArguments`."""
        if class_in(self.hint) in (*_SIMPLE, bool) or not isinstance(given, str):
            return given
        if get_origin(self.hint) is Literal:
            return next(item for item in get_args(self.hint) if str(item) == given)
        return _parsed(given, self.hint, "--" + ".".join(self.path))


def flags(signature: Signature, pipeline: str) -> Iterator[Flag]:
    """The flags of a pipeline's parameters; of a dataclass or pydantic model, one for each field.

    Raises `BadStep` for a parameter that is named like a flag of ours.
    """
    for parameter in signature.parameters.values():
        if parameter.name in OURS:
            raise BadStep(
                f"Parameter {parameter.name!r} of pipeline {pipeline!r} has the name of a flag of "
                f"cli(): --{parameter.name.replace('_', '-')} {OURS[parameter.name]} "
                f"({signature.where}).",
                hint=f"Rename it, or parse your own arguments and call {pipeline}.run().",
            )
        yield from _nested((parameter.name,), parameter.hint, parameter.default)


def assembled(signature: Signature, given: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """The arguments of the pipeline; parameters that nothing was said of are left out."""
    arguments = {}
    for parameter in signature.parameters.values():
        mine = {path[1:]: value for path, value in given.items() if path[0] == parameter.name}
        if mine:
            arguments[parameter.name] = _built(parameter.hint, parameter.default, mine)
    return arguments


def _nested(path: tuple[str, ...], hint: Any, default: Any) -> Iterator[Flag]:
    inner = _fields(class_in(hint))
    if inner is None:
        yield Flag(path, hint, default)
        return
    for name, (field_hint, field_default) in inner.items():
        if default is not REQUIRED and default is not None:
            field_default = getattr(default, name)
        yield from _nested((*path, name), field_hint, field_default)


def _built(hint: Any, default: Any, given: Mapping[tuple[str, ...], Any]) -> Any:
    if () in given:
        return given[()]
    kind: Any = class_in(hint)
    inner = _fields(kind) or {}
    values = {}
    for name, (field_hint, field_default) in inner.items():
        if default is not REQUIRED and default is not None:
            field_default = getattr(default, name)
        mine = {path[1:]: value for path, value in given.items() if path[0] == name}
        if mine:
            values[name] = _built(field_hint, field_default, mine)
        elif field_default is not REQUIRED:
            values[name] = field_default
    return kind(**values)


def _fields(kind: type[Any] | None) -> dict[str, tuple[Any, Any]] | None:
    """Name → (annotation, default) of the fields of a dataclass or pydantic model, else nothing."""
    if kind is None:
        return None
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            item.name: (
                hints[item.name],
                item.default if item.default is not MISSING
                else item.default_factory() if item.default_factory is not MISSING else REQUIRED,
            )
            for item in fields(kind) if item.init
        }  # fmt: skip
    if hasattr(kind, "model_fields") and hasattr(kind, "model_validate"):
        return {
            name: (
                item.annotation,
                REQUIRED if item.is_required() else item.get_default(call_default_factory=True),
            )
            for name, item in kind.model_fields.items()
        }
    return None


def _parsed(text: str, hint: Any, flag: str) -> Any:
    from pydantic import TypeAdapter, ValidationError  # heavy; only for what is not a plain word

    adapter = TypeAdapter(hint)
    readings = [text]
    with suppress(ValueError):
        readings.insert(0, json.loads(text))
    problem = ""
    for reading in readings:  # as JSON if it is JSON, else as it stands
        try:
            return adapter.validate_python(reading)
        except ValidationError as error:
            problem = problem or error.errors(include_url=False)[0]["msg"]
    raise BadArguments(f"{flag} {text!r} does not fit {shown(hint)}: {problem}.")


def _written(value: Any) -> str:
    return value if isinstance(value, str) and value else repr(value)
