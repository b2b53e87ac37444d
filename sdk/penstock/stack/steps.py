"""Options of steps as a file gives them: plain data there, `StepOptions` for a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadStep, DeclarationError, did_you_mean, listed
from penstock.lazy import lazy
from penstock.model import durations
from penstock.model.options import StepOptions, called_here
from penstock.model.resources import Resources
from penstock.model.retry import Retry

if TYPE_CHECKING:
    import datetime
else:
    datetime = lazy("datetime")  # only where a file has a span of time

KNOWN: Final = tuple(
    item.name for item in fields(StepOptions) if item.name != "name" and not item.metadata
)
"""What a file may say of a step: what is plain data. Its name is what the file knows it by."""

NESTED: Final[Mapping[str, type[Any]]] = {"resources": Resources, "retries": Retry}
"""Options that are written as a mapping, and the class that it is for."""

Place = tuple[str, ...]
"""An option, or an option and a key in it."""


def step_options(written: Mapping[str, Any]) -> dict[str, Any]:
    """Options of one step, ready for `StepOptions`. Raises `BadStep` or `UnknownOption`."""
    options = dict(written)
    for option, kind in NESTED.items():
        if isinstance(given := options.get(option), Mapping):
            options[option] = kind(**given)
    if isinstance(span := options.get("cache_for"), str | int | float):
        options["cache_for"] = _timedelta(span)
    StepOptions().changed("step", options)
    return options


def _timedelta(span: object) -> datetime.timedelta:
    length = durations.seconds(span)
    if length is None:
        raise BadStep(f"The step option cache_for={span!r} does not fit: {durations.SPANS}.")
    return datetime.timedelta(seconds=length)


def complaints(written: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """What is wrong with options of one step: where, and a sentence, for all of them."""
    for option, value in written.items():
        if option not in KNOWN:
            yield (option,), _unknown("step option", option, KNOWN)
        elif option in NESTED and isinstance(value, Mapping):
            yield from _inside(option, value)
        else:
            yield from _checked((option,), {option: value})


def is_unknown(place: Place) -> bool:
    """Whether what is wrong there is the key itself."""
    option, *key = place
    return option not in KNOWN or (bool(key) and key[0] not in _keys(option))


def _inside(option: str, written: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    what = "resource" if option == "resources" else f"key of {option}"
    for name, value in written.items():
        if name not in _keys(option):
            yield (option, name), _unknown(what, name, _keys(option))
        else:
            yield from _checked((option, name), {option: {name: value}})


def _keys(option: str) -> tuple[str, ...]:
    return tuple(item.name for item in fields(NESTED[option]))


def _checked(place: Place, written: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    try:
        step_options(written)
    except DeclarationError as error:
        yield place, " ".join(str(error).splitlines())


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    rest = called_here(name, known) or did_you_mean(name, known) or f"There are {listed(known)}."
    return f"There is no {what} {name!r}. {rest}"
