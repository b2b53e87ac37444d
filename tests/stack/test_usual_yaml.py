"""What is read line by line is read as ruamel reads it; what is not usual is left to ruamel."""

from pathlib import Path
from typing import Any

import pytest
from breaking import BROKEN, GOOD
from handwritten import Handwritten, files
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.errors import StackError
from penstock.stack import usual_yaml
from penstock.stack.changing.editing.outline import Outline
from penstock.stack.complaints import Complaints
from penstock.stack.nodes import by_library, composed

USUAL = [
    GOOD,
    "",
    "\n  # nothing\n\n",
    "# yaml-language-server: $schema=.penstock/schema.json\nactive: prod",
    "a:\n- x\n- 'y z'  # a list below its key\nb: # empty\n\n# end\n",
    "a:\n    b:\n        c: {d: [e, {f: 1}], g: {}}\n\n        h: true\n    i: 0\nj: []\n",
    'a: "${env:X}"   \nb: "x # y"\nc: s3://b/x  # z\nd: 127.0.0.1:80\n'.replace("127.0", "h"),
    "a:\n  b: c\n  b: d\n",
    "true: x\n",
]

UNUSUAL = [
    "a: &b c\n", "a: *b\n", "a: !!str 5\n", "a: |\n  b\n", "a: >-\n  b\n", "a: b\n  c\n", "- a\n",
    "a: {b: c,\n  d: e}\n", '"a": b\n', "? a\n", "a: 1.5\n", "a: 0x1f\n", "a: 2026-01-01\n",
    "a: 010\n", "a: ~\n", "a: True\n", "a: Null\n", "a:\tb\n", "a: b\r\n", "<<: a\n", "---\na: b\n",
    "a:\n  - b: c\n", "a:\n  - - b\n", "a: b c\n", "a: it's\n", 'a: "\\n"\n', "a: 'it''s'\n",
    "a: [b,]\n", " a: b\n", "a:\n  b: c\n d: e\n", "a:\n  - b\n c: d\n", "a: b: c\n", "a: {b}\n",
    "a: b#\n", "a: 'b'#c\n", "a: .inf\n", "a\n", "a: -\n", "a: @b\n", "a: {b: c}}\n",
    "a: \x00\n", "a:\n- b\n- \n", "a:\n  b\n", "a: 🙂\n", "a: 5x\n", "a: 12:30\n",
]  # fmt: skip

PIECES = st.sampled_from([
    *"abn:#-,{}[]'\"0159 ", "  ", "a: ", "b:\n", "\n", "\n  ", "\n    ", "- ", " #", "{a: ", ", ",
    "true", "null", "x/y", "./z", "~", ".", "=", "@", "_", "&", "*", "!", "|", "é", "<<", "---",
    "1:2", "a:b",
])  # fmt: skip


def by_line(text: str) -> tuple[Any, Outline] | None:
    """What is read line by line, if it is."""
    complaints = Complaints("penstock.yaml")
    try:
        raw = usual_yaml.compose(text)
    except usual_yaml.Unusual:
        return None
    return said(*composed(text, complaints), complaints, Outline.of(text, raw))


def said(node: Any, raw: Any, complaints: Complaints, outline: Outline) -> tuple[Any, Outline]:
    try:
        complaints.tell()
    except StackError as error:
        return str(error), outline
    return node, outline


def both_say_the_same(text: str) -> bool:
    """Whether it was read line by line; if so, ruamel has to agree."""
    found = by_line(text)
    if found is None:
        return False
    complaints = Complaints("penstock.yaml")
    node, raw = by_library(text, complaints)
    assert said(node, raw, complaints, Outline.of(text, raw)) == found
    return True


@pytest.mark.parametrize("text", USUAL)
def test_what_is_usual_is_read_as_the_library_reads_it(text: str) -> None:
    assert both_say_the_same(text)


@pytest.mark.parametrize("text", UNUSUAL)
def test_what_is_unusual_is_left_to_the_library(text: str) -> None:
    assert not both_say_the_same(text)


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_of_a_broken_file_both_say_the_same(old: str, new: str) -> None:
    both_say_the_same(GOOD.replace(old, new).replace("§", ""))


@given(files())
def test_of_a_handwritten_file_both_say_the_same(file: Handwritten) -> None:
    both_say_the_same(file.text)


@given(st.lists(PIECES, max_size=30).map("".join))
@example("a: [a:b]")
@example("a: {b: c:d}")
def test_of_random_text_both_say_the_same(text: str) -> None:
    both_say_the_same(text)


@given(st.data(), st.sampled_from(USUAL[0:7]))
def test_of_a_file_with_a_slip_both_say_the_same(data: st.DataObject, text: str) -> None:
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 4))
    both_say_the_same(text[:at] + data.draw(PIECES | st.just("")) + text[at + gone :])


def test_an_empty_value_stands_behind_its_key_for_both() -> None:
    for head in ("", "--- # not usual\n"):
        node, _ = composed(f"{head}a:\n# remark\n\nb: c\n", Complaints("penstock.yaml"))

        assert node.value["a"].at == (1 + bool(head), 2)


def test_the_example_is_usual(pytestconfig: pytest.Config) -> None:
    file = Path(pytestconfig.rootpath, "examples/stack_by_variable/penstock.yaml")

    assert both_say_the_same(file.read_text())
