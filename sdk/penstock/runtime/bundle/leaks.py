"""Leaks: values of secrets in what is about to be sent, and secrets written out in penstock.yaml.

Nothing is sent then. A message names the place and the secret, never its value."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from penstock.errors import CannotRun
from penstock.model.references import REFERENCE
from penstock.runtime.bundle.archive import Member
from penstock.runtime.bundle.ignored import FILE
from penstock.runtime.masking import SHORTEST, spellings
from penstock.stack import files
from penstock.stack.component import spoken
from penstock.stack.file import read
from penstock.stack.masked import written_out
from penstock.stack.project import Project

_SHOWN: Final = 20


def refuse(
    members: Iterable[Member], places: Mapping[str, str], secrets: Mapping[str, str]
) -> None:
    """Raise `CannotRun` if a file has the value of a secret in it; `places` say where they lie."""
    hidden = [(item, name) for name, value in secrets.items() for item in _forms(value)]
    if not hidden:
        return
    found = {
        f"{places[member.name]}:{_line(member.data, at)} has the value of the secret {name}"
        for member in members
        for item, name in hidden
        if (at := member.data.find(item)) >= 0
    }
    if found:
        raise _cannot_run(found, "Read it from the environment")


def refuse_written(project: Project) -> None:
    """Raise `CannotRun` if a component or a stack in penstock.yaml has a secret itself."""
    if found := set(_written(project)):
        raise _cannot_run(found, "Write ${env:NAME} or ${file:PATH} in place of it")


def _written(project: Project) -> Iterator[str]:
    file = read(project.file)
    own = files.flavors([file])
    for spec in file.components:
        for option in written_out(spec, own):
            place = spec.at.get(option, spec.where)
            yield f"{place} has a secret: {option} of the {spoken(spec.category)} {spec.name!r}"
    for stack in file.stacks.values():
        for name, text in stack.secrets.items():
            if not REFERENCE.fullmatch(text):
                place = stack.places.get(name, stack.where)
                yield f"{place} has a secret: {name} of the stack {stack.name!r}"


def _line(data: bytes, at: int) -> int:
    return 1 + data.count(b"\n", 0, at)


def _cannot_run(found: Iterable[str], instead: str) -> CannotRun:
    lines = sorted(found)
    more = [f"and {len(lines) - _SHOWN:,} more places"] if lines[_SHOWN:] else []
    return CannotRun(
        "The project's code cannot be sent, for a secret would go with it:\n"
        + "\n".join(f"  {line}" for line in [*lines[:_SHOWN], *more]),
        hint=f"{instead}, or name the file in {FILE}.",
    )


def _forms(value: str) -> Iterator[bytes]:
    """How a value may stand in a file: also as a Secret of Kubernetes has it."""
    yield from {item.encode("utf-8", "surrogateescape") for item in spellings([value])}
    if len(value) >= SHORTEST:
        # The last characters depend on what follows: a line's end, mostly.
        data = value.encode("utf-8", "surrogateescape")
        yield b64encode(data[: len(data) // 3 * 3])
