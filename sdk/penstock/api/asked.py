"""What a command line asks of a pipeline: its flags, and the file that `--config` names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import getdoc
from typing import TYPE_CHECKING, Any

import click

from penstock.api import fields, words
from penstock.api.configuration import Configuration
from penstock.api.fields import Path, Said, Unmade
from penstock.api.flags import OURS, Flag, flags

if TYPE_CHECKING:
    from penstock.api.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Asked:
    """What a command line says."""

    pipeline: Pipeline[..., Any]
    """As the file wants it."""
    arguments: Mapping[str, Any]
    """Those of the pipeline that were given, as flags or in the file."""
    ours: Mapping[str, Any]
    """What was said with our own flags, by their names."""


def command(
    pipeline: Pipeline[..., Any], ours: Sequence[click.Option], taken: Mapping[str, str] = OURS
) -> click.Command:
    """The click command for its flags, `--config` and `ours`; it gives back what was `Asked`.

    Raises `BadStep` for a parameter named like a flag that is `taken`.
    """
    mine = flags(pipeline.signature, pipeline.function.__name__, taken)

    def asked(*, config: str | None, **given: Any) -> Asked:
        values = {flag.path: given.pop(flag.key) for flag in mine}
        said = {path: value for path, value in values.items() if value is not None}
        return _asked(pipeline, mine, said, config, given)

    file = click.Option(
        ["--config"], metavar="FILE", help="Take parameters, stack and options of steps from it."
    )
    return click.Command(
        pipeline.name,
        callback=asked,
        params=[*(flag.option() for flag in mine), file, *ours],
        help=getdoc(pipeline.function),
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def _asked(
    pipeline: Pipeline[..., Any],
    mine: Sequence[Flag],
    said: Said,
    config: str | None,
    ours: Mapping[str, Any],
) -> Asked:
    path = pipeline.options.config if config is None else config
    # What is not given, the run that is resumed was given.
    needed = () if ours.get("resume") or pipeline.options.resume else mine
    if path is None:
        arguments, unmade = fields.arguments(pipeline.signature, said)
        _check(needed, said, unmade, "")
        return Asked(pipeline, arguments, ours)
    file = Configuration(path, pipeline.signature)
    both = _over(said, file.said)
    arguments, unmade = fields.arguments(pipeline.signature, both)
    flagged = {path[0] for path in said}
    for error in unmade:
        if error.path[0] not in flagged:
            file.complain(error)
    file.tell()
    _check(needed, both, unmade, file.name)
    pipeline = type(pipeline)(pipeline.function, file.options(pipeline.options))
    return Asked(pipeline, arguments, ours)


def _over(flags: Said, file: Said) -> Said:
    """What both say; of what both say something of, only the flags."""
    kept = {
        path: value
        for path, value in file.items()
        if not any(_inside(path, flag) or _inside(flag, path) for flag in flags)
    }
    return {**kept, **flags}


def _check(needed: Sequence[Flag], said: Said, unmade: Sequence[Unmade], file: str) -> None:
    """Raise `click.UsageError` for the first flag that is missing or refused."""
    for flag in needed:
        if flag.required and not any(_inside(flag.path, path) for path in said):
            names = " / ".join(map(repr, flag.spellings))
            raise click.UsageError(
                f"Missing option {names}"
                + (f": {file} has no {'.'.join(flag.path)!r} either." if file else ".")
            )
    for error in unmade:
        name = Flag(error.path, None).name
        if error.error is not None:
            raise click.UsageError(words.refused(name, error.error)) from error.error
        raise click.UsageError(
            f"{name} is missing: {error.kind.__qualname__} has no default for it."
        )


def _inside(path: Path, whole: Path) -> bool:
    """Whether it is the same, or a field of it."""
    return path[: len(whole)] == whole


def with_stack(pipeline: Pipeline[..., Any], stack: str | None) -> Pipeline[..., Any]:
    """The pipeline on the stack that `--stack` names."""
    options = replace(pipeline.options, stack=stack, chosen_by="--stack")
    return type(pipeline)(pipeline.function, options) if stack is not None else pipeline
