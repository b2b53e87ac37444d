"""Options of a flavor as they are typed: what becomes of the words, whatever they are."""

import shlex
from collections.abc import Sequence
from typing import Any, Literal

import click
import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from penstock.cli.parameters import Given, given, names, required, types_of
from penstock.model.component import Secret
from penstock.stack.changing.spelling import spelled

TYPES: dict[str, Any] = {
    "path": str,
    "max_workers": int | None,
    "verify": bool,
    "lazily": bool | None,
    "key": Secret | None,
    "mode": Literal["fast", "safe"],
    "extra": dict[str, Any],
    "tags": list[str],
    "no_wait": str,
}


def read(*words: str) -> Given:
    with click.Context(click.Command("register")):
        return given(words, TYPES)


def options(*words: str) -> dict[str, Any]:
    return dict(read(*words).options)


@pytest.mark.parametrize(("line", "found"), [
    ("--path=data", {"path": "data"}),
    ("--path data", {"path": "data"}),
    ("--path=", {"path": ""}),
    ("--path=a=b", {"path": "a=b"}),
    ("--path 5", {"path": "5"}),
    ("--path -", {"path": "-"}),
    ("--max-workers=4", {"max_workers": 4}),
    ("--max_workers 4", {"max_workers": 4}),
    ("--max-workers -4", {"max_workers": -4}),
    ("--max-workers=", {"max_workers": None}),
    ("--max-workers=many", {"max_workers": "many"}),
    ("--key='${env:KEY}'", {"key": "${env:KEY}"}),
    ("--mode fast", {"mode": "fast"}),
    ("--extra='{a: 1, b: [x]}'", {"extra": {"a": 1, "b": ["x"]}}),
    ("--tags='[a, \"5\"]'", {"tags": ["a", "5"]}),
    ("--verify", {"verify": True}),
    ("--no-verify", {"verify": False}),
    ("--no_verify", {"verify": False}),
    ("--verify=false", {"verify": False}),
    ("--verify false", {"verify": False}),
    ("--lazily --path=x", {"lazily": True, "path": "x"}),
    ("--no-wait=x", {"no_wait": "x"}),
    ("--no-path", {"no_path": None}),
    ("--other", {"other": None}),
    ("--other=5", {"other": "5"}),
    ("--other-one 5", {"other_one": "5"}),
])  # fmt: skip
def test_an_option_is_read_by_its_type(line: str, found: dict[str, Any]) -> None:
    assert options(*shlex.split(line)) == found


@pytest.mark.parametrize("line", [
    "bucket --path x --verify", "--path x bucket --verify", "--path x --verify bucket",
    "--verify true bucket --path x",
])  # fmt: skip
def test_the_name_stands_anywhere(line: str) -> None:
    assert read(*line.split()) == Given("bucket", {"path": "x", "verify": True})


@pytest.mark.parametrize(("line", "said"), [
    ("a b", "'b' is neither a NAME nor an option."),
    ("a -x", "'-x' is neither a NAME nor an option."),
    ("--path", "--path needs a value, which is text: --path=…"),
    ("--max-workers --verify", "--max-workers needs a value, which is a whole number:"),
    ("--path=a --path=b", "--path is given twice."),
    ("--verify --no-verify", "--verify is given twice."),
    ("--extra='{a: '", "--extra:1:5: This is not YAML: "),
    ("--tags='[a, a: b: c]'", "--tags:1:"),
    ("--path=\udcff", "'--path=\\udcff' is not UTF-8."),
    ("--tags='!!python/name:os.system x'", "--tags:1:1: The YAML tag "),
])  # fmt: skip
def test_what_cannot_be_read_is_a_usage_error(line: str, said: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        read(*shlex.split(line))
    assert said in str(caught.value)


def test_all_that_cannot_be_read_is_told_at_once() -> None:
    with pytest.raises(click.UsageError) as caught:
        read("a", "b", "--path", "--max-workers", "[", "--tags")
    assert len(str(caught.value).splitlines()) == 4


PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "path": st.text(max_size=9),
    "max_workers": st.integers() | st.none(),
    "verify": st.booleans(),
    "key": st.text(max_size=9),
    "extra": st.dictionaries(
        st.text(max_size=4), st.recursive(st.integers() | st.text(max_size=9), st.lists)
    ),
    "tags": st.lists(st.text(max_size=9)),
}


@examples(values=st.fixed_dictionaries({}, optional=PLAIN))
def test_what_an_undo_line_says_is_what_was_there(values: dict[str, Any]) -> None:
    assert options(*shlex.split(spelled(values, TYPES))) == values


words = st.one_of(
    st.sampled_from(["--path", "--verify", "--no-verify", "--max-workers", "--", "-", "true"]),
    st.builds("--{}={}".format, st.sampled_from([*TYPES, "pth", "no-path"]), st.text(max_size=6)),
    st.text(max_size=6),
)


@examples(typed=st.lists(words, max_size=6))
def test_any_words_are_read_or_refused_as_usage(typed: Sequence[str]) -> None:
    try:
        found = read(*typed)
    except click.UsageError:
        return
    assert found.name is None or found.name in typed


@pytest.mark.parametrize(("line", "found"), [
    ("bucket --path x", ["bucket", "x"]),
    ("--path x bucket", ["bucket", "x"]),
    ("--path=x bucket", ["bucket"]),
    ("--verify bucket", ["bucket"]),
    ("--verify", []),
])  # fmt: skip
def test_the_likely_name_comes_first(line: str, found: list[str]) -> None:
    assert names(line.split()) == found


def test_a_flavor_tells_its_options_and_which_it_needs() -> None:
    assert "path" in (types_of("artifact-store", "s3", {}) or {})
    assert required("artifact-store", "s3", {}) == {"path"}
    assert required("artifact-store", "local", {}) == set()


def test_a_flavor_that_cannot_be_loaded_tells_nothing() -> None:
    assert types_of("artifact-store", "mooon", {}) is None
    assert required("artifact-store", "mooon", {}) == set()
