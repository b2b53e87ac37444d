"""Bytes and views of memory, of whatever items."""

import array
import mmap
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from there_and_back import back, dumped, loaded

from penstock.artifacts.formats.bytes import Bytes, ShapedView
from penstock.artifacts.formats.views import ITEMS
from penstock.errors import CorruptArtifact, UnsupportedValue

NUMBERS = array.array("d", range(12))


def looks(view: memoryview) -> Any:
    return type(view), view.format, view.shape, view.readonly, view.tobytes()


@pytest.mark.parametrize("format", ITEMS)
def test_a_view_of_any_items_comes_back(format: str) -> None:
    view = memoryview(bytearray(range(48))).cast(format)  # type: ignore[call-overload]

    id, found = back(view)

    assert id == ("memoryview/1" if format == "B" else "memoryview-shaped/1")
    assert looks(found) == looks(view)


@pytest.mark.parametrize(
    "view",
    [
        memoryview(NUMBERS).cast("B").cast("d", (2, 3, 2)),
        memoryview(NUMBERS).toreadonly(),
        memoryview(bytes(8)).cast("d", ()),
        memoryview(array.array("d")),
        memoryview(bytearray(range(9)))[::2],
        memoryview(bytes(range(9)))[::-1],
        memoryview(np.asfortranarray(np.arange(6).reshape(2, 3))),
        memoryview(np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[::2]),
    ],
    ids=["shaped", "read-only", "0-d", "empty", "gaps", "backwards", "F", "permuted"],
)
def test_a_view_of_any_shape_and_order_comes_back(view: memoryview) -> None:
    id, found = back(view)

    assert id == "memoryview-shaped/1"
    if view.readonly:
        assert looks(found) == looks(view)
    else:
        assert looks(found.toreadonly()) == looks(view.toreadonly())
        assert not found.readonly


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (memoryview(bytes(8)).cast("P"), "its items are of the format 'P'"),
        (memoryview(np.zeros(2, ">f8")), "its items are of the format '>d'"),
        (memoryview(np.zeros(2, [("a", "i4")])), "its items are of the format 'T{i:a:}'"),
        (memoryview(np.zeros((0, 3))), r"its shape (0, 3) has no items"),
    ],
    ids=["addresses", "big-endian", "structure", "nothing"],
)
def test_a_view_that_could_not_be_made_again_is_refused(view: memoryview, why: str) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        dumped(view)

    assert caught.value.message == f"No format takes this memoryview: {why}."
    assert caught.value.hint == "Return numpy.asarray(view), or view.tobytes()."


def test_a_view_is_not_copied() -> None:
    view = memoryview(NUMBERS).cast("B").cast("d", (3, 4))

    _, memory = ShapedView(None).dump(view)
    id, data = dumped(view)

    assert np.shares_memory(np.frombuffer(memory, "u1"), np.frombuffer(NUMBERS, "u1"))
    assert np.shares_memory(np.frombuffer(data, "u1"), np.asarray(loaded(id, data)))


def test_the_items_of_a_view_begin_at_a_multiple_of_64() -> None:
    for shape in [(12,), (2, 3, 2), (1,) * 40 + (12,)]:
        head, _ = ShapedView(None).dump(memoryview(NUMBERS).cast("B").cast("d", shape))
        assert len(memoryview(head)) % 64 == 0


@given(st.binary(max_size=200))
def test_what_is_no_view_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptArtifact):
        loaded("memoryview-shaped/1", bytearray(data))


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (f'[false,"d",4,"{sys.byteorder}",[1]]', UnsupportedValue),
        ('[false,"d",8,"middle",[1]]', UnsupportedValue),
        (f'[false,"d",8,"{sys.byteorder}",[2]]', CorruptArtifact),
        (f'[false,"P",8,"{sys.byteorder}",[1]]', CorruptArtifact),
    ],
)
def test_a_view_for_another_machine_is_refused(head: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        loaded("memoryview-shaped/1", bytearray(head.encode() + b"\n" + bytes(8)))


def test_bytes_are_copied_once_from_memory_that_is_not_theirs() -> None:
    value = bytes(range(256))

    [memory] = Bytes(None).dump(value)

    assert memory is value
    assert loaded("bytes/1", memoryview(bytearray(value))) == value


def test_a_mapping_is_refused_by_name() -> None:
    with mmap.mmap(-1, 10) as mapping, pytest.raises(UnsupportedValue, match=r"'mmap\.mmap'"):
        dumped(mapping)


def test_a_very_large_number_comes_back() -> None:
    assert back(-(3**100_000)) == ("json/1", -(3**100_000))
