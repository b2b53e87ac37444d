import shlex
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.component import Secret
from penstock.stack.changing.spelling import is_flag, is_text, shown, spelled
from penstock.stack.complaints import Complaints
from penstock.stack.nodes import parse


class Mode(Enum):
    FAN = "fan"


class Level(Enum):
    LOW = 1


texts = st.text(max_size=12)
plain = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inside: st.lists(inside) | st.dictionaries(texts, inside),
    max_leaves=5,
)


def typed(line: str) -> str:
    """What a program is given for the one option of a command line."""
    (word,) = shlex.split(line)
    return word.partition("=")[2]


@given(value=plain)
def test_what_takes_anything_is_read_from_yaml_as_it_was(value: Any) -> None:
    text = typed(spelled({"x": value}, {"x": Any}))

    node = parse(text, Complaints("typed"))

    assert node is not None
    assert repr(node.plain()) == repr(value)


@given(value=texts)
def test_what_takes_text_is_spelled_as_it_stands(value: str) -> None:
    assert typed(spelled({"x": value}, {"x": str | None})) == value
    assert typed(spelled({"x": value})) == value


@pytest.mark.parametrize(("value", "line"), [
    (True, "--x=true"),
    (4, "--x=4"),
    ("s3://b/x", "--x=s3://b/x"),
    ("${env:KEY}", "--x='${env:KEY}'"),
    (["a", 1], "--x='[a, 1]'"),
    ({"cpu": 2, "memory": "4Gi"}, "--x='{cpu: 2, memory: \"4Gi\"}'"),
    ("5", "--x='\"5\"'"),
    ("", "--x='\"\"'"),
])  # fmt: skip
def test_lines_are_as_short_as_one_would_type_them(value: object, line: str) -> None:
    assert spelled({"x": value}, {"x": Any}) == line


@pytest.mark.parametrize("hint", [
    str, str | None, Secret, Path, Literal["a", "b"], Mode, Annotated[str, 1], Secret | None,
])  # fmt: skip
def test_these_take_text_and_nothing_else(hint: object) -> None:
    assert is_text(hint)


@pytest.mark.parametrize("hint", [
    int, str | int, Any, bool, list[str], Secret | tuple[Secret, ...], Literal["a", 1], Level,
    dict[str, str],
])  # fmt: skip
def test_these_take_other_things(hint: object) -> None:
    assert not is_text(hint)


@pytest.mark.parametrize("hint", [bool, bool | None, Annotated[bool, 1], str | bool])
def test_these_are_true_or_false(hint: object) -> None:
    assert is_flag(hint)


@pytest.mark.parametrize("hint", [int, str, Any, list[bool], None])
def test_these_are_not_true_or_false(hint: object) -> None:
    assert not is_flag(hint)


@pytest.mark.parametrize(("value", "text"), [
    ("a: b", "a: b"), (True, "true"), (None, "null"), (["5", 5], '["5", 5]'), ({"a": 1}, "{a: 1}"),
])  # fmt: skip
def test_people_see_text_as_it_stands_and_all_else_as_yaml(value: object, text: str) -> None:
    assert shown(value) == text
