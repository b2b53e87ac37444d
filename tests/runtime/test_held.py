"""What somebody else holds, and what is only being returned."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from penstock.runtime import held


class Pair(NamedTuple):
    one: Any
    other: Any


@dataclass
class Model:
    weights: Any


ARRAY = np.zeros(10)
ROWS = [np.zeros(3)]
MODEL = Model(np.zeros(4))
FRAME = pd.DataFrame({"a": np.zeros(4)})


def found(make: Callable[[], Any]) -> bool:
    value = make()
    return held.by_nobody_else(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: 1,
        lambda: "constant",
        lambda: None,
        lambda: bytearray(5),
        lambda: np.zeros(5),
        lambda: np.zeros((5, 4))[::2].T,
        lambda: [np.zeros(3), np.zeros(4), 1],
        lambda: {"a": np.zeros(3), "b": "text"},
        lambda: Pair(np.zeros(3), 1),
        lambda: Model(np.zeros(2)),
        lambda: pd.DataFrame({"a": np.zeros(4), "b": ["x"] * 4}),
    ],
)
def test_what_was_just_made_is_held_by_nobody_else(make: Callable[[], Any]) -> None:
    assert found(make)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ARRAY,
        lambda: ARRAY[:3],
        lambda: ARRAY.reshape(2, 5),
        lambda: [ARRAY],
        lambda: {"a": ARRAY},
        lambda: Pair(1, ARRAY),
        lambda: Model(ARRAY),
        lambda: ROWS,
        lambda: MODEL,
        lambda: MODEL.weights,
        lambda: FRAME,
        lambda: [bytearray(1) for _ in range(held.MOST + 1)],
    ],
)
def test_what_lives_on_may_be_changed(make: Callable[[], Any]) -> None:
    assert not found(make)
