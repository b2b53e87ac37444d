"""What is different between two cache keys, in words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.binding import Group, Literally, Use
from penstock.runtime.explaining import keys, leaves

KEY: dict[str, Any] = {
    "code": "c",
    "environment": {"python": "3.11", "numpy": "1.26.0"},
    "formats": {"output": ""},
    "version": None,
    "cache_env": {"TZ": None},
    "parameters": {"lr": "0.1", "name": '"a"'},
    "inputs": {"rows": ["json/1", "d", ""]},
}
LONG = "0" * 64


def changed(**parts: Any) -> list[tuple[str, str, str]]:
    """Kind, name and words of what is different when these parts are others."""
    old, new = (keys.read(json.dumps(each)) for each in (KEY, KEY | parts))
    return [(item.kind, item.name, item.words) for item in keys.differences(old, new)]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, []),
        ({"code": "d"}, [("code", "", "code changed")]),
        ({"parameters": {"lr": "0.05", "name": '"a"'}}, [("parameter", "lr", "lr 0.1 → 0.05")]),
        ({"parameters": {"lr": '"0.1"', "name": '"a"'}}, [("parameter", "lr", 'lr 0.1 → "0.1"')]),
        ({"parameters": {"lr": LONG, "name": '"a"'}}, [("parameter", "lr", "lr changed")]),
        ({"parameters": {"lr": "0.1"}}, [("parameter", "name", 'name "a" is gone')]),
        (
            {"parameters": KEY["parameters"] | {"depth": "3"}},
            [("parameter", "depth", "depth 3 is new")],
        ),
        (
            {"parameters": {"name": '"a"'}, "inputs": KEY["inputs"] | {"lr": ["json/1", "e", ""]}},
            [("parameter", "lr", "lr was 0.1 and is a stored value now")],
        ),
        ({"inputs": {"rows": ["json/1", "e", ""]}}, [("input", "rows", "")]),
        ({"inputs": {"rows": ["json/1", "d", "other"]}}, [("names", "rows", "")]),
        ({"inputs": {"rows": ["npy/1", "d", "other"]}}, [("input", "rows", "")]),
        (
            {"environment": KEY["environment"] | {"python": "3.12"}},
            [("python", "python", "Python 3.11 → 3.12")],
        ),
        (
            {"environment": KEY["environment"] | {"numpy": "2.0"}},
            [("package", "numpy", "numpy 1.26.0 → 2.0")],
        ),
        (
            {"environment": {"python": "3.11"}},
            [("package", "numpy", "numpy 1.26.0 is not used now")],
        ),
        ({"version": "2"}, [("version", "version", "version none → 2")]),
        ({"cache_env": {"TZ": "UTC"}}, [("variable", "TZ", "$TZ unset → UTC")]),
        ({"cache_env": {}}, []),
        (
            {"formats": {"output": "mine/1"}},
            [("format", "output", "format of output by value → mine/1")],
        ),
    ],
)  # fmt: skip
def test_each_part_of_a_key_is_told_by_its_kind(
    parts: dict[str, Any], said: list[tuple[str, str, str]]
) -> None:
    assert changed(**parts) == said


def test_a_value_in_a_list_is_told_by_its_place() -> None:
    old = {"losses": {"list": [["json/1", "a", ""], ["json/1", "b", ""]], "keys": []}}
    new = {"losses": {"list": [["json/1", "a", ""], ["json/1", "c", ""]], "keys": []}}
    parts = [keys.read(json.dumps(KEY | {"inputs": each})) for each in (old, new)]
    assert [change.name for change in keys.differences(*parts)] == ["losses[1]"]


def test_two_long_texts_are_cut_to_where_they_differ() -> None:
    old = keys.read(json.dumps(KEY | {"parameters": {"text": "x" * 100 + "a"}}))
    new = keys.read(json.dumps(KEY | {"parameters": {"text": "x" * 100 + "b"}}))
    (change,) = keys.differences(old, new)
    assert change.words == f"text …{'x' * 16}a → …{'x' * 16}b"


leaf = st.builds(Use, st.sampled_from("ab"), st.just("output"))
tree = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.builds(
            lambda kind, items: Group(kind, tuple(items)),
            st.sampled_from(["list", "tuple"]),
            st.lists(inner, max_size=3),
        ),
        st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3).map(
            lambda items: Group("dict", tuple(items.values()), tuple(items))
        ),
    ),
    max_leaves=6,
)


def as_in_a_key(binding: Any) -> Any:
    """As `Cache` writes it."""
    if not isinstance(binding, Group):
        return ["json/1", binding.call, ""]
    items = [as_in_a_key(item) for item in binding.items]
    if binding.kind != "dict":
        return {binding.kind: items, "keys": []}
    names = [json.dumps(key) for key in binding.keys]
    return {"dict": sorted(zip(names, items, strict=True), key=lambda pair: pair[0])}


@given(tree)
def test_a_value_has_the_same_path_in_a_key_and_in_the_graph(binding: Any) -> None:
    written = {path: leaf[1] for path, leaf in leaves.in_key("x", as_in_a_key(binding))}
    drawn = {path: leaf.call for path, leaf in leaves.in_binding("x", binding)}
    assert written == drawn


def test_a_plain_value_in_a_list_of_outputs_is_a_leaf_too() -> None:
    group = Group("list", (Use("a", "output"), Literally("1", "1")))
    assert [path for path, _ in leaves.in_binding("x", group)] == ["x[0]", "x[1]"]
