"""Conditions: whether a call runs, or is skipped, and why."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any, Final

from penstock.errors import TypeMismatch
from penstock.model import plain
from penstock.model.binding import Binding, Condition, Group, Held, Literally, Use
from penstock.model.fit import hints_inside, surely_wrong
from penstock.model.graph import Call
from penstock.model.over import item_hint
from penstock.model.records import Status, StepRun
from penstock.model.signature import UNKNOWN, is_named_tuple, outputs_in

Results = Mapping[str, StepRun]

NULL: Final = b"null"
"""None, as it is stored."""

_KINDS: Final = {"list": list, "tuple": tuple, "dict": dict}


def may_be_skipped(call: Call, results: Results) -> bool:
    """Whether there is anything to look at: a condition, or something skipped that it needs."""
    return bool(call.when) or any(
        results[up].status is Status.SKIPPED for up in call.upstream if up in results
    )


def surely_runs(call: Call, results: Results) -> bool:
    """Whether its conditions hold, as far as that is seen without loading anything."""
    return all(_seen(each, results) is each.wanted for each in call.when)


def why_skipped(call: Call, results: Results, load: Callable[[Use], Any]) -> str:
    """Why a call is skipped, in words; empty if it runs. `load` gives the value of an output.

    Raises `TypeMismatch` for what is neither true nor false.
    """
    for each in call.when:
        binding = each.binding
        if isinstance(binding, Literally):
            if plain.decode(binding.text) is not each.wanted:
                return each.why or f"its condition is {not each.wanted}"
        elif results[binding.call].status is Status.SKIPPED:
            # Neither `when` nor `unless`: nobody has found out which of them it would be.
            return was_skipped(binding)
        elif truth(value := load(binding), binding, call) is not each.wanted:
            return was(binding, value)
    return next(map(was_skipped, refused(call, results)), "")


def was(use: Use, value: Any) -> str:
    """What a condition was that does not hold."""
    return f"{use.output} of {use.call} is {reprlib.repr(value)}"


def was_skipped(use: Use) -> str:
    return f"{use.call} was skipped"


def has_no_list(call: Call, results: Results) -> bool:
    """Whether the list that a map goes over was skipped."""
    binding = call.bindings[call.over]
    if type(binding) is Held:  # of a run that this one takes from
        return binding.artifact.data == NULL
    return type(binding) is Use and _is_skipped(binding, results) and _is_none(binding, results)


def _seen(condition: Condition, results: Results) -> bool | None:
    """What a condition is, if that is plain data in a record; else nothing."""
    binding = condition.binding
    if isinstance(binding, Literally):
        return bool(plain.decode(binding.text))
    artifact = results[binding.call].outputs[binding.output]
    if artifact.format != "json/1" or artifact.data is None:
        return None
    return bool(plain.decode(artifact.data))


def truth(value: Any, use: Use, call: Call) -> bool:
    """Whether an output on which a call depends is true. Raises `TypeMismatch`."""
    try:
        return bool(value)
    except Exception as error:  # an array or a table has none, and says so with any error
        raise TypeMismatch(
            f"Step {call.id} is to run depending on output {use.output!r} of step {use.call}, a "
            f"{type(value).__qualname__} that is neither true nor false: {error}",
            hint=f"Return True or False from step {use.call}.",
        ) from error


def refused(call: Call, results: Results) -> Iterator[Use]:
    """What was skipped, and cannot be None here, of what has a result."""
    for name, binding in call.bindings.items():
        parameter = call.step.signature.parameters[name]
        hint = UNKNOWN if parameter.default is None else parameter.hint
        if name == call.over:
            if (
                type(binding) is Use
                and _is_skipped(binding, results)
                and (_is_none(binding, results) or not _takes_none(hint))
            ):
                yield binding
        else:
            yield from _refused_in(binding, hint, results)


def _refused_in(binding: Binding, hint: Any, results: Results) -> Iterator[Use]:
    if type(binding) is Use:
        if _is_skipped(binding, results):
            # A map that was skipped gives a list, with None in the place of each item.
            inside = hint if _is_none(binding, results) else item_hint(hint)
            if not _takes_none(inside):
                yield binding
    elif type(binding) is Group:
        for item, inside in zip(binding.items, _hints(binding, hint), strict=True):
            yield from _refused_in(item, inside, results)


def _hints(group: Group, hint: Any) -> tuple[Any, ...]:
    """The type of each item of a collection, as far as known."""
    count = len(group.items)
    if group.kind == "named":
        found = tuple(each.hint for each in outputs_in(hint)) if is_named_tuple(hint) else ()
    else:
        found = hints_inside(_KINDS[group.kind], count, hint)
    return found if len(found) == count else (UNKNOWN,) * count


def _is_skipped(use: Use, results: Results) -> bool:
    made = results.get(use.call)
    return made is not None and made.status is Status.SKIPPED


def _is_none(use: Use, results: Results) -> bool:
    return results[use.call].outputs[use.output].data == NULL


def _takes_none(hint: Any) -> bool:
    return not surely_wrong(NoneType, hint)
