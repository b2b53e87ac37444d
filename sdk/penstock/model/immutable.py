"""What is frozen says, when somebody assigns to it, how it is changed where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from penstock.errors import ImmutableComponent
from penstock.lazy import lazy

if TYPE_CHECKING:
    from penstock.model import credentials
else:
    credentials = lazy("penstock.model.credentials")  # only for a message

T = TypeVar("T")


def immutable(cls: type[T]) -> type[T]:
    """Raise `ImmutableComponent` where a frozen dataclass raises its own error.

    A frozen dataclass may not come with a `__setattr__`: the one that it is given is wrapped.
    """
    if not hasattr(cls.__setattr__, "__wrapped__"):
        setattr(cls, "__setattr__", _refusing(cls.__setattr__))  # noqa: B010
    return cls


def _refusing(assign: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    @wraps(assign)
    def refused(thing: Any, attribute: str, value: Any) -> None:
        try:
            assign(thing, attribute, value)
        except FrozenInstanceError:
            raise _error(thing, attribute, value) from None

    return refused


def _error(thing: Any, attribute: str, value: object) -> ImmutableComponent:
    category = getattr(thing, "category", None)
    what = category.replace("-", " ") if category else "stack"
    kept = f"client.components({category!r})" if category else "client.stacks"
    return ImmutableComponent(
        f"The {what} {thing.name!r} cannot be changed in place: its {attribute!r} was to be set.",
        hint=f"Type: client.update({kept}[{thing.name!r}], {attribute}={_typed(attribute, value)})",
    )


def _typed(attribute: str, value: object) -> str:
    """The value as one would type it; `…` for what may be a secret, or takes more than a word."""
    if not isinstance(value, str | int | float | None) or credentials.is_name(attribute):
        return "…"
    return repr(credentials.hidden(value) if isinstance(value, str) else value)
