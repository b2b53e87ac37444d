"""A value for every format that can be made here: a small one lies in its record, a larger one is
an object, and one of a million numbers is mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pydantic
from first_frames import FIRST, written

from penstock import File
from penstock.artifacts.formats.failure import FailureFormat
from penstock.artifacts.formats.npy import NpyStrided
from penstock.artifacts.formats.registry import BUILT_IN, LIBRARIES
from penstock.artifacts.values import Values
from penstock.model.records import Artifact, Failure
from penstock.runtime.expansion import LISTS
from penstock.runtime.item_lists import ItemLists

SMALL, LARGE = 2, 2000
"""Numbers in a sample that lies in its record, and in one that is an object."""


@dataclass
class Point:
    label: str
    numbers: list[int]


class Settings(pydantic.BaseModel):
    label: str
    numbers: list[int]


class Parcel:
    """What only pickle takes."""

    def __init__(self, content: object) -> None:
        self.content = content


def sample(id: str, length: int) -> Any:
    """A value of this format that holds so many numbers."""
    return _SAMPLES[id](length)


def kind(id: str) -> Any:
    """The annotation that values of this format need."""
    return {"dataclass/1": Point, "pydantic/1": Settings}.get(id, Any)


def saved(values: Values, id: str, length: int) -> Artifact:
    """A sample in a store, in its own format."""
    value = sample(id, length)
    if isinstance(value, Failure):  # which only the executor stores
        return values.stored(id, FailureFormat(Failure).dump(value))
    if id in LISTS:  # which only the executor stores, for maps
        lists = ItemLists(values, lambda artifact: artifact.code, lambda value, artifact: "")
        return lists.saved(value, Any, "The sample")
    if id == "npy-strided/1":  # which only large arrays are stored in
        return values.stored(id, NpyStrided(None).dump(value))
    if id in FIRST:  # which are not written any more
        return values.stored(id, written(value))
    artifact = values.save(value, kind(id), "The sample")
    assert artifact.format == id
    return artifact


def seen(value: Any) -> object:
    """What a value holds, so that two of them can be compared."""
    if isinstance(value, Path):
        files = [value, *value.rglob("*")]
        return {str(each.relative_to(value)): each.is_file() and each.read_bytes()
                for each in files}  # fmt: skip
    if callable(value):
        return value()
    if isinstance(value, Parcel):
        return ("parcel", seen(value.content))
    if isinstance(value, list):
        return [seen(each) for each in value]
    for look in ("to_pydict", "to_dict", "to_list", "tolist"):
        if hasattr(value, look):
            return (type(value), repr(getattr(value, look)()))
    return value


def _array(length: int) -> Any:
    import numpy as np

    return np.arange(length) * 3


def _tensor(length: int) -> Any:
    import torch

    return torch.arange(length) * 3


def _scalar(length: int) -> Any:
    import numpy as np

    return np.str_("é" * length)


def _columns(length: int) -> dict[str, Any]:
    return {"n": list(range(length)), "s": [f"text {n}" for n in range(length)]}


def _table(length: int) -> Any:
    import pyarrow as pa

    return pa.table(_columns(length))


def _frame(length: int) -> Any:
    import pandas as pd

    return pd.DataFrame({**_columns(length), "c": pd.Categorical(["a", "b"] * (length // 2))})


def _series(length: int) -> Any:
    import pandas as pd

    return pd.Series(range(length), name="n")


def _polars_frame(length: int) -> Any:
    import polars as pl

    return pl.DataFrame({**_columns(length), "l": [[n] for n in range(length)]})


def _polars_series(length: int) -> Any:
    import polars as pl

    return pl.Series("n", range(length))


def _tree(length: int) -> Path:
    """Two folders of files with something in them."""
    tree = Path(mkdtemp(dir=Path.cwd()), "tree")
    for number in range(max(3, length // 60)):
        file = tree / f"folder-{number % 2}" / f"file-{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n" * 10)
    return tree


def _file(length: int) -> File:
    Path("numbers").write_bytes(_bytes(length))
    return File("numbers")


def _text(length: int) -> str:
    return " ".join(f"né{n}" for n in range(length))


def _bytes(length: int) -> bytes:
    return (bytes(range(251)) * (length // 60 + 1))[: 4 * length]


_SAMPLES: dict[str, Callable[[int], Any]] = {
    "json/1": lambda length: {"numbers": list(range(length)), "of": (1.5, {3}, b"x")},
    "text/1": _text,
    "bytes/1": _bytes,
    "bytearray/1": lambda length: bytearray(_bytes(length)),
    "memoryview/1": lambda length: memoryview(_bytes(length)),
    "npy/1": _array,
    "npy-strided/1": lambda length: _array(length).reshape(2, -1)[::-1],
    "npy-scalar/1": _scalar,
    "torch/1": _tensor,
    "arrow/1": _table,
    **dict.fromkeys(("pandas-arrow/1", "pandas-arrow/2"), _frame),
    **dict.fromkeys(("pandas-series-arrow/1", "pandas-series-arrow/2"), _series),
    "polars-arrow/1": _polars_frame,
    "polars-series-arrow/1": _polars_series,
    "path/1": _tree,
    "file/1": _file,
    "files/1": lambda length: {"file": _file(length), "numbers": list(range(length))},
    "dataclass/1": lambda length: Point("a", list(range(length))),
    "pydantic/1": lambda length: Settings(label="a", numbers=list(range(length))),
    "failure/1": lambda length: Failure("ValueError", "no", "line\n" * length, "step"),
    "items/1": lambda length: [_array(length), "text", *range(length)],
    "items-signed/1": lambda length: [Parcel(length), _array(length), *range(length)],
    "pickle/1": lambda length: Parcel([_array(length), *range(length)]),
    "memoryview-shaped/1": lambda length: memoryview(_array(length)),
    "cloudpickle/1": lambda length: [lambda: length, _array(length), *range(length)],
}

INSTALLED = [id for id in BUILT_IN if all(map(find_spec, LIBRARIES.get(id, ())))]
"""The formats that can be read and written here."""

FORMATS = [id for id in INSTALLED if id in _SAMPLES]
