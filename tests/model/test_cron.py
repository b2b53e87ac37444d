"""Cron: what is read, what is refused, and what comes next."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import BadConfiguration
from penstock.model.cron import Cron

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
"""A Monday."""


@pytest.mark.parametrize(
    ("text", "sent", "comes"),
    [
        ("0 6 * * *", "0 6 * * *", "2026-11-24 06:00"),
        (" 0   6 * * * ", "0 6 * * *", "2026-11-24 06:00"),
        ("*/15 * * * *", "*/15 * * * *", "2026-11-23 08:15"),
        ("5-59/15 8 * * *", "5-59/15 8 * * *", "2026-11-23 08:05"),
        ("0 8,9 * * *", "0 8,9 * * *", "2026-11-23 09:00"),
        ("0 6 * * mon-fri", "0 6 * * MON-FRI", "2026-11-24 06:00"),
        ("0 6 * jan,DEC *", "0 6 * JAN,DEC *", "2026-12-01 06:00"),
        ("0 0 * * 7", "0 0 * * 0", "2026-11-29 00:00"),
        ("0 0 * * 5-7", "0 0 * * 0,5,6", "2026-11-27 00:00"),
        ("0 0 29 2 *", "0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 13 * FRI", "0 0 13 * FRI", "2026-11-27 00:00"),
        ("0 0 30 2 MON", "0 0 30 2 MON", "2027-02-01 00:00"),
        ("0 0 */2 * MON", "0 0 */2 * MON", "2026-12-07 00:00"),
    ],
)
def test_it_is_read_and_says_what_comes_next(text: str, sent: str, comes: str) -> None:
    found = Cron.parsed(text)

    assert found.text == sent
    assert found.next_after(START) == datetime.fromisoformat(f"{comes}+00:00")
    assert Cron.parsed(found.text).next_after(START) == found.next_after(START)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 0 6 * * *", 'Write: --cron "0 6 * * *"'),
        ("0 0 6 ? * MON 2027", "has 7 fields"),
        ("0 6 * *", "has 4 fields, and needs five: minute hour"),
        ("", "has 0 fields"),
        ("@daily", 'Write: --cron "0 0 * * *"'),
        ("@every 1h", "Write: --every 1h"),
        ("60 * * * *", "the minute is '60', and it goes from 0 to 59"),
        ("* 24 * * *", "it goes from 0 to 23"),
        ("0 0 0 * *", "it goes from 1 to 31"),
        ("0 0 * 13 *", "it goes from 1 to 12"),
        ("0 0 * * 8", "it goes from 0 to 7"),
        ("0 0 * * MOON", "'MOON' is no number and no name"),
        ("0 0 * MON *", "'MON' is no number and no name"),
        ("0 0 L * *", "'L' is no number and no name"),
        ("0 0 ? * *", "write * for any"),
        ("1,,2 * * * *", "something is missing"),
        ("-1 * * * *", "is no number"),
        ("*/0 * * * *", "a step is at least 1"),
        ("5/15 * * * *", "for example 5-59/15"),
        ("0 0 * * FRI-MON", "FRI,…,MON as a list"),
        ("\u0663 * * * *", "is no number"),
        ("0 0 31 2 *", "never fires: no month of '2' has a day '31'."),
        ("0 0 30,31 feb *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
    ],
)
def test_what_is_none_is_refused_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        Cron.parsed(text)

    assert says in str(caught.value)
    assert caught.value.exit_code == 3
    assert caught.value.hint


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted).map(lambda two: f"{two[0]}-{two[1]}")
    part = st.just("*") | st.just("*/7") | number.map(str) | pair | pair.map("{}/2".format)
    return st.lists(part, min_size=1, max_size=3).map(",".join)


CRONS = st.tuples(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 7))
MOMENTS = st.floats(946_684_800, 3_786_912_000).map(lambda at: datetime.fromtimestamp(at, UTC))
"""From 2000 to 2090."""


@given(CRONS, MOMENTS)
def test_what_comes_next_is_right_and_nothing_right_is_before_it(
    words: tuple[str, ...], moment: datetime
) -> None:
    cron = Cron.parsed(" ".join(words))
    found = cron.next_after(moment)

    assert found is not None
    assert found > moment
    assert right(found, cron)
    for minutes in range(1, 60 * 24 * 2, 7):
        other = found - timedelta(minutes=minutes)
        assert other <= moment or not right(other, cron)


def right(at: datetime, cron: Cron) -> bool:
    """By its text alone: what each field has is said in another way than it is read."""
    said = cron.text.split()
    values = (at.minute, at.hour, at.day, at.month, at.isoweekday() % 7)
    lows, highs = (0, 0, 1, 1, 0), (59, 23, 31, 12, 6)
    fits = [
        any(_fits(part, value, low, high) for part in field.split(","))
        for field, value, low, high in zip(said, values, lows, highs, strict=True)
    ]
    days = any if "*" not in said[2] + said[4] else all
    return all(fits[:2]) and fits[3] and days((fits[2], fits[4]))


def _fits(part: str, value: int, low: int, high: int) -> bool:
    whole, _, step = part.partition("/")
    if whole != "*":
        first, _, last = whole.partition("-")
        low, high = int(first), int(last or first)
    return low <= value <= high and (value - low) % int(step or 1) == 0
