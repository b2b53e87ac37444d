import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from there_and_back import back, dumped, loaded

from penstock.model.plain import LONGEST_BYTES

LEAVES: Any = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
)
KEYS = LEAVES | st.tuples(LEAVES, LEAVES) | st.frozensets(LEAVES)


def containers(inner: Any) -> Any:
    keyed = st.dictionaries(KEYS, inner) | st.sets(KEYS)
    return keyed | st.lists(inner) | st.tuples(inner, inner)


PLAIN = st.recursive(LEAVES, containers, max_leaves=12)


def shape(value: Any) -> Any:
    """The value with every type written out, because 1 == 1.0 == True."""
    if isinstance(value, dict):
        return dict, [(shape(key), shape(item)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted((shape(item) for item in value), key=repr)
    if isinstance(value, (list, tuple)):
        return type(value), [shape(item) for item in value]
    return type(value), repr(value)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(PLAIN)
def test_plain_data_comes_back_with_its_types(value: Any) -> None:
    id, found = back(value)

    assert shape(found) == shape(value)
    assert id in ("json/1", "text/1", "bytes/1")


@given(st.text())
def test_text_is_stored_as_utf_8(value: str) -> None:
    id, data = dumped(value)

    assert (id, bytes(data)) == ("text/1", value.encode())
    assert loaded(id, data) == value


def test_text_with_a_lone_surrogate_is_json() -> None:
    assert back("a\udcff") == ("json/1", "a\udcff")


@pytest.mark.parametrize("value", ["\ud83d\ude00", ["\ud83d\ude00"], {"\ud83d\ude00": 1}])
def test_a_character_split_into_surrogates_stays_split(value: object) -> None:
    assert back(value) == ("json/1", value)


def test_an_emoji_is_json() -> None:
    assert back(["😀"]) == ("json/1", ["😀"])


@pytest.mark.parametrize(
    "wrap", [lambda data: [data], lambda data: {"a": (1, [{"b": data}])}, lambda data: (data, data)]
)
def test_large_bytes_inside_are_not_written_as_text(wrap: Any) -> None:
    small, large = wrap(b"x" * (LONGEST_BYTES - 1)), wrap(b"x" * LONGEST_BYTES)

    assert back(small) == ("json/1", small)
    assert back(large) == ("pickle/1", large)


def test_nan_and_infinities_are_json() -> None:
    id, found = back([math.nan, math.inf, -math.inf, -0.0])

    assert id == "json/1"
    assert repr(found) == "[nan, inf, -inf, -0.0]"


class Celsius(float):
    pass


def test_a_subclass_of_a_plain_type_is_pickled() -> None:
    id, found = back(Celsius(20))

    assert id == "pickle/1"
    assert type(found) is Celsius


@pytest.mark.parametrize("value", [b"", b"\0\xff", bytearray(b"ab")])
def test_bytes_are_stored_as_they_are(value: bytes) -> None:
    id, data = dumped(value)
    found = loaded(id, data)

    assert data == value
    assert (type(found), found) == (type(value), value)


def test_a_bytearray_is_not_shared_with_the_producer() -> None:
    value = bytearray(b"ab")
    _, found = back(value)
    found[0] = 0

    assert value == b"ab"


def test_bytes_from_the_store_become_what_was_stored() -> None:
    assert type(loaded("bytearray/1", b"ab")) is bytearray
    assert type(loaded("bytes/1", bytearray(b"ab"))) is bytes
    assert not loaded("memoryview/1", b"abw").readonly


@pytest.mark.parametrize("value", [memoryview(b"ab"), memoryview(bytearray(b"ab"))])
def test_a_memoryview_comes_back_as_writable_as_it_was(value: memoryview) -> None:
    id, found = back(value)

    assert id == "memoryview/1"
    assert (found, found.readonly) == (value, value.readonly)
