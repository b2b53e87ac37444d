"""Spans of time as people write them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model import durations


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30s", 30), ("15m", 900), ("12h", 43_200), ("1d", 86_400), ("2w", 1_209_600),
        ("1d12h", 129_600), ("1 d 12 h", 129_600), ("1.5h", 5_400), ("0.25s", 0.25),
        ("1h0m30s", 3_630), (90, 90), (0.5, 0.5), ("999999999s", 999_999_999),
    ],
)  # fmt: skip
def test_a_span_of_time_is_read(said: Any, seconds: float) -> None:
    assert durations.seconds(said) == seconds


@pytest.mark.parametrize(
    "said",
    [
        "", " ", "0s", "0d0h", "1", "1x", "d", "1h1d", "1d1d", "-1d", "1e3s", "1D", "1d 12", "１d",
        0, -1, True, None, math.nan, math.inf, 1e300, [], "999999999w", ["1d"],
    ],
)  # fmt: skip
def test_what_is_no_span_of_time_is_none(said: Any) -> None:
    assert durations.seconds(said) is None


@given(microseconds=st.integers(1, 10**15))
def test_what_is_written_is_read_as_it_was(microseconds: int) -> None:
    length = microseconds / 10**6

    assert durations.seconds(durations.written(length)) == pytest.approx(length, abs=1e-6)


@pytest.mark.parametrize(
    ("length", "text"),
    [(86_400, "1d"), (129_600, "1d12h"), (0.25, "0.25s"), (90.5, "1m30.5s"), (1_209_600, "2w")],
)
def test_a_span_of_time_is_written_short(length: float, text: str) -> None:
    assert durations.written(length) == text


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (86_400, "1 day"), (172_800, "2 days"), (1_209_600, "14 days"), (3_600, "1 hour"),
        (129_600, "1 day 12 hours"), (90, "1 minute 30 seconds"), (90_061, "1 day 1 hour"),
        (1, "1 second"), (0.25, "0.25 seconds"), (1.5, "1.5 seconds"), (61.9, "1 minute 1 second"),
    ],
)  # fmt: skip
def test_a_span_of_time_is_said_in_its_longest_units(length: float, words: str) -> None:
    assert durations.spoken(length) == words
