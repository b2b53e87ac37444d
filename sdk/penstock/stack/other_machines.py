"""What a stack must not have if its steps run on other machines: they get its specs as they are
written, and they cannot reach this machine's disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard

from penstock.artifacts.store import ArtifactStore
from penstock.errors import StackError
from penstock.model import credentials
from penstock.model.component import Finding, Secret, StackComponent
from penstock.model.references import REFERENCE
from penstock.stack.component import ComponentSpec, literals, spoken
from penstock.stack.flavor import Own
from penstock.stack.masked import written_out
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.model.graph import Call


_LOOPBACK: Final = re.compile(r"^\w+://(localhost|127\.[\d.]+|\[::1\])(?=[:/]|$)")


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


def problems(stack: Stack, own: Own | None = None) -> Iterator[str]:
    """Why nothing can be submitted, a sentence each. `own` are flavors that only this project
    has."""
    parts = [(stack.spec(each), each) for each in stack.components]
    yield from map(str, in_components(parts, own))
    yield from map(str, in_secrets(parts, stack.name, stack.secrets))


def variables(stack: Stack, call: Call) -> dict[str, str]:
    """The environment variables that have to be there where a step runs, and who needs each: parts
    of the stack refer to them, or the step asks for them as secrets."""
    found: dict[str, str] = {}
    for each in stack.components:
        if isinstance(each, Orchestrator):  # whoever sends needs its own, and nobody else
            continue
        for option, text in _texts(stack.spec(each).options):
            for name in _named(text):
                found.setdefault(name, f"{spoken(each.category)} {each.name!r}, {option}")
    for secret in call.step.options.secrets:
        for name in _behind(stack, secret):
            found.setdefault(name, f"step {call.id}")
    return found


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
        if isinstance(made, ArtifactStore) and spec.flavor in (own or {}).get(spec.category, ()):
            yield Obstacle(spec.category, spec.name, _unknown(who, spec.flavor))


def in_secrets(parts: Parts, stack: str, secrets: Mapping[str, Secret]) -> Iterator[Obstacle]:
    """Those in what steps ask for by name."""
    if who := _sender(parts):
        for name, secret in secrets.items():
            if not secret.is_reference:
                yield Obstacle("stack", stack, _literal(who, f"secret {name}"))


def remarks(parts: Parts) -> Iterator[Obstacle]:
    """What is in the way of nothing, and has to be known: values that are pickled are signed on one
    machine and loaded on another; and a server of this machine is another one there."""
    parts = list(parts)
    if _sender(parts) is None:
        return
    for spec, made in parts:
        if not isinstance(made, ArtifactStore):
            continue
        if made.signing_key is None and made.allow_pickle == "signed":
            yield Obstacle(spec.category, spec.name, _unsigned())
        for option, text in _texts(spec.options):
            if _LOOPBACK.search(text):
                what = f"{credentials.hidden(text)} is another machine wherever a step runs."
                yield Obstacle(spec.category, spec.name, Finding(option, True, what))


def _texts(value: object, option: str = "") -> Iterator[tuple[str, str]]:
    """All texts in options, each with the option that it is in."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, option or str(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item, option)
    elif isinstance(value, str):
        yield option, value


def _behind(stack: Stack, secret: str) -> list[str]:
    """The variables that a secret is taken from: those that the stack says, or its own name."""
    if secret in stack.secrets:
        return _named(stack.secrets[secret].written)
    return [secret]


def _named(text: str) -> list[str]:
    return [name for kind, name in REFERENCE.findall(text) if kind == "env"]


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


def _unsigned() -> Finding:
    text = "there is none: no machine loads what another one has pickled."
    hint = "Type: penstock key new, and write signing_key: ${env:TEAM_KEY}"
    return Finding("signing_key", True, text, hint)


def _unreachable(who: Orchestrator, store: ArtifactStore) -> Finding:
    place = credentials.hidden(store.path)
    text = f"{place} is on this machine, and {_runs(who)}, which cannot reach it."
    hint = "Take a store that both can reach: penstock artifact-store flavor list"
    return Finding("path", False, text, hint, StackError.exit_code)


def _unknown(who: Orchestrator, flavor: str) -> Finding:
    text = (
        f"{flavor!r} is a flavor of this project, and {_runs(who)}, which have to reach the store "
        "before they have the project's code."
    )
    hint = "Give a package that is installed there the entry point that brings the flavor."
    return Finding("flavor", False, text, hint, StackError.exit_code)


def _runs(who: Orchestrator) -> str:
    return f"the orchestrator {who.name!r} runs steps on other machines"
