"""pandas frames and series as Arrow IPC files.

Only what is sure to come back as it was: types are checked column by column, and the first rows
are tried. Everything else is left to pickle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact
from penstock.model.plain import NotPlain, decode, encode

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEY: Final = b"penstock"
"""Where the schema keeps what pandas' own metadata does not: which columns are of objects, the
labels of columns that are numbered, zones as Python objects, the frequency of the index, the name
of a series."""

VALUES: Final = "values"
"""The column of a series; its own name can be anything."""


EXTENSIONS: Final = (
    "DatetimeTZDtype", "StringDtype", "ArrowDtype", "BooleanDtype", "Float32Dtype", "Float64Dtype",
    *(f"{kind}{bits}Dtype" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
)  # fmt: skip
"""Types of pandas' own that Arrow has too. Periods, intervals and sparse columns are not among
them: pandas registers theirs with Arrow only once it needs them."""


class PandasFrame(Materializer["pd.DataFrame"]):
    """A `pandas.DataFrame`. What comes back owns its memory, except for immutable strings."""

    format: ClassVar[str] = "pandas-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.DataFrame) -> Sequence[Buffer]:
        import pandas as pd  # optional: here because the value is pandas'

        if type(value) is not pd.DataFrame:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a DataFrame")
        return _dumped(value, {})

    def load(self, data: Buffer) -> pd.DataFrame:
        frame, _ = _loaded(data, self.format)
        return frame


class PandasSeries(Materializer["pd.Series[Any]"]):
    """A `pandas.Series`: a frame of one column."""

    format: ClassVar[str] = "pandas-series-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.Series[Any]) -> Sequence[Buffer]:
        import pandas as pd  # optional: here because the value is pandas'

        if type(value) is not pd.Series:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a Series")
        if value.attrs:
            raise NotThisFormat("it has attrs")
        try:
            encode(value.name)
        except NotPlain as error:
            raise NotThisFormat(f"its name: {error}") from None
        return _dumped(value.to_frame(VALUES), {"name": value.name})

    def load(self, data: Buffer) -> pd.Series[Any]:
        frame, notes = _loaded(data, self.format)
        if list(frame.columns) != [VALUES]:
            raise CorruptArtifact(f"The bytes are not a value of format {self.format!r}.")
        series: pd.Series[Any] = frame[VALUES]
        series.name = notes.get("name")
        return series


def _dumped(frame: pd.DataFrame, notes: Mapping[str, Any]) -> Sequence[Buffer]:
    try:
        import pyarrow  # noqa: F401  # optional: pandas works without it
    except ImportError:
        raise NotThisFormat("pyarrow is not installed") from None

    _check(frame)
    sample = frame.iloc[:2]
    try:
        back, _ = _loaded(b"".join(arrow.dumped(_table(sample, notes))), PandasFrame.format)
    except CorruptArtifact as error:
        raise NotThisFormat(str(error)) from None
    if not _alike(sample, back):
        raise NotThisFormat("it would come back with other types or labels")
    return arrow.dumped(_table(frame, notes))


def _loaded(data: Buffer, format: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    table = arrow.loaded(data, format)
    with reading(format):
        return _restored(table)


def _check(frame: pd.DataFrame) -> None:
    """Raise `NotThisFormat` for what Arrow has no type for, or pandas no way back from."""
    import pandas as pd  # optional: here because the value is pandas'

    if frame.attrs or not frame.flags.allows_duplicate_labels:
        raise NotThisFormat("it has attrs or flags")
    columns: Any = frame.columns
    if not isinstance(columns, pd.RangeIndex) and not all(type(name) is str for name in columns):
        raise NotThisFormat("a column's label is not a str")
    if not columns.is_unique:
        raise NotThisFormat("two columns have the same label")
    for position in range(frame.shape[1]):
        _check_values(frame.iloc[:, position])
    index = frame.index
    if isinstance(index, pd.MultiIndex):
        if index.empty or any((codes < 0).any() for codes in index.codes):
            raise NotThisFormat("levels of the index are more than its values")
        if not all(level.is_monotonic_increasing for level in index.levels):
            raise NotThisFormat("a level of the index has an order of its own")
        for level in index.levels:
            _check_values(level)
    elif not isinstance(index, pd.RangeIndex):
        _check_values(index)


def _check_values(values: Any) -> None:
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: here because the value is pandas'

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        if dtype.categories.name is not None:
            raise NotThisFormat("categories have a name")
        _check_values(dtype.categories)
    elif isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            if not {str, type(None)}.issuperset(map(type, values)):
                raise NotThisFormat("there are objects other than str and None")
        elif dtype.kind not in "biufmM" or not dtype.isnative or dtype.itemsize > 8:
            raise NotThisFormat(f"{dtype} has no Arrow type")
    elif type(dtype) not in [getattr(pd, name) for name in EXTENSIONS]:
        raise NotThisFormat(f"{dtype} has no Arrow type")


def _table(frame: pd.DataFrame, notes: Mapping[str, Any]) -> pa.Table:
    """The frame as Arrow, with notes of what pandas' own metadata leaves out."""
    import pandas as pd  # optional: here because the value is pandas'
    import pyarrow as pa  # optional: `_dumped` has made sure of it

    kept = {**notes, "objects": [n for n, dtype in enumerate(frame.dtypes) if dtype == "object"]}
    # Arrow knows a zone by its name only: which class of zone that becomes is pyarrow's choice.
    zones = [_zone(dtype) for dtype in (*frame.dtypes, getattr(frame.index, "dtype", None))]
    kept["zones"] = [(n, zone) for n, zone in enumerate(zones) if zone]
    columns: Any = frame.columns
    index = frame.index
    if isinstance(columns, pd.RangeIndex):
        kept["columns"] = [columns.start, columns.stop, columns.step, columns.name]
        frame = frame.set_axis([str(label) for label in columns], axis=1)
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) and index.freq is not None:
        kept["freq"] = index.freq.freqstr
        if pd.tseries.frequencies.to_offset(index.freq.freqstr) != index.freq:
            raise NotThisFormat("the frequency of the index has no name")
    try:
        table = pa.Table.from_pandas(frame)
        return table.replace_schema_metadata({**table.schema.metadata, KEY: encode(kept)})
    except (pa.ArrowException, UnicodeEncodeError, NotPlain) as error:
        raise NotThisFormat(str(error)) from None


def _restored(table: pa.Table) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame, and the notes. Where pandas would use Arrow's read-only memory it is copied."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: the registry has made sure of it

    notes: dict[str, Any] = decode(table.schema.metadata[KEY])
    frame = table.to_pandas()
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.CategoricalDtype):
            frame.isetitem(position, frame.iloc[:, position].copy())
    for position in notes["objects"]:
        objects: np.ndarray[Any, Any] = table.column(position).to_numpy(zero_copy_only=False)
        column = pd.Series(objects.astype(object), index=frame.index, dtype=object)
        frame.isetitem(position, column)
    for position, name in notes["zones"]:
        zone = UTC if name == "utc" else ZoneInfo(name)
        if position < frame.shape[1]:
            frame.isetitem(position, frame.iloc[:, position].dt.tz_convert(zone))
        else:
            frame.index = frame.index.tz_convert(zone)
    if "columns" in notes:
        start, stop, step, name = notes["columns"]
        frame.columns = pd.RangeIndex(start, stop, step, name=name)
    if "freq" in notes:
        frame.index.freq = notes["freq"]
    return frame, notes


def _zone(dtype: Any) -> str | None:
    """ "utc" for `datetime.UTC`, the name of a `ZoneInfo`, or nothing."""
    zone = getattr(dtype, "tz", None)
    return "utc" if zone is UTC else zone.key if type(zone) is ZoneInfo else None


def _alike(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether types and labels are the same; `==` of pandas is too kind for that."""
    return (
        one.shape == other.shape
        and _same_index(one.columns, other.columns)
        and _same_index(one.index, other.index)
        and all(map(_same_dtype, one.dtypes, other.dtypes))
    )


def _same_index(one: Any, other: Any) -> bool:
    import pandas as pd  # optional: here because the value is pandas'

    if type(one) is not type(other) or not one.equals(other):
        return False
    names = [(type(name), name) for name in one.names]
    if names != [(type(name), name) for name in other.names]:
        return False
    if isinstance(one, pd.MultiIndex):
        return all(map(_same_dtype, one.dtypes, other.dtypes))
    same_freq = getattr(one, "freq", None) == getattr(other, "freq", None)
    return same_freq and _same_dtype(one.dtype, other.dtype)


def _same_dtype(one: Any, other: Any) -> bool:
    import pandas as pd  # optional: here because the value is pandas'

    if type(one) is not type(other) or one != other or repr(one) != repr(other):
        return False
    if isinstance(one, pd.CategoricalDtype) and isinstance(other, pd.CategoricalDtype):
        return one.ordered == other.ordered and _same_index(one.categories, other.categories)
    return type(getattr(one, "tz", None)) is type(getattr(other, "tz", None))
