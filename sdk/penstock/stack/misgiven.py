"""What was given in place of a stack or a component, and what to type instead."""

from __future__ import annotations

from typing import Final

from penstock.errors import BadArguments, did_you_mean
from penstock.model.component import StackComponent
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

EXAMPLE: Final = "Type: client.update(client.stacks['dev'], …), for example."


def registered(given: object) -> BadArguments:
    """What `client.register` raises."""
    hint = "Make one to register: Stack('dev', …) or LocalArtifactStore(name='bucket', …)."
    return _error("client.register(…)", "a stack or a component", given, _called(given) or hint)


def updated(given: object, registry: Registry) -> BadArguments:
    """What `client.update` raises. A name alone does not say whether it is a stack's."""
    hint = _line(given, registry) if isinstance(given, str) else EXAMPLE
    return _error("client.update(…)", "a stack or a component", given, hint)


def deleted(given: object) -> BadArguments:
    """What `client.delete` raises."""
    hint = "Type: client.delete(run.id) or client.delete(client.stacks['dev'])."
    return _error("client.delete(…)", "a run's id, a stack or a component", given, hint)


def in_stack(key: str, given: type[StackComponent]) -> BadArguments:
    """What `client.update` raises for a class among the values of a stack."""
    return _error(f"client.update(…, {key}=…)", "components or their names", given, _called(given))


def _error(call: str, taken: str, given: object, hint: str | None) -> BadArguments:
    return BadArguments(f"{call} takes {taken}, and is given {_shown(given)}.", hint=hint)


def _called(given: object) -> str | None:
    if not isinstance(given, type) or not issubclass(given, Stack | StackComponent):
        return None
    return f"{given.__name__} is a class: write {given.__name__}(…)"


def _shown(given: object) -> str:
    """What may be long, or may hold a secret, is told by its class."""
    if isinstance(given, type):
        return f"the class {given.__name__}"
    if given is None or isinstance(given, str | bool | int | float):
        return repr(given)
    return f"something of the class {type(given).__name__}"


def _line(name: str, registry: Registry) -> str:
    """The line for the stack of this name, else for the component."""
    kept = {spec.name: f"components({spec.category!r})" for spec in registry.components()}
    kept |= dict.fromkeys(registry.stacks(), "stacks")
    if name in kept:
        return f"Type: client.update(client.{kept[name]}[{name!r}], …)"
    return did_you_mean(name, kept) or EXAMPLE
