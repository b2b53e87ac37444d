"""What can be seen of bytes without loading them."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts.formats import registry
from penstock.artifacts.formats.npy import Npy
from penstock.runtime import preview


@given(st.sampled_from([*registry.BUILT_IN, "mine/1"]), st.binary(max_size=200))
def test_bytes_that_are_no_such_thing_show_nothing_or_text(format: str, data: bytes) -> None:
    shown = preview.of(format, data, 50)
    assert shown is None or isinstance(shown, str)


@given(st.text(max_size=100), st.integers(1, 120))
def test_the_beginning_of_a_text_is_shown(text: str, most: int) -> None:
    shown = preview.of("text/1", text.encode(), most)
    if "\0" in text:
        return
    assert shown == (text if len(text) <= most else f"{text[:most]}…")


@pytest.mark.parametrize(
    ("dtype", "name"),
    [("<f8", "float64"), ("|b1", "bool"), ("|u1", "uint8"), ("<i2", "int16"), (">f4", ">f4"),
     ("<U3", "<U3"), ("<c16", "complex128")],
)  # fmt: skip
def test_an_array_shows_its_shape_and_dtype(dtype: str, name: str) -> None:
    data = b"".join(Npy(np.ndarray).dump(np.zeros((3, 0), dtype)))
    assert preview.of("npy/1", data, 50) == f"shape 3 × 0, dtype {name}"


class Trap:
    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("the pickle was opened",))


@pytest.mark.parametrize("format", ["pickle/1", "cloudpickle/1"])
def test_a_pickle_is_not_opened(format: str) -> None:
    assert preview.of(format, pickle.dumps(Trap()), 50) is None
