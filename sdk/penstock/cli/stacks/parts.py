"""What a stack is made of, as options of a command: one for each category."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import click

from penstock.cli import known
from penstock.stack.categories import KNOWN, Category, categories
from penstock.stack.complaints import Complaints
from penstock.stack.component import several, spoken
from penstock.stack.nodes import parse

F = TypeVar("F", bound=Callable[..., Any])

_SHORT: Final = {
    "orchestrator": "-o",
    "artifact-store": "-a",
    "step-operator": "-s",
    "experiment-tracker": "-e",
    "model-deployer": "-d",
}

_YAML: Final = {
    "steps": "Options of steps on this stack, as '{train: {step_operator: gpu, retries: 2}}'.",
    "secrets": "What steps ask for by name, as '{DB_URL: \"${env:PROD_DB_URL}\"}'.",
}


class StackCommand(click.Command):
    """A command with an option for each category. Those that packages bring are looked for where an
    option is none of ours, and for the help: it takes a look at everything that is installed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours = {flag for param in self.params for flag in param.opts}
        words = {word.partition("=")[0] for word in args if word.startswith("--") or word == "-h"}
        if ctx.resilient_parsing or words - ours:
            ctx.meta[__name__] = _brought(ours)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        *ours, help = super().get_params(ctx)
        return [*ours, *ctx.meta.get(__name__, ()), help]


def parts(command: F) -> F:
    """Adds an option for each category that everybody has, `--steps` and `--secrets`."""
    options = [
        *(click.option(*_words(each), **_attributes(each)) for each in KNOWN.values()),
        *(click.option(f"--{key}", metavar="YAML", help=text) for key, text in _YAML.items()),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def values(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, by the key that a stack has for it; without what was not."""
    return {
        key: _data(f"--{key}", value) if key in _YAML else value
        for key, value in given.items()
        if value not in (None, ())
    }


def _brought(ours: set[str]) -> list[click.Option]:
    return [
        click.Option(_words(each), **_attributes(each))
        for name, each in categories().items()
        if f"--{name}" not in ours
    ]


def _words(category: Category) -> list[str]:
    short = [_SHORT[category.name]] if category.name in _SHORT else []
    return [*short, f"--{category.name}", category.key]


def _attributes(category: Category) -> dict[str, Any]:
    if category.one:
        help = f"Its {spoken(category.name)}."
    else:
        help = f"One of its {several(category.name)}. Repeat it for several."
    return {
        "metavar": "NAME",
        "multiple": True,
        "help": help,
        "shell_complete": known.components(category.name),
        "callback": _only if category.one else None,
    }


def _only(_: click.Context, option: click.Parameter, names: tuple[str, ...]) -> str | None:
    """A stack has one of these, and nobody is to guess which."""
    if len(names) > 1:
        raise click.UsageError(f"A stack has one {option.human_readable_name}, not {len(names)}.")
    return names[0] if names else None


def _data(flag: str, text: str) -> Any:
    """Plain data from YAML on one line. Raises `BadConfiguration`, which says where in it."""
    complaints = Complaints(flag)
    node = parse(text, complaints)
    complaints.tell()
    return {} if node is None else node.plain()
