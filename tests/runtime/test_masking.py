"""Masking: no spelling of a secret is left, however the text is cut."""

import json
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.masking import NOTHING, Mask

SECRET = "p4ss/w ört\"'\\"
PEM = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQE\n-----END KEY-----\n"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET, repr(SECRET), json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET),
    ],
)  # fmt: skip
def test_a_secret_is_masked_however_it_is_spelled(spelled: str) -> None:
    masked = Mask([SECRET]).text(f"<{spelled}>")
    assert masked in ("<***>", "<'***'>", '<"***">')


def test_each_line_of_a_secret_is_masked() -> None:
    assert Mask([PEM]).text("1 MIIEvQIBADANBg 2 kqhkiG9w0BAQE 3") == "1 *** 2 *** 3"


def test_a_secret_of_several_lines_is_masked_as_a_whole() -> None:
    assert Mask([PEM]).text(f"<{PEM}>") == "<***\n>"


def test_values_of_three_characters_are_left() -> None:
    assert Mask(["one", "four"]).text("one four") == "one ***"


def test_the_longer_of_two_secrets_that_begin_alike_is_masked() -> None:
    assert Mask(["abcd", "abcdefg"]).text("abcdefg abcdef") == "*** ***ef"


@pytest.mark.parametrize("length", range(1, len(SECRET)))
def test_the_beginning_of_a_secret_at_a_cut_is_masked(length: int) -> None:
    cut = f"a {SECRET} and {SECRET[:length]}…"
    assert Mask([SECRET]).shown(cut) == "a *** and ***…"
    assert Mask([SECRET]).text(cut) != "a *** and ***…"  # as if nobody had cut it


def test_what_is_cut_elsewhere_stays() -> None:
    assert Mask([SECRET]).shown(f"{SECRET[:5]} and {SECRET}") == f"{SECRET[:5]} and ***"
    assert Mask([SECRET]).shown("nothing of it…") == "nothing of it…"
    assert NOTHING.shown("anything…") == "anything…"


def test_without_secrets_text_stays_itself() -> None:
    text = "any\ud800 text"
    assert NOTHING.text(text) is text
    assert NOTHING.encoded(b"data") == b"data"


def test_characters_that_are_none_survive_masking() -> None:
    assert Mask(["secret"]).text("\ud800 secret") == "\ud800 ***"


def streamed(mask: Mask, parts: list[bytes]) -> bytes:
    stream = mask.stream()
    return b"".join([*map(stream.feed, parts), stream.rest()])


# Few letters, so that secrets overlap, contain and continue each other.
SECRETS = st.lists(st.text("ab1", min_size=4, max_size=7), max_size=4)
TEXT = st.text("ab1\n", max_size=60)


@given(SECRETS, TEXT, st.data())
def test_a_text_that_comes_in_parts_is_masked_as_a_whole(
    secrets: list[str], text: str, data: st.DataObject
) -> None:
    whole = text.encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=8).map(sorted))
    parts = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
    mask = Mask(secrets)
    assert streamed(mask, parts) == mask.encoded(whole)


@given(st.integers(1, len(SECRET.encode()) - 1))
def test_a_secret_cut_in_two_is_masked(cut: int) -> None:
    secret = SECRET.encode()
    assert streamed(Mask([SECRET]), [b"x" + secret[:cut], secret[cut:] + b"y"]) == b"x***y"


def test_a_secret_that_may_become_a_longer_one_is_held_back() -> None:
    assert streamed(Mask(["abcd", "abcdefg"]), [b"abcd", b"efg"]) == b"***"


def test_only_what_may_become_a_secret_is_held_back() -> None:
    stream = Mask(["secret"]).stream()
    assert stream.feed(b"a line\nsec") == b"a line\n"
    assert stream.feed(b"ond\n") == b"second\n"
    assert stream.rest() == b""
