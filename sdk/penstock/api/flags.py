"""Flags: how the parameters of a pipeline are written on a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import click

from penstock.api import words
from penstock.api.fields import Path, default_of, fields_of
from penstock.errors import BadStep
from penstock.model.signature import REQUIRED, Signature, class_in

OURS: Final = {
    "stack": "chooses the stack",
    "config": "names a file with parameters",
    "cache": "and --no-cache switch the cache",
    "no_cache": "switches the cache off",
    "refresh": "computes everything again",
    "resume": "goes on with an earlier run",
    "from": "names the first step",
    "to": "names the last step",
    "only": "names the one step",
    "pdb": "stops in the debugger",
    "json": "prints JSON",
    "help": "shows the help",
}
"""Names that our own flags have, and what these do."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One value on the command line: a parameter, or a field of one."""

    path: Path
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
        given: dict[str, Any] = {"default": None}
        if self.default is not REQUIRED:
            given["help"] = f"[default: {words.written(self.default)}]"
        elif self.required:  # not told to click: a file may have it
            given["help"] = "[required]"
        if class_in(self.hint) is bool:
            return click.Option(["/".join(self.spellings), self.key], **given)
        type, metavar = words.parser(self.hint)
        return click.Option([self.name, self.key], type=type, metavar=metavar, **given)


def flags(signature: Signature, pipeline: str, ours: Mapping[str, str] = OURS) -> list[Flag]:
    """The flags of a pipeline's parameters; of a dataclass or pydantic model, one for each field.

    Raises `BadStep` for a parameter that is named like a flag of ours, or like another one's.
    """
    found: list[Flag] = []
    taken: dict[str, Flag] = {}
    for parameter in signature.parameters.values():
        if parameter.name.strip("_") in ours:
            raise BadStep(
                f"Parameter {parameter.name!r} of pipeline {pipeline!r} has the name of a flag of "
                f"cli(): --{parameter.name.strip('_').replace('_', '-')} "
                f"{ours[parameter.name.strip('_')]} ({signature.where}).",
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


def _nested(
    path: Path,
    hint: Any,
    default: Any,
    required: bool = True,
    above: tuple[type, ...] = (),
) -> Iterator[Flag]:
    kind = class_in(hint)
    inner = fields_of(kind) if kind not in above else None  # a tree has no end: it is one JSON text
    required = required and default is REQUIRED
    if inner is None or kind is None:
        yield Flag(path, hint, default, required)
        return
    for name, (field_hint, field_default) in inner.items():
        inside = default_of(default, name, field_default)
        yield from _nested((*path, name), field_hint, inside, required, (*above, kind))
