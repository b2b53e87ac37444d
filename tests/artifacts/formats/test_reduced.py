"""What lies inside of other values: its memory is beside the pickle's stream, and not in it."""

import array
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
from there_and_back import back, dumped, loaded

from penstock.artifacts.formats.pickle import Pickle, _ByName
from penstock.artifacts.formats.reduced_plain import arrayed
from penstock.errors import UnsupportedValue

with warnings.catch_warnings():
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    MATRIX = np.matrix(np.arange(9000.0).reshape(100, 90))

CUBE = np.arange(24_000.0).reshape(20, 30, 40)


class Tagged(np.ndarray[Any, Any]):
    pass


class Measured(np.ndarray[Any, Any]):
    """A subclass that says itself how it is pickled."""

    unit = ""

    def __reduce__(self) -> Any:
        function, arguments, state = super().__reduce__()
        return function, arguments, (self.unit, state)

    def __setstate__(self, state: Any) -> None:
        self.unit, rest = state
        super().__setstate__(rest)


def memmap(tmp_path: Any) -> Any:
    mapped = np.memmap(tmp_path / "a", "<i4", "w+", shape=(50, 60))
    mapped[:] = 5
    return mapped


def with_hard_mask() -> Any:
    found = np.ma.masked_array(CUBE, CUBE > 5, hard_mask=True)
    found.fill_value = 7
    return found


ARRAYS: dict[str, Any] = {
    "C": lambda _: CUBE,
    "F": lambda _: np.asfortranarray(CUBE),
    "permuted": lambda _: CUBE.transpose(2, 0, 1),
    "backwards": lambda _: CUBE[::-1],
    "dates": lambda _: CUBE.astype("M8[s]"),
    "dates in another order": lambda _: CUBE.astype("m8[ns]").transpose(1, 0, 2),
    "dates in a structure": lambda _: np.zeros(900, [("a", "M8[s]"), ("b", "i1")]),
    "padded": lambda _: np.zeros(900, np.dtype([("a", "i1"), ("b", "i8")], align=True)),
    "metadata": lambda _: np.zeros(900, np.dtype("M8[s]", metadata={"unit": "m"})),
    "big-endian": lambda _: CUBE.astype(">f8"),
    "half": lambda _: CUBE.astype("f2"),
    "long": lambda _: CUBE.astype("g"),
    "text": lambda _: np.full(2000, "a\0b\0", "U5"),
    "raw": lambda _: np.zeros(2000, "V7"),
    "matrix": lambda _: MATRIX,
    "matrix turned": lambda _: MATRIX.T[::-1],
    "records": lambda _: np.rec.array(np.zeros(1000, [("a", "i4"), ("b", "f8")])),
    "mapped": memmap,
    "subclass": lambda _: CUBE.view(Tagged),
    "masked": lambda _: np.ma.masked_array(CUBE, CUBE > 5),
    "masked in another order": lambda _: np.ma.masked_array(CUBE, CUBE > 5).transpose(1, 2, 0),
    "without a mask": lambda _: np.ma.masked_array(CUBE),
    "with a hard mask": lambda _: with_hard_mask(),
    "masked records": lambda _: np.ma.masked_array(
        np.zeros(5000, [("a", "i4"), ("b", "f8")]), [(True, False)] * 5000
    ),
    "masked matrix": lambda _: np.ma.masked_array(MATRIX, MATRIX > 5),
}


def beside(value: Any) -> list[Any]:
    """The buffers beside the stream, as arrays of bytes."""
    _, found = Pickle(None)._pickled([value, object], _ByName)
    return [np.frombuffer(item, "u1") for item in found]


def notes(value: Any) -> Any:
    return {name: item for name, item in vars(value).items() if name in ("_hardmask", "_baseclass")}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_inside_comes_back_as_it_was(name: str, tmp_path: Any) -> None:
    value = ARRAYS[name](tmp_path)

    id, [found, _] = back([value, object])

    assert id == "pickle/1"
    assert (type(found), found.dtype, found.shape) == (type(value), value.dtype, value.shape)
    assert found.dtype.metadata == value.dtype.metadata
    assert found.dtype.isalignedstruct == value.dtype.isalignedstruct
    assert found.strides == value.strides
    assert np.asarray(found).tolist() == np.asarray(value).tolist()
    assert found.flags.writeable
    assert not np.shares_memory(np.asarray(found), np.asarray(value))
    if isinstance(value, np.ma.MaskedArray):
        assert (np.ma.getmask(found) is np.ma.nomask) == (np.ma.getmask(value) is np.ma.nomask)
        assert np.array_equal(np.ma.getmaskarray(found), np.ma.getmaskarray(value))
        assert (found._fill_value is None) == (value._fill_value is None)
        assert found.fill_value == value.fill_value
        assert notes(found) == notes(value)


SMALL_ONES: dict[str, Any] = {
    "subclass": np.arange(3).astype(">f8").view(Tagged),
    "subclass of dates": np.arange(3).astype(">m8[s]").view(Tagged),
    "masked": np.ma.masked_array(np.arange(3).astype(">i8"), [True, False, True]),
    "masked dates": np.ma.masked_array(np.arange(3).astype(">M8[D]"), [True, False, True]),
}


@pytest.mark.parametrize("name", SMALL_ONES)
def test_a_small_array_of_any_class_keeps_its_byte_order(name: str) -> None:
    value = SMALL_ONES[name]

    _, [found, _] = back([value, object])

    assert (type(found), found.dtype) == (type(value), value.dtype)
    assert found.tolist() == value.tolist()


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_inside_is_not_copied(name: str, tmp_path: Any) -> None:
    value = ARRAYS[name](tmp_path)

    stream, memory = Pickle(None)._pickled([value], _ByName)

    assert sum(len(memoryview(piece)) for piece in stream) < 1000
    assert np.shares_memory(np.frombuffer(memory[0], "u1"), np.asarray(value))
    assert memory[0].nbytes == value.nbytes


def test_gaps_are_left_out() -> None:
    [found] = beside(CUBE[::2, ::3, ::5])

    assert found.nbytes == CUBE[::2, ::3, ::5].nbytes
    assert np.array_equal(back([CUBE[::2, ::3, ::5], object])[1][0], CUBE[::2, ::3, ::5])


@pytest.mark.parametrize("length", [9, 9000], ids=["small", "large"])
def test_an_array_with_gaps_inside_has_the_bytes_of_its_copy(length: int) -> None:
    column = np.zeros((length, 3))[:, 1]
    fixed = column.view()
    fixed.flags.writeable = False

    assert dumped([column]) == dumped([column.copy()])
    assert not back([fixed])[1][0].flags.writeable


def test_what_is_read_only_stays_so_inside() -> None:
    dates = CUBE.astype("M8[s]")
    dates.flags.writeable = False

    assert not back([dates])[1][0].flags.writeable


def test_a_mask_can_be_written_to() -> None:
    _, [found] = back([np.ma.masked_array(CUBE, CUBE > 5)])
    found[0, 0, 0] = np.ma.masked
    found[0, 0, 39] = 1.0

    assert (found.mask[0, 0, 0], found.mask[0, 0, 39]) == (True, False)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1, "a", None] * 1000, dtype=object),
        np.ma.masked_array(np.array([1, "a"] * 1000, dtype=object), [True, False] * 1000),
        np.zeros((0, 5000)),
        np.array([(1, [])] * 900, [("a", "i4"), ("b", "O")]),
        np.arange(3).view(Tagged),
    ],
)
def test_what_numpy_does_as_well_is_left_to_it(value: Any) -> None:
    _, [found] = back([value])

    assert (type(found), found.dtype, found.tolist()) == (type(value), value.dtype, value.tolist())


def test_a_class_that_says_itself_how_it_is_pickled_is_asked() -> None:
    value = CUBE.view(Measured)
    value.unit = "m"

    _, [found] = back([value])

    assert (type(found), found.unit) == (Measured, "m")
    assert np.array_equal(found, value)


class Pair(NamedTuple):
    one: Any
    other: Any


def test_one_array_in_two_places_is_one_afterwards() -> None:
    dates = CUBE.astype("M8[s]")

    _, found = back(Pair(dates, [dates]))

    assert found.one is found.other[0]


def test_an_estimators_arrays_are_beside_the_stream() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble", reason="pip install scikit-learn")
    random = np.random.default_rng(1)
    rows, labels = random.normal(size=(2000, 3)), random.integers(2, size=2000)
    forest = ensemble.RandomForestClassifier(5, random_state=1).fit(rows, labels)

    stream, memory = Pickle(None)._pickled(forest, _ByName)
    _, found = back(forest)

    assert sum(item.nbytes for item in memory) > 10 * sum(len(memoryview(item)) for item in stream)
    assert np.array_equal(found.predict_proba(rows), forest.predict_proba(rows))


@pytest.mark.parametrize("typecode", "bBhHiIlLqQfd")
def test_an_array_of_pythons_own_comes_back(typecode: str) -> None:
    value = array.array(typecode, [1, 2, 3] * 1000)

    id, [found] = back([value])
    memory = beside(value)

    assert (id, found, found.typecode) == ("pickle/1", value, typecode)
    assert np.shares_memory(memory[0], np.frombuffer(value, "u1")) if memory else value.itemsize < 2
    found.append(4)
    del memory
    value.append(5)


def test_an_empty_array_of_pythons_own_comes_back() -> None:
    assert back(array.array("d"))[1] == array.array("d")


class Row(array.array):  # type: ignore[type-arg] # its arguments are for checkers only
    pass


def test_a_subclass_of_pythons_arrays_stays_one() -> None:
    _, found = back(Row("d", [1.0] * 1000))

    assert (type(found), len(found)) == (Row, 1000)


@pytest.mark.parametrize(
    "view",
    [
        memoryview(b"abc"), memoryview(bytearray(9000)), memoryview(array.array("d", [1.5] * 900)),
        memoryview(CUBE), memoryview(CUBE)[::2], memoryview(bytes(9000))[::2],
    ],
    ids=["read-only", "writable", "floats", "cube", "gaps", "read-only gaps"],
)  # fmt: skip
def test_a_memoryview_inside_stays_one(view: memoryview) -> None:
    id, [found] = back([view])

    assert id == "pickle/1"
    assert type(found) is memoryview
    assert (found, found.format, found.shape) == (view, view.format, view.shape)
    assert found.readonly == view.readonly


def test_a_memoryview_of_addresses_inside_is_named() -> None:
    view = memoryview(bytes(8)).cast("P")

    with pytest.raises(UnsupportedValue, match=r"dict\['a'\] is of type 'memoryview'"):
        dumped({"a": view, "b": object})


def test_an_array_of_another_machines_width_is_refused() -> None:
    id, data = dumped([array.array("d", [1.0])])
    assert data.count(b"K\x08") == 1

    with pytest.raises(UnsupportedValue, match="which have 8 on this machine"):
        loaded(id, data.replace(b"K\x08", b"K\x04"))


def test_an_array_of_the_other_byte_order_is_turned() -> None:
    assert arrayed("h", 2, "big", memoryview(b"\1\2")) == array.array("h", [0x0102])


def test_buffers_from_4_kb_on_are_beside_the_stream() -> None:
    small, large = np.ones(511), np.ones(512)

    stream, memory = Pickle(None)._pickled([small, large, object], _ByName)

    assert [item.nbytes for item in memory] == [4096]
    assert sum(len(memoryview(piece)) for piece in stream) > 511 * 8
