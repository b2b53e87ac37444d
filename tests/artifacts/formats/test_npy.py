import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from there_and_back import back, dumped, loaded

from penstock.artifacts.formats.npy import Npy, NpyScalar
from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import CorruptArtifact

Array = np.ndarray[Any, Any]

DTYPES = [
    "?", "i1", "<u2", ">i4", "<i8", "<f2", ">f4", "<f8", "<c8", ">c16", "<M8[s]", ">M8[ns]",
    "<M8", "<m8[25us]", "<U3", ">U1", "S5", "V3", "S0", "U0",
]  # fmt: skip
STRUCTURED = [
    [("a", "<i4"), ("b", ">f8", (2,))],
    [("é", "<U2"), ("in", [("x", "?"), ("y", "<M8[D]")])],
    {"names": ["a", "b"], "formats": ["i1", "i4"], "offsets": [0, 8], "itemsize": 16},
    [(("title", "a"), "<i4")],
    [],
]


def filled(dtype: Any, shape: tuple[int, ...]) -> Array:
    array = np.zeros(shape, dtype)
    raw = np.arange(array.nbytes, dtype="u1") % 2
    if array.dtype.kind != "U" and array.dtype.names is None and array.nbytes:
        array = np.frombuffer(raw.tobytes(), array.dtype).reshape(shape).copy()
    return array


def raw(array: Array) -> bytes:
    """The memory, with what lies between fields, in the order of the items."""
    return (array.view(f"V{array.itemsize}") if array.itemsize else array).tobytes()


def same(one: Array, other: Array) -> bool:
    return (
        type(one) is type(other)
        and one.dtype == other.dtype
        and one.shape == other.shape
        and raw(one) == raw(other)
    )


@pytest.mark.parametrize("dtype", [*DTYPES, *STRUCTURED], ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1,), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("order", ["C", "F", "strided", "reversed"])
def test_every_dtype_shape_and_order_comes_back(
    dtype: Any, shape: tuple[int, ...], order: str
) -> None:
    array = filled(np.dtype(dtype), shape)
    if order == "F":
        array = np.asfortranarray(array).reshape(shape, order="F")
    elif shape:
        array = array[::2] if order == "strided" else array[::-1] if order == "reversed" else array
    before = raw(array)

    id, data = dumped(array)
    found = loaded(id, data)

    assert id == "npy/1"
    assert same(found, array)
    assert found.flags.writeable
    assert found.flags.aligned
    assert not np.shares_memory(found, array)
    if found.nbytes:
        found.reshape(-1, order="A").view("u1")[...] = 7
        assert raw(array) == before


@given(hnp.arrays(hnp.scalar_dtypes() | hnp.unicode_string_dtypes(), hnp.array_shapes(min_dims=0)))
def test_numpy_itself_opens_the_bytes(array: Array) -> None:
    id, data = dumped(array)

    assert id == "npy/1"
    assert same(np.load(io.BytesIO(data), allow_pickle=False), array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_dumping_copies_nothing(order: Any) -> None:
    array = np.ones((300, 300), order=order)

    _, body = Npy(None).dump(array)

    assert np.shares_memory(np.frombuffer(body, "u1"), array)


def test_loading_copies_nothing() -> None:
    _, data = dumped(np.ones((300, 300)))

    found = loaded("npy/1", data)

    assert np.shares_memory(np.frombuffer(data, "u1"), found)


def test_read_only_data_is_copied_so_that_the_array_can_be_written() -> None:
    _, data = dumped(np.ones(3))

    found = loaded("npy/1", bytes(data))
    found[0] = 2

    assert found[0] == 2


def test_the_memory_begins_at_a_multiple_of_64() -> None:
    names = ["x" * 70_000, "a", "é"]
    for array in [np.ones(3, [(name, "f8")]) for name in names]:
        head, _ = Npy(None).dump(array)
        assert len(memoryview(head)) % 64 == 0
        assert same(np.load(io.BytesIO(dumped(array)[1]), max_header_size=10**6), array)


def test_the_header_is_the_same_everywhere() -> None:
    head, _ = Npy(None).dump(np.ones((2, 3), "<f8"))

    text = b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
    assert bytes(head) == b"\x93NUMPY\1\0\x76\0" + text.ljust(117) + b"\n"


def test_a_fortran_array_stays_one() -> None:
    assert back(np.asfortranarray(np.ones((2, 3))))[1].flags.f_contiguous


def test_a_memmap_comes_back_as_an_array(tmp_path: Any) -> None:
    mapped = np.memmap(tmp_path / "a", "<i4", "w+", shape=(2, 2))
    mapped[:] = 5

    id, found = back(mapped)

    assert id == "npy/1"
    assert same(found, np.full((2, 2), 5, "<i4"))


class Tagged(np.ndarray[Any, Any]):
    pass


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, "a", None], dtype=object),
        np.array([(1, [])], dtype=[("a", "i4"), ("b", "O")]),
        np.ma.masked_array([1, 2], [True, False]),
        np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        np.ones(2).view(Tagged),
        np.zeros(2, np.dtype("i4", metadata={"unit": "m"})),
        np.zeros(2, np.dtype([("a", "i1"), ("b", "i8")], align=True)),
        np.zeros(2, np.dtype((np.record, [("a", "i1")]))),
    ],
    ids=lambda array: f"{type(array).__name__}-{array.dtype}",
)
def test_an_array_that_would_change_is_pickled(array: Array) -> None:
    id, found = back(array)

    assert id == "pickle/1"
    assert type(found) is type(array)
    assert (found.dtype, found.dtype.type) == (array.dtype, array.dtype.type)
    assert found.dtype.metadata == array.dtype.metadata
    assert found.dtype.isalignedstruct == array.dtype.isalignedstruct
    assert found.tolist() == array.tolist()


def test_an_array_of_strings_of_any_length_is_pickled() -> None:
    strings = pytest.importorskip("numpy.dtypes").__dict__.get("StringDType")
    if strings is None:
        pytest.skip("numpy 2 has them")

    id, found = back(np.array(["a", "long"], dtype=strings()))

    assert (id, found.tolist()) == ("pickle/1", ["a", "long"])


@given(hnp.scalar_dtypes().flatmap(lambda dtype: hnp.arrays(dtype, ())))
def test_a_scalar_comes_back_as_a_scalar(array: Array) -> None:
    scalar = array[()]

    id, found = back(scalar)

    assert id == "npy-scalar/1"
    assert type(found) is type(scalar)
    assert found.dtype == scalar.dtype
    assert found.tobytes() == scalar.tobytes()


def test_a_structured_scalar_is_not_shared_with_the_producer() -> None:
    array = np.zeros(2, [("a", "i4")])

    id, found = back(array[0])
    found["a"] = 1

    assert id == "npy-scalar/1"
    assert array["a"].tolist() == [0, 0]


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: text[-1:] != "\0"))
def test_a_numpy_string_is_a_scalar(text: str) -> None:
    id, found = back(np.str_(text))

    assert (id, type(found), found) == ("npy-scalar/1", np.str_, text)


class Metres(np.float64):
    pass


def test_a_subclass_of_a_scalar_is_not_an_array() -> None:
    with pytest.raises(NotThisFormat):
        NpyScalar(None).dump(Metres(1))


def test_a_string_that_numpy_cuts_is_not_an_array() -> None:
    with pytest.raises(NotThisFormat):
        NpyScalar(None).dump(np.str_("a\0"))


def test_bytes_behind_the_array_are_corrupt() -> None:
    _, data = dumped(np.ones(3))

    with pytest.raises(CorruptArtifact, match="the length is wrong"):
        loaded("npy/1", data + b"x")
