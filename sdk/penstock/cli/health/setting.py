"""Which files count here, and which stack they make the active one."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from pathlib import Path
from shlex import quote

from penstock.cli.health.observation import Observation
from penstock.errors import StackError
from penstock.stack import schema
from penstock.stack.choice import StackChoice, choices
from penstock.stack.file import read
from penstock.stack.project import Project, user_file
from penstock.stack.registry import Registry


def files(project: Project) -> Iterator[Observation]:
    """The project and its file, and the user's own."""
    yield Observation("project", str(project.root))
    own = user_file()
    yield from _file("penstock.yaml", project.file)
    if own is not None and own != project.file:
        yield from _file("your own file", own)


def chosen(registry: Registry, stack: str | None, by: str) -> Iterator[Observation]:
    """The stack that counts, who chose it, and who else would have."""
    try:
        choice = registry.active(stack, by)
    except StackError as error:
        yield Observation.wrong("stack", error)
        return
    said = f"{choice.name} ({choice.origin})"
    others = [each for each in _others(registry, choice) if each.name != choice.name]
    if others:
        said += ", not " + ", ".join(f"{each.name} ({each.origin})" for each in others)
    yield Observation("stack", said, mark="note" if others and stack is None else "ok")


def schemas(registry: Registry) -> Iterator[Observation]:
    """The schemas are what they should be from now on, and editors are led to them."""
    try:
        kept = schema.keep_schema(registry.project, registry)
    except StackError as error:
        yield Observation("schema", error.message, error.hint or "", "note")
        return
    for path, anew in kept.items():
        yield Observation("schema", f"{path} {'was brought' if anew else 'is'} up to date")
    for file in registry.files:
        if file.path and schema.schema_file(file.path) in kept and not _leads(file.path):
            said = f"nothing in {file.path} leads an editor there. Its first line could be:"
            yield Observation("schema", said, schema.schema_line(file.path), "note")


def _file(what: str, path: Path) -> Iterator[Observation]:
    try:
        found = read(path)
    except StackError as error:
        yield from (Observation.wrong(what, each) for each in error.problems or (error,))
        return
    if not path.exists():
        yield Observation(what, f"none ({path})")
        if (misspelt := path.with_suffix(".yml")).exists():
            said = f"{misspelt} is not read: the file's name is penstock.yaml."
            yield Observation(what, said, f"mv {quote(str(misspelt))} {quote(str(path))}", "note")
        return
    counts = f"{_count(found.stacks, 'stack')}, {_count(found.components, 'component')}"
    yield Observation(what, f"{path}: {counts}")


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"


def _others(registry: Registry, choice: StackChoice) -> list[StackChoice]:
    """Who would have chosen, had nobody come before; the built-in default is nobody's choice."""
    said = [each for each in choices(registry.project, registry.files) if each.change]
    return [each for each in said if each != choice]


def _leads(path: Path) -> bool:
    return "yaml-language-server:" in path.read_text("utf-8", "replace")
