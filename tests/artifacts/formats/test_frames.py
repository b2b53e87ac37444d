import datetime as dt
import decimal
import math
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes
from same_frames import check
from there_and_back import back, dumped, loaded

N = 8
INSTANT = dt.datetime(2020, 1, 1)  # noqa: DTZ001  # polars keeps these apart


def objects(values: Any) -> Any:
    """A column of objects, whatever pandas would make of them."""
    return pd.Series(list(values), dtype=object)


# Columns that must be Arrow, and come back equal to the bit.
KEPT: dict[str, Any] = {
    "int": np.arange(N),
    **{kind: np.arange(N).astype(kind) for kind in ("i1", "u1", "i2", "u4", "u8", "f2", "f4")},
    "float": [0.1, math.nan, math.inf, -math.inf, -0.0, 1e300, 5e-324, 3.0],
    "bool": [True, False] * 4,
    "datetime": pd.to_datetime(["2020-01-01 12:00:00.123456", None] * 4),
    **{f"datetime[{unit}]": np.arange(N).astype(f"M8[{unit}]") for unit in ("s", "ms", "us", "ns")},
    **{f"timedelta[{unit}]": np.arange(N).astype(f"m8[{unit}]") for unit in ("s", "ms", "us")},
    "utc": pd.date_range("2020", periods=N, tz="UTC"),
    "category": pd.Categorical(["a", "b", None, "a"] * 2, categories=["b", "a", "unused"]),
    "ordered": pd.Categorical(["a", "b"] * 4, categories=["b", "a"], ordered=True),
    "numbered": pd.Categorical([3, 1, 2, 1] * 2, categories=[3, 2, 1]),
    "timed": pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01"] * 4)),
    "Int64": pd.array([1, None] * 4, dtype="Int64"),
    "UInt8": pd.array([1, None] * 4, dtype="UInt8"),
    "Float32": pd.array([1.5, None] * 4, dtype="Float32"),
    "boolean": pd.array([True, None] * 4, dtype="boolean"),
    "str": ["x", "é😀", "", "long text that is not inlined"] * 2,
    "objects": objects(["x", None] * 4),
    "nones": objects([None] * N),
    "arrow ints": pd.array(np.arange(N), dtype="int64[pyarrow]"),
}

# Columns that may be pickled, but must not change.
NASTY: dict[str, Any] = {
    "mixed": objects(["x", None, math.nan, "y"] * 2),
    "ints in objects": objects(range(N)),
    "lists": objects([[1], [2, 3], [], [4]] * 2),
    "decimals": objects([decimal.Decimal("1.10")] * N),
    "dates": objects([dt.date(2020, 1, 1)] * N),
    "bytes": objects([b"x"] * N),
    "strs of numpy": objects([np.str_("x")] * N),
    "surrogates": objects(["\udcff"] * N),
    "complex": np.arange(N) * 1j,
    "period": pd.period_range("2020", periods=N, freq="M"),
    "interval": pd.interval_range(0, N),
    "sparse": pd.arrays.SparseArray([0, 1] * 4),
    "zone": pd.date_range("2020", periods=N, tz="Europe/Berlin"),
    "zoneinfo": pd.date_range("2020", periods=N, tz=ZoneInfo("Europe/Berlin")),
    "offset": pd.date_range("2020", periods=N, tz=dt.timezone(dt.timedelta(hours=2))),
    "string": pd.array(["x", None] * 4, dtype="string"),
    "string[python]": pd.array(["x", None] * 4, dtype="string[python]"),
    "string[pyarrow]": pd.array(["x", None] * 4, dtype="string[pyarrow]"),
    "arrow strings": pd.array(["x", None] * 4, dtype="string[pyarrow]").astype(
        pd.ArrowDtype(pa.string())
    ),
    "arrow times": pd.array([1, None] * 4, dtype="timestamp[us, tz=UTC][pyarrow]"),
    "arrow lists": pd.array([[1], None] * 4, dtype=pd.ArrowDtype(pa.list_(pa.int8()))),
    "categories of periods": pd.Categorical(pd.period_range("2020", periods=N, freq="D")),
    "mixed categories": pd.Categorical(np.array(["a", 1] * 4, dtype=object)),
    "big-endian": np.arange(N).astype(">i4"),
    "timedelta[ns]": pd.to_timedelta(np.arange(N), unit="h"),
}

INDEXES: dict[str, Any] = {
    "range": pd.RangeIndex(N),
    "steps": pd.RangeIndex(5, 5 + 3 * N, 3, name="n"),
    "backwards": pd.RangeIndex(N, 0, -1),
    "ints": pd.Index([3, 1, 2, 2, 5, 6, 7, 8], name="id"),
    "floats": pd.Index(np.linspace(0, 1, N)),
    "strings": pd.Index(list("abcdefgh"), name="letter"),
    "objects": pd.Index(np.array(list("abcdefgh"), dtype=object)),
    "mixed": pd.Index(np.array(["a", 1, None, 2.5, "b", "c", "d", "e"], dtype=object)),
    "days": pd.date_range("2020-03-28", periods=N, freq="D", name="day"),
    "zoned days": pd.date_range("2020-03-28", periods=N, freq="D", tz="Europe/Berlin"),
    "business days": pd.bdate_range("2020", periods=N),
    "custom days": pd.bdate_range("2020", periods=N, freq="C", holidays=["2020-01-02"]),
    "no frequency": pd.DatetimeIndex(["2020-01-01", "2020-01-05"] * 4),
    "timedeltas": pd.timedelta_range("1h", periods=N, freq="h"),
    "periods": pd.period_range("2020", periods=N, freq="M"),
    "category": pd.CategoricalIndex(list("abcabcab"), categories=["c", "b", "a", "z"]),
    "name is a number": pd.Index(range(10, 10 + N), name=7),
    "name is a tuple": pd.Index(range(10, 10 + N), name=("a", 1)),
    "name of the column": pd.Index(range(10, 10 + N), name="v"),
    "levels": pd.MultiIndex.from_product([["a", "b"], range(4)], names=["x", None]),
    "own order": pd.MultiIndex(
        levels=[["b", "a"], [1, 0]], codes=[[0, 1] * 4, [0, 0, 1, 1] * 2], names=["x", "y"]
    ),
    "gaps": pd.MultiIndex.from_arrays([[1] * (N - 1) + [None], range(N)]),
    "category level": pd.MultiIndex.from_arrays([pd.Categorical(list("abababab")), range(N)]),
}


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("rows", [N, 0, 1])
def test_a_frame_of_such_a_column_is_arrow(name: str, rows: int) -> None:
    frame = pd.DataFrame({"v": KEPT[name], "other": np.arange(N)}).iloc[:rows]

    id, found = back(frame)

    assert id == "pandas-arrow/2"
    check(frame, found)


@pytest.mark.parametrize("name", [*KEPT, *NASTY])
@pytest.mark.parametrize("rows", [N, 0])
def test_no_column_changes(name: str, rows: int) -> None:
    frame = pd.DataFrame({"v": {**KEPT, **NASTY}[name]}).iloc[:rows]

    check(frame, back(frame)[1])
    check(frame["v"], back(frame["v"])[1])


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("rows", [N, 0, 3])
def test_no_index_changes(name: str, rows: int) -> None:
    frame = pd.DataFrame({"v": np.arange(N)}, index=INDEXES[name]).iloc[:rows]

    check(frame, back(frame)[1], exact="equiv")
    check(frame["v"], back(frame["v"])[1], exact="equiv")


PICKLED = {"mixed", "custom days", "periods", "category level"}


@pytest.mark.parametrize("name", sorted(INDEXES.keys() - PICKLED))
def test_a_frame_with_such_an_index_is_arrow(name: str) -> None:
    assert dumped(pd.DataFrame({"v": np.arange(N)}, index=INDEXES[name]))[0] == "pandas-arrow/2"


@pytest.mark.parametrize("name", ["own order", "gaps"])
def test_levels_keep_their_order_and_what_is_missing(name: str) -> None:
    frame = pd.DataFrame({"v": np.arange(N)}, index=INDEXES[name])

    found: Any = back(frame)[1].index

    for one, other in zip(found.levels, INDEXES[name].levels, strict=True):
        pd.testing.assert_index_equal(one, other, exact="equiv")
    assert [codes.tolist() for codes in found.codes] == [
        codes.tolist() for codes in INDEXES[name].codes
    ]


def attributed() -> pd.DataFrame:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = {"m": object}
    return frame


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame(index=range(5)),
        pd.DataFrame(columns=["a", "b"]),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=["a", 1]),
        pd.DataFrame([[1, 2]], columns=[1, 2]),
        pd.DataFrame([[1, 2]], columns=pd.RangeIndex(4, 8, 2, name="k")),
        pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="k")),
        pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name=3)),
        pd.DataFrame([[1, 2]], columns=np.array(["a", "b"], dtype=object)),
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])),
        pd.DataFrame([[1, 2]], columns=pd.CategoricalIndex(["a", "b"])),
        pd.DataFrame([[1, 2]], columns=pd.date_range("2020", periods=2)),
        pd.DataFrame([[1, 2]], columns=["__index_level_0__", ""], index=[7]),
        pd.DataFrame([[1, 2]]).set_flags(allows_duplicate_labels=False),
        attributed(),
    ],
    ids=str,
)
def test_no_frame_changes(frame: pd.DataFrame) -> None:
    check(frame, back(frame)[1])


@settings(max_examples=50, deadline=None)
@given(
    data_frames(
        [
            column("i", dtype=int),
            column("f", dtype=float),
            column("b", dtype=bool),
            column("s", elements=st.text(st.characters(exclude_categories=["Cs"]))),
            column("t", dtype="datetime64[ns]"),
        ],
        index=range_indexes(max_size=5),
    )
)
def test_frames_of_any_values_come_back(frame: pd.DataFrame) -> None:
    check(frame, back(frame)[1])


@pytest.mark.parametrize("name", [None, "v", 3, ("a", 1), "values", 1.5])
def test_a_series_keeps_its_name(name: Any) -> None:
    series = pd.Series([1, 2], name=name)

    id, found = back(series)

    assert id == "pandas-series-arrow/2"
    check(series, found)


class Sheet(pd.DataFrame):
    pass


def test_a_subclass_of_frames_is_pickled() -> None:
    id, found = back(Sheet({"a": [1]}))

    assert (id, type(found)) == ("pickle/1", Sheet)


@pytest.mark.parametrize("name", KEPT)
def test_a_consumer_writes_to_its_own_frame(name: str) -> None:
    frame = pd.DataFrame({"v": KEPT[name], "other": np.arange(N)})
    kept = frame.copy(deep=True)
    id, data = dumped(frame)
    found, again = loaded(id, bytearray(data)), loaded(id, bytearray(data))

    found.loc[0, "v"] = found.loc[1, "v"]
    found["v"].array[2] = found["v"].array[3]
    found.loc[0, "other"] = 99

    check(kept, frame)
    check(kept, again)


@pytest.mark.parametrize("value", [pd.DataFrame({"v": [1]}), pl.DataFrame({"v": [1]})])
def test_arrow_opens_the_bytes(value: Any) -> None:
    _, data = dumped(value)

    assert pa.ipc.open_file(data).read_all().column("v").to_pylist() == [1]


def test_dumping_a_frame_copies_no_column_of_numbers() -> None:
    from penstock.artifacts.formats.pandas import PandasFrame

    frame = pd.DataFrame({"v": np.arange(10_000)})
    address = frame["v"].to_numpy().ctypes.data

    buffers = PandasFrame(None).dump(frame)

    views = [np.frombuffer(item, "u1") for item in buffers if len(memoryview(item)) > 0]
    assert address in [view.ctypes.data for view in views]


TABLES = {
    "columns": pa.table({"a": [1, None], "s": ["x", "é"], "l": [[1], None]}),
    "empty": pa.table({"a": pa.array([], pa.int8())}),
    "no columns": pa.table({}),
    "metadata": pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    "slice": pa.table({"a": list(range(100)), "s": list(map(str, range(100)))}).slice(50, 3),
    "dictionaries": pa.concat_tables(
        [
            pa.table({"d": pa.array(["a", "b"]).dictionary_encode()}),
            pa.table({"d": pa.array(["c", "a"]).dictionary_encode()}),
        ]
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_comes_back(name: str) -> None:
    table = TABLES[name]

    id, found = back(table)

    assert id == "arrow/1"
    assert found.to_pylist() == table.to_pylist()
    assert found.schema.equals(table.schema, check_metadata=True)


class Metre(pa.ExtensionType):  # type: ignore[misc] # pyarrow has no types
    def __init__(self) -> None:
        super().__init__(pa.int64(), "test.metre")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, serialized: bytes) -> "Metre":
        return cls()


def test_a_table_with_foreign_extension_types_is_pickled() -> None:
    storage = pa.array([1, 2])
    table = pa.table({"m": pa.ExtensionArray.from_storage(Metre(), storage)})

    assert dumped(table)[0] in ("pickle/1", "cloudpickle/1")


POLARS: dict[str, Any] = {
    "ints": pl.Series([1, None, 3]),
    "small": pl.Series([1, 2, 3], dtype=pl.UInt8),
    "floats": pl.Series([math.nan, None, -0.0]),
    "strings": pl.Series(["x", None, "a string that is longer"]),
    "bytes": pl.Series([b"x", b"", None]),
    "bools": pl.Series([True, None, False]),
    "categories": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
    "enum": pl.Series(["u", "v", "u"], dtype=pl.Enum(["v", "unused", "u"])),
    "times": pl.Series([INSTANT] * 3, dtype=pl.Datetime("ms")),
    "zoned": pl.Series([INSTANT] * 3).dt.replace_time_zone("Europe/Berlin"),
    "dates": pl.Series([dt.date(2020, 1, 1), None, None]),
    "clock": pl.Series([dt.time(1, 2, 3)] * 3),
    "durations": pl.Series([dt.timedelta(1)] * 3),
    "decimals": pl.Series([decimal.Decimal("1.20")] * 3),
    "lists": pl.Series([[1], [], None]),
    "arrays": pl.Series([[1, 2]] * 3, dtype=pl.Array(pl.Int8, 2)),
    "structs": pl.Series([{"x": 1}, {"x": 2}, None]),
    "nulls": pl.Series([None, None, None]),
}


@pytest.mark.parametrize("name", POLARS)
@pytest.mark.parametrize("rows", [3, 0])
def test_polars_comes_back(name: str, rows: int) -> None:
    frame = pl.DataFrame({"v": POLARS[name]}).head(rows)

    id, found = back(frame)
    series_id, series = back(frame["v"])

    assert (id, series_id) == ("polars-arrow/1", "polars-series-arrow/1")
    assert found.schema == frame.schema
    assert found.equals(frame)
    assert (series.name, series.dtype) == ("v", frame["v"].dtype)
    assert series.equals(frame["v"])


def test_a_polars_frame_of_objects_is_not_arrow() -> None:
    from penstock.artifacts.formats.polars import PolarsFrame
    from penstock.artifacts.materializer import NotThisFormat

    with pytest.raises(NotThisFormat):
        PolarsFrame(None).dump(pl.DataFrame({"o": [object()]}))


def test_a_polars_consumer_writes_to_its_own_frame() -> None:
    frame = pl.DataFrame({"v": [1, 2, 3]})
    id, data = dumped(frame)
    found, again = loaded(id, bytearray(data)), loaded(id, bytearray(data))

    found[0, "v"] = 9

    assert frame["v"].to_list() == again["v"].to_list() == [1, 2, 3]


def test_an_empty_polars_frame_comes_back() -> None:
    assert back(pl.DataFrame())[1].equals(pl.DataFrame())
