"""A column of pandas as an Arrow array made of the column's own memory.

Beside the array goes its kind, as plain data: what `Views` needs to make the same column again.
Copied is only what Arrow has in another way: bits for booleans, text for objects, memory without
gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from penstock.artifacts.formats.frames import bits, texts, zones
from penstock.artifacts.formats.frames.canonical import canonical
from penstock.artifacts.materializer import NotThisFormat

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

MASKED: Final = (
    "BooleanDtype", "Float32Dtype", "Float64Dtype",
    *(f"{kind}{width}Dtype" for kind in ("Int", "UInt") for width in (8, 16, 32, 64)),
)  # fmt: skip

NAT: Final = -(2**63)
"""A time that is missing, as numpy and pandas have it."""

MISSING: Final = {type(None): "none", float: "nan"}
"""What stands for a missing value among objects."""


class Column(NamedTuple):
    array: pa.Array
    kind: list[Any]
    """Begins with a word; see `Views`."""


def column(values: Any) -> Column:
    """Of a series or an index. Raises `NotThisFormat` for what would not come back equal."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: here because the value is pandas'

    dtype = values.dtype
    if isinstance(dtype, np.dtype):
        return _numbers(values.to_numpy())
    name = type(dtype).__name__
    if name not in _MAKERS or type(dtype) is not getattr(pd, name):
        raise NotThisFormat(f"{dtype} has no Arrow type")
    return _MAKERS[name](values)


def level(index: Any) -> Column:
    """An index as values that are not rows, or not all: categories, levels, the index itself."""
    import pandas as pd  # optional: here because the value is pandas'

    known = (pd.Index, pd.RangeIndex, pd.CategoricalIndex, pd.DatetimeIndex, pd.TimedeltaIndex)
    if type(index) not in known:
        raise NotThisFormat(f"it has a {type(index).__name__}")
    array, kind = column(index)
    span: list[Any] | None = None
    if isinstance(index, pd.RangeIndex):
        span = [index.start, index.stop, index.step]
    return Column(array, ["index", kind, index.name, span, _frequency(index)])


def codes(values: np.ndarray[Any, Any], index: Any, ordered: bool = False) -> Column:
    """Numbers into an index as an Arrow dictionary; -1 is a null."""
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    array, kind = level(index)
    if pa.types.is_dictionary(array.type):
        raise NotThisFormat("categories of categories have no Arrow type")
    numbers = fixed(pa.from_numpy_dtype(values.dtype), values, values < 0)
    made = pa.DictionaryArray.from_arrays(numbers, array, ordered=ordered, safe=False)
    return Column(made, ["category", kind])


def fixed(kind: pa.DataType, values: Any, missing: Any = None) -> pa.Array:
    """Numbers as they are, the missing ones too, which Arrow sees as nulls."""
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    whole = missing is None or not missing.any()
    data = np.ascontiguousarray(values).view(np.uint8)
    buffers = [None if whole else bits.packed(~missing), pa.py_buffer(data)]
    return pa.Array.from_buffers(kind, len(values), buffers, 0 if whole else -1)


def _numbers(values: np.ndarray[Any, Any]) -> Column:
    import numpy as np  # optional: pandas brings it
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    dtype = values.dtype
    if dtype.kind == "O":
        return _objects(values)
    if dtype.kind not in "biufmM" or not dtype.isnative or dtype.itemsize > 8:
        raise NotThisFormat(f"{dtype} has no Arrow type")
    if dtype.kind == "b":
        buffers = [None, bits.packed(values)]
        return Column(pa.Array.from_buffers(pa.bool_(), len(values), buffers, 0), ["numpy"])
    missing = values.view(np.int64) == NAT if dtype.kind in "mM" else None
    return Column(fixed(pa.from_numpy_dtype(dtype), values, missing), ["numpy"])


def _objects(values: np.ndarray[Any, Any]) -> Column:
    """Text, with one sort of missing value at most. Arrow refuses a float that is a number."""
    import pandas as pd  # optional: here because the value is pandas'

    kinds = {*map(type, values)} - {str}
    missing = {**MISSING, type(pd.NA): "NA"}
    if len(kinds) > 1 or not kinds <= missing.keys():
        raise NotThisFormat("there are objects other than text")
    return Column(_text(values), ["object", missing[kinds.pop()] if kinds else "none"])


def _text(values: Any) -> pa.Array:
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    return pa.array(values, pa.large_string(), from_pandas=True)


def _strings(values: Any) -> Column:
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    kind = ["string", *texts.noted(values.dtype)]
    if kind[1] == "python":
        return Column(_text(values.to_numpy(dtype=object)), kind)
    array = values.array.__arrow_array__()
    return Column(canonical(array.cast(pa.large_string())), kind)


def _category(values: Any) -> Column:
    return codes(values.array.codes, values.dtype.categories, bool(values.dtype.ordered))


def _zoned(values: Any) -> Column:
    import pyarrow as pa  # optional: whoever dumps a frame has made sure of it

    zone = values.dtype.tz
    kind = pa.timestamp(values.dtype.unit, zones.name(zone))
    instants = values.array.view("i8")
    return Column(fixed(kind, instants, instants == NAT), ["zoned", zones.noted(zone)])


def _masked(values: Any) -> Column:
    return Column(canonical(values.array.__arrow_array__()), ["masked"])


def _arrow(values: Any) -> Column:
    array = canonical(values.array.__arrow_array__())
    if "extension<" in str(array.type):
        raise NotThisFormat("it has extension types")
    return Column(array, ["arrow"])


def _frequency(index: Any) -> str | None:
    """Its name, which must say all of it: that of custom business days does not."""
    import pandas as pd  # optional: here because the value is pandas'

    frequency = getattr(index, "freq", None)
    if frequency is None:
        return None
    name = str(frequency.freqstr)
    try:
        same = pd.tseries.frequencies.to_offset(name) == frequency
    except ValueError:
        same = False
    if not same:
        raise NotThisFormat("the frequency of the index has no name")
    return name


_MAKERS: Final[Mapping[str, Callable[[Any], Column]]] = {
    "CategoricalDtype": _category,
    "DatetimeTZDtype": _zoned,
    "StringDtype": _strings,
    "ArrowDtype": _arrow,
    **dict.fromkeys(MASKED, _masked),
}
"""By the name of the dtype's class. Periods, intervals and sparse columns are not among them."""
