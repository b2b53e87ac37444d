"""What is written to a stream is in its encoding and steers no terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime import terminal
from penstock.runtime.observer import Lines, Silent, for_stream

ENCODINGS = ["ascii", "latin-1", "cp1252", "utf-8"]


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")


@given(st.text(st.characters()), st.sampled_from(ENCODINGS), st.booleans())
def test_any_text_can_be_written_in_any_encoding(text: str, encoding: str, colours: bool) -> None:
    terminal.write(text, stream(encoding), colours=colours)


@given(st.text(st.characters()), st.sampled_from(ENCODINGS))
def test_no_control_character_is_left_but_tab_and_newline(text: str, encoding: str) -> None:
    fitting = terminal.fitting(text, stream(encoding))
    assert not [letter for letter in fitting if letter not in "\t\n" and letter < " "]


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=80))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert terminal.fitting(text, stream("ascii")) == text


def test_symbols_of_ours_have_a_spelling_in_ascii() -> None:
    assert terminal.fitting("… · → – ×", stream("ascii")) == "... - -> - x"


def test_other_characters_are_escaped_and_not_lost() -> None:
    assert terminal.fitting("Łódź", stream("latin-1")) == "\\u0141ód\\u017a"


def test_colours_are_dropped_or_kept() -> None:
    red = "\x1b[31mred\x1b[0m"
    assert terminal.fitting(red, stream("utf-8")) == "red"
    assert terminal.fitting(red, stream("utf-8"), colours=True) == red


def test_the_lines_of_a_run_are_written_in_ascii_too() -> None:
    written = stream("ascii")
    lines = Lines(written)
    lines.note("a … b")
    lines.note("and on")
    assert written.buffer.getvalue() == b"  note: a ... b\n  note: and on\n"  # type: ignore[attr-defined]


def test_a_stream_that_is_closed_while_a_run_goes_on_stops_nothing() -> None:
    written = stream("utf-8")
    lines = Lines(written)
    written.close()
    lines.note("one")
    lines.note("two")


def test_nobody_is_told_anything_on_a_stream_that_is_closed() -> None:
    written = stream("utf-8")
    written.close()
    assert isinstance(for_stream(written), Silent)


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "")])
def test_colours_can_be_refused(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    on_terminal = stream("utf-8")
    monkeypatch.setattr(on_terminal.buffer, "isatty", lambda: True)
    assert terminal.has_colours(on_terminal)
    monkeypatch.setenv(variable, value)
    assert not terminal.has_colours(on_terminal)
