"""A frame's file that nobody signed may say anything: it is corrupt, or it is a frame."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from there_and_back import dumped, loaded

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.frames.batch import KEY
from penstock.artifacts.formats.pandas import PandasFrame
from penstock.errors import CorruptArtifact, MissingExtra, UnsupportedValue
from penstock.model.plain import decode, encode

N = 6
FRAME = pd.DataFrame(
    {
        "number": np.arange(N),
        "flag": [True, False] * 3,
        "zoned": pd.date_range("2020", periods=N, tz="Europe/Berlin"),
        "category": pd.Categorical(["a", "b", None] * 2),
        "text": pd.array(list("abcdef"), dtype="string[pyarrow]"),
        "nullable": pd.array([1, None] * 3, dtype="Int64"),
    },
    index=pd.MultiIndex.from_product([["x", "y"], range(3)]),
)


def batch_of(frame: pd.DataFrame) -> pa.RecordBatch:
    return pa.ipc.open_file(dumped(frame)[1]).get_batch(0)


def load(batch: pa.RecordBatch) -> Any:
    return loaded("pandas-arrow/2", bytearray(b"".join(arrow.dumped(batch))))


def renoted(change: Callable[[dict[str, Any]], object], frame: pd.DataFrame = FRAME) -> Any:
    """What is loaded when the notes say something else."""
    batch = batch_of(frame)
    notes = decode(batch.schema.metadata[KEY])
    change(notes)
    told = {**batch.schema.metadata, KEY: encode(notes)}
    return load(batch.replace_schema_metadata(told))


def replaced(position: int, array: pa.Array) -> Any:
    """What is loaded when a column is another one."""
    batch = batch_of(FRAME)
    columns = [*batch.columns]
    columns[position] = array
    fields = [field.with_type(each.type) for field, each in zip(batch.schema, columns, strict=True)]
    schema = pa.schema(fields, batch.schema.metadata)
    return load(pa.RecordBatch.from_arrays(columns, schema=schema))


def test_what_is_not_changed_is_loaded() -> None:
    pd.testing.assert_frame_equal(renoted(lambda notes: None), FRAME)


INDEX = ["index", ["numpy"], None, None, None]
CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no kinds": lambda notes: notes.pop("columns"),
    "fewer kinds": lambda notes: notes["columns"].pop(),
    "more kinds": lambda notes: notes["columns"].append(["numpy"]),
    "no kind": lambda notes: notes["columns"].__setitem__(0, []),
    "an unknown kind": lambda notes: notes["columns"].__setitem__(0, ["__init__"]),
    "text as numbers": lambda notes: notes["columns"].__setitem__(4, ["numpy"]),
    "text as instants": lambda notes: notes["columns"].__setitem__(4, ["zoned", ["utc"]]),
    "numbers as text": lambda notes: notes["columns"].__setitem__(0, ["string", "pyarrow", "NA"]),
    "numbers as categories": lambda notes: notes["columns"].__setitem__(0, ["category", INDEX]),
    "categories as numbers": lambda notes: notes["columns"].__setitem__(3, ["numpy"]),
    "a storage of its own": lambda notes: notes["columns"][4].__setitem__(1, "os"),
    "a zone above": lambda notes: notes["columns"][2].__setitem__(1, ["zoneinfo", "../../x"]),
    "no zone": lambda notes: notes["columns"][2].__setitem__(1, ["nowhere"]),
    "no index": lambda notes: notes.pop("rows"),
    "an unknown index": lambda notes: notes.__setitem__("rows", ["rows"]),
    "a range too long": lambda notes: notes.__setitem__("rows", ["range", 0, 2**62, 1, None]),
    "a range without steps": lambda notes: notes.__setitem__("rows", ["range", 0, 6, 0, None]),
    "too many levels": lambda notes: notes["rows"].__setitem__(1, [None] * 99),
    "no labels": lambda notes: notes.pop("labels"),
    "fewer labels": lambda notes: notes["labels"][2].pop(),
    "labels of a type of its own": lambda notes: notes["labels"].__setitem__(0, "os"),
    "labels of numbers": lambda notes: notes.__setitem__("labels", ["numpy", "int64", ["x"], None]),
    "attrs that are none": lambda notes: notes.__setitem__("attrs", 7),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_notes_that_are_wrong_are_corrupt(name: str) -> None:
    with pytest.raises(CorruptArtifact):
        renoted(CHANGES[name])


def test_a_zone_that_is_not_known_is_said_to_be() -> None:
    with pytest.raises(UnsupportedValue, match="time zone 'Nowhere/Atall', which is not known"):
        renoted(lambda notes: notes["columns"][2].__setitem__(1, ["zoneinfo", "Nowhere/Atall"]))


def test_pandas_that_lacks_a_zone_of_pytz_says_so() -> None:
    with pytest.raises((MissingExtra, UnsupportedValue), match="'Nowhere/Atall'"):
        renoted(lambda notes: notes["columns"][2].__setitem__(1, ["pytz", "Nowhere/Atall"]))


def dictionary(codes: list[int], missing: list[bool]) -> pa.Array:
    """With codes that Arrow itself would refuse to make, or does not look at under a null."""
    bitmap = pa.py_buffer(np.packbits(~np.array(missing), bitorder="little"))
    numbers = pa.py_buffer(np.array(codes, "i1"))
    indices = pa.Array.from_buffers(pa.int8(), len(codes), [bitmap, numbers])
    return pa.DictionaryArray.from_arrays(indices, pa.array(["a", "b"], "large_string"), safe=False)


@pytest.mark.parametrize("position", [3, 6])
@pytest.mark.parametrize("code", [2, 100, -1, -2, -128])
@pytest.mark.parametrize("missing", [True, False])
def test_codes_without_a_category_are_corrupt(position: int, code: int, missing: bool) -> None:
    """Of a column, and of a level: pandas would follow them out of its memory."""
    codes, gaps = [0, 0, 0, 1, 1, code], [False] * 5 + [missing]
    if code == -1 and missing:
        replaced(position, dictionary(codes, gaps))
        return
    with pytest.raises(CorruptArtifact):
        replaced(position, dictionary(codes, gaps))


@pytest.mark.parametrize("ends", [[0, 1, 2, 3, 4, 5, 9999], [0, 5, 1, 2, 3, 4, 6], [-9] * 7])
def test_text_outside_of_the_file_is_corrupt(ends: list[int]) -> None:
    data = bytes(dumped(FRAME)[1])
    true = np.arange(7).tobytes()
    assert data.count(true) == 1
    bad = data.replace(true, np.array(ends, "i8").tobytes())

    with pytest.raises(CorruptArtifact):
        loaded("pandas-arrow/2", bytearray(bad))


def test_a_frequency_that_the_index_has_not_is_corrupt() -> None:
    frame = FRAME.set_index(pd.DatetimeIndex(["2020-01-01", "2020-01-05"] * 3))
    with pytest.raises(CorruptArtifact):
        renoted(lambda notes: notes["columns"][6].__setitem__(4, "D"), frame)


def test_a_column_shorter_than_it_says_is_corrupt() -> None:
    """Also in a signed file, where Arrow is not asked: numpy looks at nothing outside of it."""
    buffers = [None, pa.py_buffer(np.arange(2))]
    short = pa.RecordBatch.from_arrays([pa.Array.from_buffers(pa.int64(), 2, buffers)], ["number"])
    told = batch_of(FRAME[["number"]].reset_index(drop=True)).schema.metadata
    data = b"".join(arrow.dumped(short.replace_schema_metadata(told)))
    format = PandasFrame(None)
    format.trusted = True

    with pytest.raises(CorruptArtifact):
        format.load(bytearray(data))


def test_a_file_of_several_batches_is_corrupt() -> None:
    batch = batch_of(FRAME)
    with pytest.raises(CorruptArtifact, match="not one batch"):
        loaded(
            "pandas-arrow/2",
            bytearray(b"".join(arrow.dumped(pa.Table.from_batches([batch, batch])))),
        )
