"""Arrow arrays as columns of pandas: views of the bytes that were loaded, which may be written to.

Copied is what numpy cannot have as it lies in the file: booleans, and objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.formats.frames import bits, texts, zones

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


class Views:
    """Makes columns of the arrays in one file, by the kinds that `columns` gave them.

    `data` is the file. Without `trusted` what pandas would believe is checked. Raises whatever
    goes wrong with bytes that are not what they seem to be.
    """

    def __init__(self, data: memoryview, trusted: bool) -> None:
        import numpy as np  # optional: pandas brings it

        self.data = data
        self.begin = np.frombuffer(data, np.uint8).ctypes.data if len(data) else 0
        self.trusted = trusted

    def column(self, array: pa.Array, kind: list[Any]) -> Any:
        """A numpy array, or an array of pandas."""
        word, *rest = kind
        return _KINDS[word](self, array, *rest)

    def index(self, array: pa.Array, kind: list[Any]) -> Any:
        """What `columns.level` was given."""
        import pandas as pd  # optional: the registry has made sure of it

        word, inner, name, span, frequency = kind
        if word != "index":
            raise ValueError("it is no index")
        if span is not None:
            start, stop, step = span
            made = pd.RangeIndex(start, stop, step, name=name)
            if len(made) != len(array):
                raise ValueError("a range has another length")
            return made
        values = self.column(array, inner)
        if frequency is not None:
            return _regular(values, name, frequency, self.trusted)
        return pd.Index(values, dtype=values.dtype, name=name, copy=False)

    def place(self, values: np.ndarray[Any, Any]) -> int | None:
        """Where in the file a column lies, if it is a view of it."""
        begin = values.ctypes.data - self.begin
        return begin if values.nbytes and 0 <= begin <= len(self.data) - values.nbytes else None

    def codes(self, array: pa.Array) -> np.ndarray[Any, Any]:
        """The numbers of a dictionary; -1 where there is none."""
        return self.numbers(array.indices)

    def numbers(self, array: pa.Array, kind: str = "") -> np.ndarray[Any, Any]:
        """The memory of an array, as writable numbers of its own type or of `kind`."""
        import numpy as np  # optional: pandas brings it

        dtype = np.dtype(kind or _dtype(array.type))
        if array.type.bit_width != 8 * dtype.itemsize:
            raise ValueError("the type is another one")
        length, buffer = len(array), array.buffers()[1]
        if not length:
            return np.empty(0, dtype)
        start, size = array.offset * dtype.itemsize, length * dtype.itemsize
        if start + size > buffer.size:
            raise ValueError("a column is too short")
        begin = buffer.address + start - self.begin
        if 0 <= begin <= len(self.data) - size:
            return np.frombuffer(self.data, dtype, length, begin)
        return np.frombuffer(buffer, dtype, length, start).copy()

    def _numpy(self, array: pa.Array) -> np.ndarray[Any, Any]:
        import pyarrow as pa  # optional: the registry has made sure of it

        if pa.types.is_boolean(array.type):
            return self._booleans(array)
        return self.numbers(array)

    def _booleans(self, array: pa.Array) -> np.ndarray[Any, Any]:
        import numpy as np  # optional: pandas brings it

        if not len(array):
            return np.empty(0, np.bool_)
        return bits.unpacked(array.buffers()[1], array.offset, len(array))

    def _zoned(self, array: pa.Array, zone: list[Any]) -> Any:
        import pandas as pd  # optional: the registry has made sure of it

        dtype = pd.DatetimeTZDtype(array.type.unit, zones.known(zone))
        return pd.array(self.numbers(array, "i8"), dtype=dtype, copy=False)

    def _masked(self, array: pa.Array) -> Any:
        import numpy as np  # optional: pandas brings it
        import pandas as pd  # optional: the registry has made sure of it

        values = self._numpy(array)
        missing = bits.missing(array)
        mask = np.zeros(len(array), np.bool_) if missing is None else missing
        kinds = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}
        return kinds.get(values.dtype.kind, pd.arrays.IntegerArray)(values, mask)

    def _arrow(self, array: pa.Array) -> Any:
        import pandas as pd  # optional: the registry has made sure of it
        import pyarrow as pa  # optional: the registry has made sure of it

        return pd.arrays.ArrowExtensionArray(pa.chunked_array([array]))

    def _strings(self, array: pa.Array, storage: str, missing: str) -> Any:
        return texts.known(storage, missing).__from_arrow__(_checked_text(array))

    def _objects(self, array: pa.Array, missing: str) -> np.ndarray[Any, Any]:
        import numpy as np  # optional: pandas brings it
        import pandas as pd  # optional: the registry has made sure of it

        text = _checked_text(array)
        values: np.ndarray[Any, Any] = text.to_numpy(zero_copy_only=False).astype(object)
        nulls = bits.missing(array)
        if missing != "none" and nulls is not None:
            values[nulls] = {"nan": np.nan, "NA": pd.NA}[missing]
        return values

    def _category(self, array: pa.Array, kind: list[Any]) -> Any:
        import pandas as pd  # optional: the registry has made sure of it

        dtype = pd.CategoricalDtype(self.index(array.dictionary, kind), array.type.ordered)
        numbers = self.codes(array)
        return pd.Categorical.from_codes(numbers, dtype=dtype, validate=not self.trusted)


_KINDS: Final[Mapping[str, Callable[..., Any]]] = {
    "numpy": Views._numpy,
    "zoned": Views._zoned,
    "masked": Views._masked,
    "arrow": Views._arrow,
    "string": Views._strings,
    "object": Views._objects,
    "category": Views._category,
}


def _checked_text(array: pa.Array) -> pa.Array:
    """The array itself, which pandas would make text of whatever it is."""
    import pyarrow as pa  # optional: the registry has made sure of it

    if not pa.types.is_large_string(array.type):
        raise ValueError(f"{array.type} is no type of text")
    return array


def _dtype(kind: pa.DataType) -> str:
    """The numpy dtype of a type of fixed width."""
    import pyarrow as pa  # optional: the registry has made sure of it

    if pa.types.is_timestamp(kind) and kind.tz is None:
        return f"M8[{kind.unit}]"
    if pa.types.is_duration(kind):
        return f"m8[{kind.unit}]"
    if pa.types.is_integer(kind):
        return f"{'i' if pa.types.is_signed_integer(kind) else 'u'}{kind.bit_width // 8}"
    if pa.types.is_floating(kind):
        return f"f{kind.bit_width // 8}"
    raise ValueError(f"{kind} is no type of numbers")


def _regular(values: Any, name: Any, frequency: str, trusted: bool) -> Any:
    """An index with a frequency. To check it takes as long as to make the index."""
    import pandas as pd  # optional: the registry has made sure of it

    array: Any = pd.array(values, dtype=values.dtype, copy=False)
    kind: Any = pd.TimedeltaIndex if array.dtype.kind == "m" else pd.DatetimeIndex
    index = kind(array, name=name, copy=False)
    offset: Any = pd.tseries.frequencies.to_offset(frequency)
    if trusted:  # pandas keeps it in the index since 3.1, in its array before
        holder = index if hasattr(index, "_freq") else index.array
        holder._freq = offset
    else:
        index.freq = offset
    return index
