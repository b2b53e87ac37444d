"""The page of the command line: every command, with its arguments and options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

import click

from penstock import pipeline
from penstock.cli.main import COMMANDS, penstock
from penstock.cli.pipeline import OfPipeline
from penstock.stack.categories import KNOWN

HEAD = """\
# The command line

Every command, made of what `--help`, or `-h`, says. `penstock completion` makes a shell complete
them.

Results go to stdout, the rest to stderr; `--json` is for programs, and has the same keys in every
version. Nothing asks anything unless stdin and stderr are terminals. Exit codes:

| | |
| :-- | :-- |
| 0 | all is well |
| 1 | a step failed |
| 2 | a command line that cannot be |
| 3 | the configuration: a stack, a file, a library that is missing |
| 4 | a run, a step or an artifact that is not there |
| 5 | the store, or what is remote |
| 130 | interrupted |

The commands of all [categories](categories.md) are alike, also of those that packages bring: here
they are those of `penstock artifact-store`.
"""

PATTERN: Final = "artifact-store"
"""The category whose commands are shown for all."""


@pipeline
def anything() -> None:
    """A pipeline without parameters, for the flags that all have."""


def page() -> str:
    """The whole page."""
    # With its settings: a command keeps the help option that it is asked for first.
    root = click.Context(penstock, info_name="penstock", **penstock.context_settings)
    parts = [HEAD]
    for name in sorted({*COMMANDS, *KNOWN}):  # no stranger's
        command = below(penstock, name, root)
        alike = name in KNOWN and name != PATTERN
        parts += briefly(name, command, root) if alike else told(name, command, root)
    return "\n".join(parts)


def briefly(name: str, command: click.Command, root: click.Context) -> Iterator[str]:
    """A category: what it has in common with the one that is shown. The rest is told."""
    context = click.Context(command, info_name=name, parent=root)
    yield f"## {context.command_path}\n"
    yield f"{prose(command.help)}\n"
    own, theirs = shape(command, context), shape(below(penstock, PATTERN, root), context)
    same = [verb for verb in own if own[verb] == theirs.get(verb)]
    if same:
        verbs = ", ".join(f"`{verb}`" for verb in same)
        yield f"As those of [penstock {PATTERN}](#penstock-{PATTERN}): {verbs}.\n"
    for verb in own:
        if verb not in same:
            yield from told(verb, below(command, verb, context), context, 3)


def below(group: click.Command, name: str, context: click.Context) -> click.Command:
    """A command of a group."""
    found = group.get_command(context, name) if isinstance(group, click.Group) else None
    if found is None:
        raise LookupError(f"{context.command_path} has no {name}")
    return found


def shape(command: click.Command, context: click.Context) -> dict[str, object]:
    """What can be typed: of a group, by the names of its commands."""
    if not isinstance(command, click.Group):
        return {"": (*arguments(command, context), *options(command, context))}
    return {
        name: shape(below(command, name, context), context)
        for name in command.list_commands(context)
    }


def told(name: str, command: click.Command, parent: click.Context, level: int = 2) -> Iterator[str]:
    """A command, and those below it."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{'#' * level} {context.command_path}\n"
    yield f"{prose(command.help)}\n"
    if isinstance(command, OfPipeline):
        yield f"    {context.command_path} {command.subcommand_metavar}\n"
        yield "\n".join(options(command.make(anything), context)) + "\n"
        return
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from told(name, below(command, name, context), context, min(level + 1, 4))
        return
    yield f"    {' '.join([context.command_path, *arguments(command, context)])}\n"
    if lines := options(command, context):
        yield "\n".join(lines) + "\n"


def arguments(command: click.Command, context: click.Context) -> list[str]:
    """Its arguments in their order, as usage lines have them."""
    params = command.get_params(context)
    return [argument(each) for each in params if isinstance(each, click.Argument)]


def options(command: click.Command, context: click.Context) -> list[str]:
    """A line for each option but the one that all have."""
    return [
        option(each)
        for each in command.get_params(context)
        if isinstance(each, click.Option) and not each.hidden and "--help" not in each.opts
    ]


def argument(param: click.Argument) -> str:
    """An argument as usage lines have it."""
    if param.metavar:
        return param.metavar if param.required or "[" in param.metavar else f"[{param.metavar}]"
    text = choices(param) or (param.name or "").upper()
    text = text if param.required else f"[{text}]"
    return f"{text}..." if param.nargs == -1 else text


def option(param: click.Option) -> str:
    """A line for an option: how it is written, and what it is for."""
    spelled = ", ".join(f"`{word}{value(param)}`" for word in spellings(param))
    facts = []
    if param.show_default and param.default is not None:
        facts.append(f"by default `{param.default}`")
    if param.required:
        facts.append("required")
    said = " ".join((param.help or "").split())
    return f"* {spelled}: {said}" + (f" ({'; '.join(facts)})" if facts else "")


def spellings(param: click.Option) -> list[str]:
    """Long ones last, as people read them."""
    words = [*param.opts, *param.secondary_opts]
    return sorted(words, key=lambda word: word.startswith("--"))


def value(param: click.Option) -> str:
    """What stands behind an option."""
    if param.is_flag or param.count:
        return ""
    kind = param.type.name.removesuffix(" range").upper()
    return f" {param.metavar or choices(param) or kind}"


def choices(param: click.Parameter) -> str:
    """What a choice is among, for whatever is one."""
    kind = param.type
    return f"[{'|'.join(map(str, kind.choices))}]" if isinstance(kind, click.Choice) else ""


def prose(help: str | None) -> str:
    """Paragraphs; what stands below a `\\b` keeps its lines."""
    parts = inspect.cleandoc(help or "").split("\n\n")
    return "\n\n".join(map(_paragraph, parts))


def _paragraph(text: str) -> str:
    if not text.startswith("\b"):
        return " ".join(text.split())
    return "\n".join(f"    {line.strip()}" for line in text.splitlines()[1:])
