"""What a stack must not have if its steps run on other machines: they get its specs as they are
written, and they cannot reach this machine's disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeGuard

from penstock.artifacts.store import ArtifactStore
from penstock.errors import StackError
from penstock.model import credentials
from penstock.model.component import Finding, Secret, StackComponent
from penstock.stack.component import ComponentSpec, literals, spoken
from penstock.stack.flavor import Own
from penstock.stack.masked import written_out
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.stack import Stack


class Obstacle(NamedTuple):
    """Something in a stack that keeps its orchestrator from running steps elsewhere."""

    category: str
    name: str
    finding: Finding

    def __str__(self) -> str:
        said = f"{self.finding.message} {self.finding.hint}"
        return f"{spoken(self.category)} {self.name!r}, {self.finding.what}: {said}"


Parts = Iterable[tuple[ComponentSpec, object]]
"""Components as they are written, each with what was made of it, or why nothing could be."""


def problems(stack: Stack) -> Iterator[str]:
    """Why nothing can be submitted, a sentence each."""
    parts = [(stack.spec(each), each) for each in stack.components]
    yield from map(str, in_components(parts))
    yield from map(str, in_secrets(parts, stack.name, stack.secrets))


def in_components(parts: Parts, own: Own | None = None) -> Iterator[Obstacle]:
    """Those in the components of a stack."""
    parts = list(parts)
    if (who := _sender(parts)) is None:
        return
    for spec, made in parts:
        written = [option for option, _, _ in literals(made)] if _is_made(made) else []
        for option in dict.fromkeys([*written, *written_out(spec, own)]):
            yield Obstacle(spec.category, spec.name, _literal(who, option, spec.at.get(option)))
        if isinstance(made, ArtifactStore) and made.only_here:
            yield Obstacle(spec.category, spec.name, _unreachable(who, made))


def in_secrets(parts: Parts, stack: str, secrets: Mapping[str, Secret]) -> Iterator[Obstacle]:
    """Those in what steps ask for by name."""
    if who := _sender(parts):
        for name, secret in secrets.items():
            if not secret.is_reference:
                yield Obstacle("stack", stack, _literal(who, f"secret {name}"))


def _sender(parts: Parts) -> Orchestrator | None:
    """The stack's orchestrator if it sends steps to other machines."""
    found = (made for _, made in parts if isinstance(made, Orchestrator))
    return next((made for made in found if made.elsewhere), None)


def _is_made(made: object) -> TypeGuard[StackComponent]:
    return isinstance(made, StackComponent)


def _literal(who: Orchestrator, what: str, at: str | None = None) -> Finding:
    where = f" ({at})" if at else ""
    text = f"a secret is written out{where}, and {_runs(who)}, which would be sent it."
    hint = "Write ${env:NAME} or ${file:PATH}, and have that there as well."
    return Finding(what, False, text, hint, StackError.exit_code)


def _unreachable(who: Orchestrator, store: ArtifactStore) -> Finding:
    place = credentials.hidden(store.path)
    text = f"{place} is on this machine, and {_runs(who)}, which cannot reach it."
    hint = "Take a store that both can reach: penstock artifact-store flavor list"
    return Finding("path", False, text, hint, StackError.exit_code)


def _runs(who: Orchestrator) -> str:
    return f"the orchestrator {who.name!r} runs steps on other machines"
