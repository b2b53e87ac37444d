"""What the benchmarks of artifacts keep: values of the kinds that steps hand on; always the same.

`size` is that of the array of the same run, in MB: everything grows with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

USUAL: Final = 512
"""The size with which counts are round."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A value, and what is asked of one that came back."""

    value: Any
    used: Callable[[Any], object]
    """What a consumer does first; that is still part of loading."""
    same: Callable[[Any, Any], bool]
    """Whether what came back equals what was kept."""


MANY_FILES: Final = frozenset({"small", "tree", "changed"})
"""Kinds of which some way makes thousands of files."""


def array(size: int) -> Thing:
    """float64, all of it chance."""
    return Thing(_floats(size * 10**6 // 8), lambda array: array[0], _equal)


def frame(size: int) -> Thing:
    """5 million rows of 8 columns of all usual types."""
    import numpy as np
    import pandas as pd

    rows, chance = scaled(5_000_000, size), _chance()
    words = np.array([f"customer {number:05d}" for number in range(20_000)], dtype=object)
    kinds = pd.CategoricalDtype([f"kind {number}" for number in range(8)])
    value = pd.DataFrame(
        {
            "id": np.arange(rows),
            "count": chance.integers(0, 1000, rows),
            "price": chance.random(rows),
            "weight": chance.standard_normal(rows),
            "paid": chance.random(rows) < 0.5,
            "at": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(chance.integers(0, 10**7, rows), unit="s"),
            "kind": pd.Categorical.from_codes(chance.integers(0, 8, rows), dtype=kinds),
            "name": pd.Series(words).take(chance.integers(0, 20_000, rows)).array,
        }
    )
    return Thing(value, lambda frame: frame["price"].iloc[0], _same_frame)


def forest(size: int) -> Thing:
    """An estimator of 100 MB."""
    from sklearn.ensemble import RandomForestRegressor

    chance = _chance()
    samples = max(scaled(20_000, size), 20)
    rows, wanted = chance.random((samples, 4)), chance.random(samples)
    value = RandomForestRegressor(n_estimators=55, max_features=1, random_state=0)
    value.fit(rows, wanted)
    ask = rows[:10]
    return Thing(
        value,
        lambda forest: forest.estimators_[0].tree_.node_count,
        lambda one, other: _equal(one.predict(ask), other.predict(ask)),
    )


def arrays(size: int) -> Thing:
    """10 arrays of 20 MB in a dict, as parameters of a model are."""
    value = {f"layer {number}": _floats(scaled(2_500_000, size), number) for number in range(10)}
    return Thing(
        value,
        lambda arrays: [array[0] for array in arrays.values()],
        lambda one, other: all(_equal(one[name], other[name]) for name in one | other),
    )


def small(size: int) -> Thing:
    """5,000 values of 1 KB, one by one."""
    value = [number.to_bytes(4, "big") * 256 for number in range(scaled(5000, size))]
    return Thing(value, len, list.__eq__)


def tree(size: int) -> Thing:
    """A folder of 1,000 files of 4 KB, in the working directory."""
    folder = Path("tree")
    for number in range(scaled(1000, size)):
        file = folder / f"part-{number % 10}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(4, "big") * 1024)
    return Thing(folder.absolute(), lambda found: found, _same_files)


def scaled(count: int, size: int) -> int:
    return max(count * size // USUAL, 1)


def _floats(count: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    return _chance(seed).random(count)


def _chance(seed: int = 0) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng(seed)


def _equal(one: Any, other: Any) -> bool:
    import numpy as np

    return bool(np.array_equal(one, other))


def _same_frame(one: Any, other: Any) -> bool:
    return bool(one.equals(other) and (one.dtypes == other.dtypes).all())


def _same_files(one: Path, other: Path) -> bool:
    return _files(one) == _files(other)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
