"""A frame is made of memory that is there: the producer's when it is stored, the file's when it is
loaded, and of that only what is asked for."""

import gc
import mmap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from penstock.artifacts.formats.pandas import PandasFrame

ROWS = 1 << 17
COLUMN = 8 * ROWS
"""Bytes of a column of numbers."""
SLACK = COLUMN // 2
"""Bytes around a column that the system may map with it, and what all of pandas needs."""


@cache
def large() -> pd.DataFrame:
    """A column of every kind that is not copied."""
    numbers = np.arange(ROWS)
    return pd.DataFrame(
        {
            "int": numbers,
            "float": numbers / 3,
            "other": numbers / 7,
            "time": numbers.view("M8[us]"),
            "zoned": pd.array(numbers, dtype=pd.DatetimeTZDtype("us", "Europe/Berlin")),
            "span": numbers.view("m8[ms]"),
            "category": pd.Categorical.from_codes(numbers % 300, categories=range(300)),
            "text": pd.array(np.char.mod("%012d", numbers).astype(object), dtype="string[pyarrow]"),
            "nullable": pd.array(numbers, dtype="Int64"),
            "arrow": pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(numbers)])),
        },
        index=pd.date_range("2020", periods=ROWS, freq="s"),
    )


NUMBERS = ["int", "float", "other", "time", "span"]
NAMES = [*NUMBERS, "zoned", "category", "text", "nullable", "arrow"]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("frames") / "frame.arrow"
    with file.open("wb") as out:
        out.writelines(PandasFrame(None).dump(large()))
    return file


def mapped(file: Path) -> mmap.mmap:
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)


def resident(data: mmap.mmap) -> int:
    """Bytes of a mapping that this process has touched."""
    begin = np.frombuffer(data, np.uint8).ctypes.data
    size, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        word, *rest = line.split()
        if not word.endswith(":"):
            inside = begin <= int(word.partition("-")[0], 16) < begin + len(data)
        elif word == "Rss:" and inside:
            size += 1024 * int(rest[0])
    return size


def trusting(data: Any) -> pd.DataFrame:
    format = PandasFrame(None)
    format.trusted = True
    return format.load(data)


def copying(data: Any) -> pd.DataFrame:
    """A format that copies all of it."""
    return trusting(bytearray(data))


Load = Callable[[Any], pd.DataFrame]


def loading_touches(load: Load, file: Path) -> int:
    data = mapped(file)
    frame = load(data)
    touched = resident(data)
    assert frame.shape == (ROWS, 10)
    return touched


def test_loading_a_signed_frame_touches_no_column(stored: Path) -> None:
    assert loading_touches(trusting, stored) < SLACK


def test_a_format_that_copies_is_found_out(stored: Path) -> None:
    assert loading_touches(copying, stored) > 8 * COLUMN


@pytest.mark.parametrize("name", NAMES)
def test_reading_a_column_touches_that_column_only(stored: Path, name: str) -> None:
    data = mapped(stored)
    column = trusting(data)[name]

    assert (column == column.iloc[-1]).any()

    size = {"category": COLUMN // 4, "text": COLUMN + 12 * ROWS}.get(name, COLUMN)
    assert size - SLACK // 4 <= resident(data) < size + SLACK


@pytest.mark.parametrize("name", [*NUMBERS, "zoned", "category", "nullable"])
def test_a_column_is_writable_memory_of_the_mapping(stored: Path, name: str) -> None:
    data = mapped(stored)
    view = np.frombuffer(data, np.uint8)
    frame = trusting(data)
    before = view.copy()

    frame.iloc[0, frame.columns.get_loc(name)] = frame[name].iloc[5]

    assert (before != view).any()
    assert not (before != np.frombuffer(mapped(stored), np.uint8)).any()


def test_columns_of_one_type_are_one_block(stored: Path) -> None:
    """As pandas has it: it warns of a frame with many when a column is added."""
    wide = pd.DataFrame(np.ones((10, 300), order="F"))
    data = bytearray(b"".join(PandasFrame(None).dump(wide)))
    found = trusting(data)

    found["one more"] = 1

    assert np.shares_memory(found[0].to_numpy(), np.frombuffer(data, np.uint8))
    assert np.shares_memory(found[299].to_numpy(), np.frombuffer(data, np.uint8))


def addresses(buffers: Any) -> list[int]:
    filled = [buffer for buffer in buffers if memoryview(buffer)]
    return [np.frombuffer(buffer, np.uint8).ctypes.data for buffer in filled]


@pytest.mark.parametrize("name", NAMES)
def test_storing_a_frame_copies_no_column(name: str) -> None:
    column = large()[name]
    array: Any = column.array
    buffers = PandasFrame(None).dump(column.to_frame())

    if name in ("text", "arrow"):
        [chunk] = array.__arrow_array__().chunks
        begin = chunk.buffers()[-1].address
    elif name == "nullable":
        begin = array.__arrow_array__().buffers()[-1].address
    elif name == "category":
        begin = array.codes.ctypes.data
    else:
        begin = (array if name == "zoned" else column.to_numpy()).view("i8").ctypes.data
    assert begin in addresses(buffers)


def test_the_memory_of_a_frame_is_not_held_when_it_is_forgotten(stored: Path) -> None:
    data = mapped(stored)
    frame = trusting(data)
    with pytest.raises(BufferError):
        data.close()

    del frame
    gc.collect()

    data.close()
