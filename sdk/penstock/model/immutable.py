"""What is frozen says, when somebody assigns to it, how it is changed where it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

from penstock.errors import ImmutableComponent, did_you_mean, listed
from penstock.lazy import lazy

if TYPE_CHECKING:
    from penstock.model import credentials
else:
    credentials = lazy("penstock.model.credentials")  # only for a message

T = TypeVar("T")

BY_CATEGORY: Final = (
    "Components of another category, for example: client.update(…, data_validators=…)"
)


def immutable(cls: type[T]) -> type[T]:
    """Raise `ImmutableComponent` where a frozen dataclass raises its own error.

    A frozen dataclass may not come with a `__setattr__` and a `__delattr__`: those that it is given
    are wrapped.
    """
    if not hasattr(cls.__setattr__, "__wrapped__"):
        setattr(cls, "__setattr__", _setting(cls.__setattr__))  # noqa: B010
        setattr(cls, "__delattr__", _deleting(cls.__delattr__))  # noqa: B010
    return cls


def _setting(assign: Callable[[Any, str, Any], None]) -> Callable[[Any, str, Any], None]:
    @wraps(assign)
    def refused(thing: Any, attribute: str, value: Any) -> None:
        try:
            assign(thing, attribute, value)
        except FrozenInstanceError:
            raise _error(thing, attribute, "set", _typed(attribute, value)) from None

    return refused


def _deleting(delete: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    @wraps(delete)
    def refused(thing: Any, attribute: str) -> None:
        try:
            delete(thing, attribute)
        except FrozenInstanceError:
            value = "…" if attribute == "name" else "None"
            raise _error(thing, attribute, "deleted", value) from None

    return refused


def _error(thing: Any, attribute: str, how: str, value: str) -> ImmutableComponent:
    category = getattr(thing, "category", None)
    what = f"The {category.replace('-', ' ') if category else 'stack'} {thing.name!r}"
    kept = f"client.components({category!r})" if category else "client.stacks"
    there = f"{kept}[{thing.name!r}]"
    if attribute == "name" or (category and attribute == "flavor"):
        again = _another(thing, value) if attribute == "name" else "client.register(…, save=True)"
        return ImmutableComponent(
            f"{what} keeps its {attribute}.",
            hint=f"Register another one: {again}. To delete this one: client.delete({there})",
        )
    known = _changeable(thing, category)
    if attribute in known:
        return ImmutableComponent(
            f"{what} cannot be changed in place: its {attribute!r} was to be {how}.",
            hint=f"Type: client.update({there}, {attribute}={value})",
        )
    return ImmutableComponent(
        f"{what} takes no {attribute!r}. It takes: {listed(known)}.",
        hint=did_you_mean(attribute, known) or (None if category else BY_CATEGORY),
    )


def _changeable(thing: Any, category: str | None) -> list[str]:
    """What `client.update` takes for it."""
    given = [item for item in fields(thing) if item.init and item.name != "name"]
    if category is None:  # what a stack knows of itself, and is not compared, is not the user's
        given = [item for item in given if item.compare and item.name != "more"]
    return [item.name for item in given]


def _another(thing: Any, name: str) -> str:
    """The line that registers one like it. Of a component this one's references are resolved, and
    that is nothing to write down."""
    made = f"{type(thing).__name__}(name={name}, …)"
    if not hasattr(thing, "category"):
        made = f"dataclasses.replace(client.stack({thing.name!r}), name={name})"
    return f"client.register({made}, save=True)"


def _typed(attribute: str, value: object) -> str:
    """The value as one would type it; `…` for what may be a secret, or takes more than a word."""
    if not isinstance(value, str | int | float | None) or credentials.is_name(attribute):
        return "…"
    return repr(credentials.hidden(value) if isinstance(value, str) else value)
