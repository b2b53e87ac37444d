"""Values that compress well, badly and not at all; always the same ones. Sizes are in MB."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from things import Thing, forest

if TYPE_CHECKING:
    import numpy as np

WORDS: Final = """
the of and to in a is that for it as was with be by on not he his but at are this have from or had
an they which one you were all her she there would their we him been has when who will no more if
out so up said what its about than into them can only other time new some could these two may first
then do any like my now over such our man me even most made after also did many
""".split()  # noqa: SIM905  # a text, as it is used


PATHS: Final = ("/", "/login", "/api/items", "/api/items/search", "/static/app.js")


def floats(size: int) -> Thing:
    """Chance in every bit but those of the exponent."""
    return _array(_chance().random(size * 10**6 // 8))


def numbers(size: int) -> Thing:
    """One column of whole numbers, sorted: as keys and times are."""
    import pandas as pd

    steps = _chance().integers(0, 1000, size * 10**6 // 8)
    value = pd.DataFrame({"at": steps.cumsum()})
    return Thing(value, len, lambda one, other: bool(one.equals(other)))


def text(size: int) -> Thing:
    """Words of a language, as often as they are used."""
    import numpy as np

    weights = 1 / np.arange(1, len(WORDS) + 1)
    count = size * 10**6 // 3
    drawn = _chance().choice(np.array(WORDS), count, p=weights / weights.sum())
    return Thing(" ".join(drawn)[: size * 10**6], len, str.__eq__)


def sparse(size: int) -> Thing:
    """Zeros, and one float in a hundred."""
    import numpy as np

    chance, value = _chance(), np.zeros(size * 10**6 // 8)
    places = chance.integers(0, len(value), len(value) // 100)
    value[places] = chance.random(len(places))
    return _array(value)


def logs(size: int) -> Thing:
    """Lines of JSON, as services write them."""
    chance = random.Random(0)
    lines, left, number = [], size * 10**6, 0
    while left > 0:
        number += 1
        line = {
            "time": f"2026-01-01T{number // 36000 % 24:02}:{number // 600 % 60:02}:00Z",
            "level": "WARNING" if chance.random() < 0.05 else "INFO",
            "path": chance.choice(PATHS),
            "status": 200 if chance.random() < 0.9 else 404,
            "milliseconds": round(chance.expovariate(1 / 20), 3),
            "request": chance.randbytes(8).hex(),
        }
        lines.append(json.dumps(line))
        left -= len(lines[-1]) + 1
    return Thing("\n".join(lines), len, str.__eq__)


VALUES: Final[Mapping[str, Callable[[int], Thing]]] = {
    "random floats": floats,
    "sorted numbers": numbers,
    "text": text,
    "sparse array": sparse,
    "forest": forest,
    "JSON logs": logs,
}


def _array(value: np.ndarray[Any, np.dtype[np.float64]]) -> Thing:
    import numpy as np

    return Thing(value, len, lambda one, other: bool(np.array_equal(one, other)))


def _chance() -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(0)
