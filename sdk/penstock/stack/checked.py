"""What a stack is tried at, component by component, and all that is wrong at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from penstock.errors import StackError
from penstock.model.component import Finding, Secret, StackComponent
from penstock.stack import findings, other_machines, secrets
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.flavor import Own
from penstock.stack.other_machines import Obstacle
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

Part = tuple[ComponentSpec, StackComponent | StackError]


class Who(NamedTuple):
    """A component, or the stack itself."""

    category: str
    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """What was found, one line each; `ok` if nothing is wrong."""

    stack: str
    findings: Sequence[tuple[Who, Finding]]

    @property
    def ok(self) -> bool:
        """Whether everything works."""
        return all(found.ok for _, found in self.findings)

    @property
    def exit_code(self) -> int:
        """Of the first thing that is wrong, as a run would end of it; 0 if nothing is."""
        return next((found.exit_code for _, found in self.findings if not found.ok), 0)

    def __str__(self) -> str:
        return "\n".join(_line(who, found) for who, found in self.findings)

    __repr__ = __str__  # what a prompt and a notebook show

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "stack": self.stack,
            "ok": self.ok,
            "findings": [
                {
                    "category": who.category,
                    "name": who.name,
                    "what": found.what,
                    "ok": found.ok,
                    "mark": found.mark,
                    "message": found.message,
                    "hint": found.hint,
                }
                for who, found in self.findings
            ],
        }


def check(
    registry: Registry, chosen: str | Stack | None = None, by: str = "given to on()"
) -> Checked:
    """Try out each component of a stack, by default the active one. One that cannot even be made is
    a finding as well. Raises `UnknownStack`."""
    name = registry.active(chosen, by).name
    parts = list(registry.tried(chosen, by))
    needed = _secrets(registry, chosen, name)
    obstacles = [
        *other_machines.in_components(parts, registry.flavors),
        *other_machines.in_secrets(parts, name, needed),
    ]
    found = [*_components(parts, registry.flavors), *_of_secrets(needed, name, registry.project)]
    found += [(Who(*each[:2]), each.finding) for each in other_machines.remarks(parts)]
    return Checked(name, list(_with(found, obstacles)))


def check_given(stack: Stack) -> Checked:
    """The same for a stack that somebody has in hand."""
    return check(Registry(Project.find()), stack)


def _components(parts: Iterable[Part], own: Own) -> Iterator[tuple[Who, Finding]]:
    for spec, made in parts:
        who = Who(spec.category, spec.name)
        if isinstance(made, StackError):
            found = findings.of_unmade(spec, made, own)
        else:
            found = findings.of_component(made, own)
        yield from ((who, each) for each in found)


def _secrets(registry: Registry, chosen: str | Stack | None, name: str) -> Mapping[str, Secret]:
    """What steps ask for by name."""
    if isinstance(chosen, Stack):
        return chosen.secrets
    return secrets.made(registry.stacks()[name].secrets)


def _of_secrets(
    found: Mapping[str, Secret], stack: str, project: Project
) -> Iterator[tuple[Who, Finding]]:
    for variable, secret in found.items():
        yield Who("stack", stack), findings.of_secret(variable, secret, project.root)


def _with(
    found: Iterable[tuple[Who, Finding]], obstacles: Iterable[Obstacle]
) -> Iterator[tuple[Who, Finding]]:
    """The same, and what is in the way of running steps elsewhere, instead of notes on that."""
    worse = [(Who(each.category, each.name), each.finding) for each in obstacles]
    known = {(who, each.what) for who, each in worse}
    yield from (one for one in found if not one[1].ok or (one[0], one[1].what) not in known)
    yield from worse


def _line(who: Who, found: Finding) -> str:
    said = " ".join(f"{found.message} {found.hint}".split())
    text = ": ".join(filter(None, (f"{spoken(who.category)} {who.name}", found.what, said)))
    return f"{found.mark:5}  {text}"
