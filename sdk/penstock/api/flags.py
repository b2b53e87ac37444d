"""Flags: how the parameters of a pipeline are written on a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Final, get_type_hints

import click

from penstock.api import words
from penstock.errors import BadStep
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


@dataclass(frozen=True, slots=True)
class Flag:
    """One value on the command line: a parameter, or a field of one."""

    path: tuple[str, ...]
    """The parameter's name, then names of fields."""
    hint: Any
    default: Any = REQUIRED
    required: bool = True
    """Not if there is a default, or if what it is a field of may be left out."""

    @property
    def name(self) -> str:
        """As it is typed, for example `--cfg.lr`."""
        return "--" + ".".join(part.strip("_").replace("_", "-") for part in self.path)

    @property
    def spellings(self) -> tuple[str, ...]:
        """All that click will take for it."""
        if class_in(self.hint) is bool:
            return self.name, f"--no-{self.name[2:]}"
        return (self.name,)

    @property
    def key(self) -> str:
        """A name for click, which wants identifiers in lower case."""
        return "flag_" + "_".join(part.encode().hex() for part in self.path)

    def option(self) -> click.Option:
        """The flag as click knows it. Nothing given is None: the defaults stay where they are."""
        help = None if self.default is REQUIRED else f"[default: {words.written(self.default)}]"
        given: dict[str, Any] = {"help": help}
        given |= {"required": True} if self.required else {"default": None}
        if class_in(self.hint) is bool:
            return click.Option(["/".join(self.spellings), self.key], **given)
        type, metavar = words.parser(self.hint)
        return click.Option([self.name, self.key], type=type, metavar=metavar, **given)


def flags(signature: Signature, pipeline: str) -> list[Flag]:
    """The flags of a pipeline's parameters; of a dataclass or pydantic model, one for each field.

    Raises `BadStep` for a parameter that is named like a flag of ours, or like another one's.
    """
    found: list[Flag] = []
    taken: dict[str, Flag] = {}
    for parameter in signature.parameters.values():
        if parameter.name.strip("_") in OURS:
            raise BadStep(
                f"Parameter {parameter.name!r} of pipeline {pipeline!r} has the name of a flag of "
                f"cli(): --{parameter.name.strip('_').replace('_', '-')} "
                f"{OURS[parameter.name.strip('_')]} ({signature.where}).",
                hint=f"Rename it, or parse your own arguments and call {pipeline}.run().",
            )
        for flag in _nested((parameter.name,), parameter.hint, parameter.default):
            for spelling in flag.spellings:
                if spelling in taken:
                    both = " and ".join(".".join(one.path) for one in (taken[spelling], flag))
                    raise BadStep(
                        f"{both} of pipeline {pipeline!r} would both be {spelling} on the command "
                        f"line ({signature.where}).",
                        hint=f"Rename one, or parse your own arguments and call {pipeline}.run().",
                    )
                taken[spelling] = flag
            found.append(flag)
    return found


def assembled(signature: Signature, given: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """The arguments of the pipeline; parameters that nothing was said of are left out."""
    arguments = {}
    for parameter in signature.parameters.values():
        mine = {path[1:]: value for path, value in given.items() if path[0] == parameter.name}
        if mine:
            path = (parameter.name,)
            arguments[parameter.name] = _built(path, parameter.hint, parameter.default, mine)
    return arguments


def _nested(
    path: tuple[str, ...],
    hint: Any,
    default: Any,
    required: bool = True,
    above: tuple[type, ...] = (),
) -> Iterator[Flag]:
    kind = class_in(hint)
    inner = _fields(kind) if kind not in above else None  # a tree has no end: it is one JSON text
    required = required and default is REQUIRED
    if inner is None or kind is None:
        yield Flag(path, hint, default, required)
        return
    for name, (field_hint, field_default) in inner.items():
        inside = _of(default, name, field_default)
        yield from _nested((*path, name), field_hint, inside, required, (*above, kind))


def _built(
    path: tuple[str, ...], hint: Any, default: Any, given: Mapping[tuple[str, ...], Any]
) -> Any:
    """The value of a parameter or field, from what was said of it or of its own fields."""
    if () in given:
        return given[()]
    kind: Any = class_in(hint)
    values = {}
    for name, (field_hint, field_default) in (_fields(kind) or {}).items():
        inside = _of(default, name, field_default)
        mine = {rest[1:]: value for rest, value in given.items() if rest[0] == name}
        if mine:
            values[name] = _built((*path, name), field_hint, inside, mine)
        elif inside is not REQUIRED:
            values[name] = inside
        else:
            missing = Flag((*path, name), field_hint).name
            raise click.UsageError(
                f"{missing} is missing: {kind.__qualname__} has no default for it."
            )
    try:
        return kind(**values)
    except Exception as error:  # the class's own checks, and pydantic's
        raise click.UsageError(words.refused(Flag(path, hint).name, error)) from error


def _of(whole: Any, name: str, own: Any) -> Any:
    """The default of a field: that of the value around it, if there is one, else its own."""
    return own if whole is REQUIRED or whole is None else getattr(whole, name)


def _fields(kind: type[Any] | None) -> dict[str, tuple[Any, Any]] | None:
    """Name → (annotation, default) of the fields of a dataclass or pydantic model, else nothing."""
    if kind is None:
        return None
    if is_dataclass(kind):
        hints = _hints(kind)
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


def _hints(kind: type[Any]) -> dict[str, Any]:
    try:
        return get_type_hints(kind)
    except Exception as error:  # an annotation can hold any expression
        raise BadStep(
            f"The annotations of {kind.__qualname__} cannot be read for cli(): {error}.",
            hint="Import their names outside `if TYPE_CHECKING:`.",
        ) from error
