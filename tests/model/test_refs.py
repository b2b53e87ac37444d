"""References: what a step call returns inside a pipeline refuses every use as a value."""

import copy
import io
import json
import math
import operator
import os
import pickle
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter

from penstock import pipeline, step
from penstock.errors import PenstockError, ReferenceUsed
from penstock.model.refs import REFUSED


@step
def load():  # type: ignore[no-untyped-def]
    return 1


def main_that(use: Callable[[Any], object]) -> Callable[[], None]:
    def main() -> None:
        use(load())

    return main


CALL = f"{__file__}:{main_that(print).__code__.co_firstlineno + 1}"
"""Where the step is called."""


def drawn_with(use: Callable[[Any], object]) -> None:
    pipeline(main_that(use)).graph()


def refused(use: Callable[[Any], object]) -> ReferenceUsed:
    with pytest.raises(ReferenceUsed) as caught:
        drawn_with(use)
    return caught.value


def in_a_condition(ref: Any) -> None:
    if ref:
        pass


def iterated(ref: Any) -> None:
    for _ in ref:
        pass


def unpacked(ref: Any) -> None:
    _a, _b = ref


def starred(ref: Any) -> None:
    print(*ref)


def item_set(ref: Any) -> None:
    ref[0] = 1


def item_deleted(ref: Any) -> None:
    del ref[0]


def attribute_set(ref: Any) -> None:
    ref.x = 1


def attribute_deleted(ref: Any) -> None:
    del ref.x


def added_in_place(ref: Any) -> None:
    ref += 1


def entered(ref: Any) -> None:
    with ref:
        pass


def sent(coroutine: Any) -> None:
    coroutine.send(None)


async def entered_async(ref: Any) -> None:
    async with ref:
        pass


async def iterated_async(ref: Any) -> None:
    async for _ in ref:
        pass


async def awaited(ref: Any) -> None:
    await ref


CONDITION = "it cannot be tested in a condition"
COMPARED = "it cannot be compared"
CALCULATED = "it cannot be calculated with"
NUMBER = "it cannot be made a number"
ITERATED = "it cannot be iterated over or unpacked"
TEXT = "it cannot be made text"
ARRAY = "it cannot be made an array"
COPIED = "it cannot be copied or pickled"
USES: dict[str, tuple[Callable[[Any], object], str]] = {
    "if": (in_a_condition, CONDITION),
    "not": (operator.not_, CONDITION),
    "and": (lambda ref: ref and 1, CONDITION),
    "bool": (bool, CONDITION),
    "any": (lambda ref: any([ref]), CONDITION),
    "==": (lambda ref: ref == 1, COMPARED),
    "== reflected": (lambda ref: 1 == ref, COMPARED),  # noqa: SIM300
    "== None": (lambda ref: ref == None, COMPARED),  # noqa: E711
    "!=": (lambda ref: ref != 1, COMPARED),
    "<": (lambda ref: ref < 1, COMPARED),
    ">= reflected": (lambda ref: 1 >= ref, COMPARED),  # noqa: SIM300
    "max": (lambda ref: max(ref, ref), COMPARED),
    "sorted": (lambda ref: sorted([ref, ref]), COMPARED),
    "in a list": (lambda ref: 2 in [1, ref], COMPARED),
    "in": (lambda ref: 1 in ref, "it cannot be searched with 'in'"),
    "+": (lambda ref: ref + 1, CALCULATED),
    "+ reflected": (lambda ref: 1 + ref, CALCULATED),
    "+ text": (lambda ref: ref + "a", CALCULATED),
    "+=": (added_in_place, CALCULATED),
    "sum": (lambda ref: sum([ref]), CALCULATED),
    "-": (operator.neg, CALCULATED),
    "~": (operator.invert, CALCULATED),
    "abs": (abs, CALCULATED),
    "round": (round, CALCULATED),
    "floor": (math.floor, CALCULATED),
    "divmod": (lambda ref: divmod(5, ref), CALCULATED),
    "| dict": (lambda ref: {} | ref, CALCULATED),
    "Decimal": (lambda ref: Decimal(1) * ref, CALCULATED),
    "int": (int, NUMBER),
    "float": (float, NUMBER),
    "complex": (complex, NUMBER),
    "range": (range, NUMBER),
    "index of a list": (lambda ref: [1, 2][ref], NUMBER),
    "sqrt": (math.sqrt, NUMBER),
    "for": (iterated, ITERATED),
    "unpacking": (unpacked, ITERATED),
    "star": (starred, ITERATED),
    "list": (iter, ITERATED),
    "next": (next, ITERATED),
    "zip": (lambda ref: dict(zip(ref, ref, strict=True)), ITERATED),
    "async for": (lambda ref: sent(iterated_async(ref)), ITERATED),
    "len": (len, "it has no length yet"),
    "index": (lambda ref: ref[0], "it cannot be indexed"),
    "slice": (lambda ref: ref[:2], "it cannot be indexed"),
    "index set": (item_set, "it cannot be indexed"),
    "index deleted": (item_deleted, "it cannot be indexed"),
    "attribute": (lambda ref: ref.shape, "its attribute 'shape' cannot be read"),
    "method": (lambda ref: ref.mean(), "its attribute 'mean' cannot be read"),
    "attribute set": (attribute_set, "its attribute 'x' cannot be set"),
    "attribute deleted": (attribute_deleted, "its attributes cannot be deleted"),
    "call": (lambda ref: ref(1), "it cannot be called"),
    "str": (str, TEXT),
    "print": (lambda ref: print(ref, file=io.StringIO()), TEXT),
    "f-string": (lambda ref: f"{ref}", TEXT),
    "f-string with a format": (lambda ref: f"{ref:.2f}", TEXT),
    "format": ("{:>8}".format, TEXT),
    "percent": (lambda ref: "%s" % ref, TEXT),  # noqa: UP031
    "bytes": (bytes, TEXT),
    "path": (os.fspath, TEXT),
    "np.asarray": (np.asarray, ARRAY),
    "np.array of objects": (lambda ref: np.array(ref, dtype=object), ARRAY),
    "np.asarray of a list": (lambda ref: np.asarray([ref, 1]), ARRAY),
    "np.mean": (np.mean, ARRAY),
    "np.add": (lambda ref: np.add(ref, 1), ARRAY),
    "array +": (lambda ref: np.ones(2) + ref, ARRAY),
    "array ==": (lambda ref: np.ones(2) == ref, ARRAY),
    "np scalar *": (lambda ref: np.float64(2) * ref, ARRAY),
    "key": (lambda ref: {ref: 1}, "it cannot be a key or in a set"),
    "set": (lambda ref: {ref}, "it cannot be a key or in a set"),
    "hash": (hash, "it cannot be a key or in a set"),
    "with": (entered, "it cannot be used with 'with'"),
    "async with": (lambda ref: sent(entered_async(ref)), "it cannot be used with 'with'"),
    "await": (lambda ref: sent(awaited(ref)), "it cannot be awaited"),
    "pickle": (pickle.dumps, COPIED),
    "pickle in a list": (lambda ref: pickle.dumps([ref]), COPIED),
    "copy": (copy.copy, COPIED),
    "deepcopy": (lambda ref: copy.deepcopy({"a": ref}), COPIED),
}


@pytest.mark.parametrize("use", USES)
def test_every_use_as_a_value_is_refused(use: str) -> None:
    function, reason = USES[use]

    assert str(refused(function)) == (
        "The output of step load is not there yet while the pipeline 'main' is drawn: "
        f"{reason} (the step is called at {CALL}).\nMove that line into a @step."
    )


BINARY = [
    *[operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod],
    *[divmod, operator.pow, operator.matmul, operator.and_, operator.or_, operator.xor],
    *[operator.lshift, operator.rshift],
]


@pytest.mark.parametrize("operation", BINARY)
def test_arithmetic_is_refused_from_both_sides_and_in_place(operation: Any) -> None:
    refused(lambda ref: operation(ref, 2))
    refused(lambda ref: operation(2, ref))
    in_place = getattr(operator, f"i{operation.__name__.rstrip('_')}", operation)
    refused(lambda ref: in_place(ref, 2))


@pytest.mark.parametrize("name", sorted(name for names in REFUSED.values() for name in names))
def test_every_special_method_of_the_table_refuses(name: str) -> None:
    refused(lambda ref: getattr(type(ref), f"__{name}__")(ref))


def test_the_error_is_a_type_error_and_an_attribute_error() -> None:
    assert isinstance(refused(bool), TypeError)
    assert isinstance(refused(bool), AttributeError)
    assert isinstance(refused(bool), PenstockError)


@pytest.mark.parametrize("use", [pd.Series, pd.DataFrame])
def test_pandas_makes_nothing_of_a_reference(use: Any) -> None:
    refused(use)


def test_json_does_not_know_a_reference() -> None:
    with pytest.raises(TypeError, match="Reference is not JSON serializable"):
        drawn_with(json.dumps)


def test_what_looks_at_a_reference_works() -> None:
    seen: list[Any] = []

    def look(ref: Any) -> None:
        seen.extend([repr(ref), f"{ref!r}", hasattr(ref, "shape"), getattr(ref, "shape", 3)])
        seen.extend([ref is None, isinstance(ref, int), isinstance(dir(ref), list)])

    drawn_with(look)
    shown = "<output 'output' of step load>"
    assert seen == [shown, shown, False, 3, False, False, True]


def test_ipython_shows_a_reference() -> None:
    seen: list[str] = []

    def look(ref: Any) -> None:
        data, _ = DisplayFormatter().format(ref)
        seen.append(data["text/plain"])

    drawn_with(look)
    assert seen == ["<output 'output' of step load>"]
