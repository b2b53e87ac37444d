"""Overwriting: of a line that was written over the last state is left, however it was cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.overwriting import shortened, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain\nlines\n", "plain\nlines\n"),
        ("10%\r50%\r100%\n", "100%\n"),
        ("\r10%\r100%\ndone\n", "100%\ndone\n"),
        ("windows\r\nlines\r\n", "windows\nlines\n"),
        ("still 50%\r", "still 50%"),
        ("one\r\r\ntwo\n", "one\ntwo\n"),
        ("begun\n10%\r20%", "begun\n20%"),
    ],
)
def test_the_last_state_of_each_line_is_shown(text: str, seen: str) -> None:
    assert shown(text.encode()) == seen.encode()


def test_a_piece_of_a_long_progress_bar_is_short() -> None:
    piece = "".join(f"\r{number}%" for number in range(100_000)).encode()
    assert shortened(piece) == b"\r99999%"


def test_text_without_returns_stays_itself() -> None:
    text = b"any\ntext"
    assert shown(text) is text
    assert shortened(text) is text


@given(st.text("ab\r\n", max_size=40), st.data())
def test_shortened_pieces_show_what_the_whole_shows(text: str, data: st.DataObject) -> None:
    whole = text.encode()
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=6).map(sorted))
    pieces = [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]
    assert shown(b"".join(map(shortened, pieces))) == shown(whole)
