import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from there_and_back import back, dumped, loaded

from penstock.artifacts.formats.npy import Npy, NpyScalar, NpyStrided
from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import CorruptArtifact

Array = np.ndarray[Any, Any]

DTYPES = [
    "?", "i1", "<u2", ">i4", "<i8", "<f2", ">f4", "<f8", "<c8", ">c16", "<M8[s]", ">M8[ns]",
    "<M8", "<m8[25us]", "<U3", ">U1", "S5", "V3", "S0", "U0", "g", "G",
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


LARGE_ONES = {
    "permuted": lambda array: array.transpose(2, 0, 1),
    "swapped": lambda array: array.swapaxes(0, 1),
    "backwards": lambda array: array[::-1],
    "all backwards": lambda array: array[::-1, ::-1, ::-1],
    "permuted backwards": lambda array: array.transpose(1, 0, 2)[:, ::-1],
    "with an axis of one": lambda array: array.transpose(1, 2, 0)[:, None, ::-1],
}
"""Arrays without gaps in an order that a .npy file cannot have."""

WIDE = np.dtype([("a", "i1"), ("when", "M8[s]"), ("b", "f8")])


@pytest.mark.parametrize("dtype", ["f8", ">c16", "M8[us]", "V20", WIDE], ids=str)
@pytest.mark.parametrize("name", LARGE_ONES)
def test_a_large_array_in_an_order_of_its_own_is_stored_as_it_lies(name: str, dtype: Any) -> None:
    whole = np.frombuffer(np.arange(60 * 50 * 44 * 20, dtype="u1"), "V20")[: 60 * 50 * 44]
    if dtype != "V20":
        whole = np.arange(60 * 50 * 44).astype("i8").astype(dtype)
    array = LARGE_ONES[name](whole.reshape(60, 50, 44))
    before = raw(array)

    _, body = NpyStrided(None).dump(array)
    id, found = back(array)

    assert id == "npy-strided/1"
    assert np.shares_memory(np.frombuffer(body, "u1"), array)
    assert same(found, array)
    assert found.strides == array.strides
    found.reshape(-1)[...] = found.reshape(-1)[0]
    found[...] = found[0]
    assert raw(array) == before


@pytest.mark.parametrize("name", LARGE_ONES)
def test_a_small_array_is_a_npy_file_whatever_its_order(name: str) -> None:
    array = LARGE_ONES[name](np.arange(24.0).reshape(2, 3, 4))

    id, data = dumped(array)

    assert id == "npy/1"
    assert same(np.load(io.BytesIO(data)), array)
    assert data == dumped(array.copy())[1]


def test_numpy_refuses_a_file_whose_order_it_does_not_know() -> None:
    _, data = dumped(np.zeros((64, 64, 64)).transpose(2, 0, 1))

    with pytest.raises(ValueError, match="strides"):
        np.load(io.BytesIO(data))


@pytest.mark.parametrize(
    ("strides", "first"),
    [
        ((8, 4096, -2), 0), ((8, 4096, 999_999), 0), ((-8, 32768, 512), 0), ((8, 32768, 512), 8),
        ((8, 32768, 512), -512), ((8,), 0), ("none", 0), ((8, 32768, 512), None),
        ((8, 8, 8), 0), ((0, 0, 0), 0), ((-8, 32768, -512), 504),
    ],
)  # fmt: skip
def test_strides_that_lead_out_of_the_memory_are_corrupt(strides: Any, first: Any) -> None:
    _, data = dumped(np.zeros((64, 64, 64)).transpose(2, 0, 1))
    right = b"'strides': (8, 32768, 512), 'first': 0, }"
    assert data.count(right) == 1
    wrong = f"'strides': {strides!r}, 'first': {first!r}, }}".encode()
    end = data.index(b"\n") + 1
    head = data[:end].replace(right, wrong).rstrip().ljust(end - 1) + b"\n"
    head[8:10] = (len(head) - 10).to_bytes(2, "little")

    loaded("npy-strided/1", data)
    with pytest.raises(CorruptArtifact):
        loaded("npy-strided/1", head + data[end:])


def test_rows_with_gaps_between_them_are_not_copied() -> None:
    table = np.arange(40 * 20_000.0).reshape(40, 20_000)
    rows = table[::2, :10_000]

    head, *pieces = Npy(None).dump(rows)
    id, found = back(rows)

    assert id == "npy/1"
    assert all(np.shares_memory(np.frombuffer(piece, "u1"), table) for piece in pieces)
    assert b"".join([head, *pieces]) == dumped(rows.copy())[1]
    assert same(found, rows)


def test_items_with_gaps_between_them_are_copied_once() -> None:
    column = np.arange(40 * 20_000.0).reshape(40, 20_000)[:, ::2]

    pieces = Npy(None).dump(column)

    assert sum(len(memoryview(piece)) for piece in pieces) < column.nbytes + 200
    assert same(back(column)[1], column)


def test_an_array_that_repeats_its_memory_is_written_out() -> None:
    array = np.broadcast_to(np.arange(3.0), (50_000, 3))

    assert same(back(array)[1], array.copy())


def test_a_read_only_array_comes_back_writable() -> None:
    array = np.arange(3)
    array.flags.writeable = False

    assert back(array)[1].flags.writeable


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
