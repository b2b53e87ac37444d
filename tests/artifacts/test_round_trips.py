"""There and back through a store: equal, to the last bit, and with nobody else's memory."""

from __future__ import annotations

import array
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from trips import checked

from penstock import LocalArtifactStore, Materializer, materializer
from penstock.artifacts.formats import registry
from penstock.artifacts.store import LARGE, Buffer
from penstock.artifacts.values import Code, Values


class Split(NamedTuple):
    train: Any
    test: Any


@dataclass
class Batch:
    rows: Any
    notes: Any = None


class Held:
    """An object with an array, for formats of its own."""

    def __init__(self, array: Any) -> None:
        self.array = array


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Values:
    return Values(LocalArtifactStore(path=str(tmp_path_factory.mktemp("store"))), lambda _: Code())


SIMPLE = (
    hnp.scalar_dtypes()
    | hnp.unicode_string_dtypes(max_len=5)
    | hnp.byte_string_dtypes(max_len=5)
    | st.sampled_from(["V5", "g", "G", "M8[25s]", "<m8", "S0", "U0"]).map(np.dtype)
)
DTYPES = SIMPLE | hnp.nested_dtypes(SIMPLE.filter(lambda dtype: dtype.itemsize), max_leaves=4)


@st.composite
def arrays(draw: Any) -> Any:
    """An array of any dtype, shape and order, with or without an object of its own in a store."""
    dtype, shape = draw(DTYPES), draw(hnp.array_shapes(min_dims=0, max_side=4, min_side=0))
    found = filled(dtype, shape, draw(st.binary(min_size=1, max_size=40)))
    if found.ndim and found.size and draw(st.booleans()):
        found = np.concatenate([found] * (6000 // max(found.nbytes, 1) + 1))
    found = found.transpose(draw(st.permutations(range(found.ndim))))
    steps = draw(st.lists(st.sampled_from([1, 1, -1, 2, -3]), max_size=found.ndim))
    found = found[(*(slice(None, None, step) for step in steps), ...)]
    if draw(st.booleans()):
        found = np.asarray(found, order="F")
    if draw(st.booleans()):
        found.flags.writeable = False
    return found


def filled(dtype: np.dtype[Any], shape: tuple[int, ...], noise: bytes) -> Any:
    """An array with all bits at chance, as far as its items can have any."""
    found = np.zeros(shape, dtype)
    if found.dtype.itemsize and found.size:
        some = np.resize(np.frombuffer(noise, "u1"), found.nbytes)
        some &= 1  # any byte is a bool, and any four are a character, only with such
        found.reshape(-1).view("u1")[...] = some
    return found


BYTES = (
    st.binary(max_size=30).map(lambda data: data * 300)
    | st.binary().map(bytearray)
    | st.binary().map(memoryview)
    | st.binary(min_size=8, max_size=8).map(lambda data: memoryview(bytearray(data * 99)).cast("d"))
    | st.lists(st.integers(-9, 9)).map(lambda numbers: array.array("q", numbers))
)
LEAVES = arrays() | BYTES | st.integers() | st.floats() | st.text(max_size=5)


def around(inner: Any) -> Any:
    return (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.builds(Split, inner, inner)
        | st.builds(Batch, inner, inner)
        | st.tuples(inner, inner)
        | st.builds(Held, inner)
    )


@settings(max_examples=150)
@given(value=arrays())
def test_every_array_comes_back_as_it_was(values: Values, value: Any) -> None:
    checked(values, value)


@given(value=BYTES)
def test_all_kinds_of_bytes_come_back_as_they_were(values: Values, value: Any) -> None:
    checked(values, value)


@given(value=st.recursive(LEAVES, around, max_leaves=5))
def test_what_holds_arrays_comes_back_as_it_was(values: Values, value: Any) -> None:
    checked(values, value)


OTHER_ORDER = ">" if sys.byteorder == "little" else "<"


@pytest.mark.parametrize("dtype", ["M8[Y]", "m8[s]", "g", "G", "f8", "U3"])
@pytest.mark.parametrize("shape", [(), (0,), (3,)], ids=str)
def test_a_small_array_inside_keeps_the_other_byte_order(
    values: Values, shape: tuple[int, ...], dtype: str
) -> None:
    value = filled(np.dtype(OTHER_ORDER + dtype), shape, b"\1")

    found = checked(values, Split(value, []))

    assert found.train.dtype.str == value.dtype.str


ROWS = np.random.default_rng(0).normal(size=(500, 400))


def estimator() -> Any:
    from sklearn import linear_model, pipeline, preprocessing

    steps = [preprocessing.StandardScaler(), linear_model.Ridge()]
    return pipeline.make_pipeline(*steps).fit(ROWS, ROWS @ np.ones((400, 700)))


def frame(rows: int) -> Any:
    return pd.DataFrame({"a": range(rows), "b": np.linspace(0, 1, rows)})


LARGE_ONES: dict[str, Callable[[], Any]] = {
    "array": lambda: ROWS,
    "F": lambda: np.asfortranarray(ROWS),
    "permuted": lambda: ROWS.reshape(20, 25, 400).transpose(2, 0, 1),
    "backwards": lambda: ROWS[::-1, ::-1],
    "rows with gaps": lambda: np.tile(ROWS[:20], (2, 30))[::2, :9000],
    "items with gaps": lambda: ROWS[:, ::2],
    "dates": lambda: ROWS.astype("M8[s]"),
    "bytes": ROWS.tobytes,
    "bytearray": lambda: bytearray(ROWS),
    "memoryview": lambda: memoryview(ROWS.copy()),
    "numbers": lambda: array.array("d", ROWS.flat),
    "dict": lambda: {"train": ROWS, "test": [ROWS.T, ROWS[::2].astype("M8[s]"), "a"]},
    "dataclass": lambda: Batch(ROWS, {"mask": np.ma.masked_array(ROWS, ROWS > 0)}),
    "estimator": estimator,
    "frame": lambda: frame(100_000),
    "frames": lambda: Split(frame(100_000), [frame(10)]),
}


@pytest.mark.parametrize("name", LARGE_ONES)
def test_what_is_mapped_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    values = Values(LocalArtifactStore(path=str(tmp_path)), lambda _: Code())

    checked(values, LARGE_ONES[name]())

    sizes = [file.stat().st_size for file in tmp_path.rglob("objects/*/*")]
    assert max(sizes) >= LARGE or name == "items with gaps"


class Planted(Materializer[Held]):
    """As it should be; the others have one defect each."""

    format: ClassVar[str] = "planted/1"
    folder: ClassVar[Path]

    def dump(self, value: Held) -> Sequence[Buffer]:
        return [memoryview(value.array).cast("B")]

    def load(self, data: Buffer) -> Held:
        return Held(np.frombuffer(data, "f8"))


class GivesWhatItTook(Planted):
    format: ClassVar[str] = "planted-taken/1"
    taken: ClassVar[list[Held]] = []

    def dump(self, value: Held) -> Sequence[Buffer]:
        self.taken.insert(len(self.taken) and 1, value)
        return super().dump(value)

    def load(self, data: Buffer) -> Held:
        return self.taken[0]


class GivesTheSameTwice(Planted):
    format: ClassVar[str] = "planted-same/1"
    given: ClassVar[dict[bytes, Held]] = {}

    def load(self, data: Buffer) -> Held:
        return self.given.setdefault(bytes(data), super().load(data))


class MapsTheFileItself(Planted):
    format: ClassVar[str] = "planted-file/1"

    def load(self, data: Buffer) -> Held:
        [file] = [each for each in self.folder.rglob("objects/*/*") if each.read_bytes() == data]
        with file.open("r+b") as opened:
            return Held(np.frombuffer(mmap(opened.fileno(), 0), "f8"))


class ChangesWhatItTakes(Planted):
    format: ClassVar[str] = "planted-changed/1"

    def dump(self, value: Held) -> Sequence[Buffer]:
        value.array[0] += 1
        return super().dump(value)


class LosesTheLastBit(Planted):
    format: ClassVar[str] = "planted-lost/1"

    def load(self, data: Buffer) -> Held:
        found = super().load(data)
        found.array.view("u1")[-1] ^= 1
        return found


class AddsTheTime(Planted):
    format: ClassVar[str] = "planted-time/1"

    def dump(self, value: Held) -> Sequence[Buffer]:
        return [*super().dump(value), os.urandom(8)]

    def load(self, data: Buffer) -> Held:
        return super().load(memoryview(data)[:-8])


PLANTED = {
    GivesWhatItTook: "memory is shared with the producer",
    GivesTheSameTwice: "memory is shared between two consumers",
    MapsTheFileItself: "a consumer's write reached",
    ChangesWhatItTakes: "saving changed the value",
    LosesTheLastBit: r"it\.array: ",
    AddsTheTime: "other digest",
}


@pytest.fixture
def own_formats() -> Iterator[None]:
    tables: Any = (registry._by_type, registry._by_format)
    before = [dict(table) for table in tables]
    yield
    for table, old in zip(tables, before, strict=True):
        table.clear()
        table.update(old)


@pytest.mark.usefixtures("own_formats")
@pytest.mark.parametrize("length", [1000, 200_000], ids=["read", "mapped"])
@pytest.mark.parametrize("kind", [Planted, *PLANTED])
def test_a_format_with_a_defect_is_caught(kind: type[Planted], length: int, tmp_path: Path) -> None:
    materializer(Held)(kind)
    Planted.folder = tmp_path
    GivesWhatItTook.taken.clear()
    GivesTheSameTwice.given.clear()
    values = Values(LocalArtifactStore(path=str(tmp_path)), lambda _: Code())
    value = Held(np.arange(length, dtype="f8"))

    if kind is Planted:
        checked(values, value)
    else:
        with pytest.raises(AssertionError, match=PLANTED[kind]):
            checked(values, value)
