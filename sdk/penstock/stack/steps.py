"""Options of steps as a stack gives them: plain data in the file, `StepOptions` for a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from penstock.errors import DeclarationError, did_you_mean, listed
from penstock.model.options import Resources, StepOptions

KNOWN: Final = tuple(item.name for item in fields(StepOptions) if item.name != "name")
"""What a stack may say of a step. Its name is what the stack knows it by."""

RESOURCES: Final = tuple(item.name for item in fields(Resources))


def step_options(written: Mapping[str, Any]) -> dict[str, Any]:
    """Options of one step, ready for `StepOptions`. Raises `BadStep` or `UnknownOption`."""
    options = dict(written)
    if isinstance(given := options.get("resources"), Mapping):
        options["resources"] = Resources(**given)
    StepOptions().changed("step", options)
    return options


def complaints(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with options of one step: the option and a sentence, for all of them."""
    for option, value in written.items():
        if option not in KNOWN:
            yield option, _unknown("step option", option, KNOWN)
        elif option == "resources" and isinstance(value, Mapping):
            yield from ((option, text) for text in _resources(value))
        else:
            yield from _checked(option, {option: value})


def _resources(written: Mapping[str, Any]) -> Iterator[str]:
    for name, value in written.items():
        if name not in RESOURCES:
            yield _unknown("resource", name, RESOURCES)
        else:
            yield from (text for _, text in _checked("", {"resources": {name: value}}))


def _checked(option: str, written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    try:
        step_options(written)
    except DeclarationError as error:
        yield option, " ".join(str(error).splitlines())


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    rest = did_you_mean(name, known) or f"There are {listed(known)}."
    return f"There is no {what} {name!r}. {rest}"
