"""Cron: moments that come again, in five fields: `0 6 * * MON-FRI` is six o'clock on weekdays.

Times are in UTC. A day counts if it is right by the day of the month and by the day of the week;
if there is a `*` in neither of these two, one of them is enough, as in every cron.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from penstock.errors import BadConfiguration

ORDER: Final = "minute hour day-of-month month day-of-week"
"""The five fields."""

_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS: Final = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
}

_EXAMPLE: Final = 'Write for example --cron "0 6 * * MON-FRI": six o\'clock on weekdays, in UTC.'
_SHORT: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_PART: Final = re.compile(r"(\*|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\d{1,4}))?", re.ASCII)

_FAR: Final = 366 * 41
"""Days after which nothing comes any more that has not come: the 29th of February is a Monday, say,
at least once in 40 years."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What one field may hold."""

    name: str
    low: int
    high: int
    names: dict[str, int]


_KINDS: Final = (
    _Kind("minute", 0, 59, {}),
    _Kind("hour", 0, 23, {}),
    _Kind("day of the month", 1, 31, {}),
    _Kind("month", 1, 12, _MONTHS),
    _Kind("day of the week", 0, 7, _DAYS),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When something is to happen."""

    text: str
    """As engines read it: names in capitals, and Sunday is 0."""
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """Sunday is 0."""
    either: bool
    """Whether one of the two days is enough."""

    @classmethod
    def parsed(cls, said: str) -> Cron:
        """From what a user has written. Raises `BadConfiguration` for what is none, and for what
        never comes."""
        words = said.split()
        if len(words) != len(_KINDS):
            raise _miscounted(said, words)
        found = [_values(kind, word, said) for kind, word in zip(_KINDS, words, strict=True)]
        minutes, hours, days, months, weekdays = found
        either = "*" not in words[2] + words[4]
        text = " ".join([*(word.upper() for word in words[:4]), _week(words[4], weekdays)])
        weekdays = frozenset(day % 7 for day in weekdays)
        made = cls(text, minutes, hours, days, months, weekdays, either)
        if made.next_after(datetime.now(UTC)) is None:
            raise BadConfiguration(
                f"The cron {said!r} never fires: no month of {words[3]!r} has a day {words[2]!r}"
                + ("." if words[4] == "*" else f" that is a {words[4]!r}."),
                hint=_EXAMPLE,
            )
        return made

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after a moment; None if there is none."""
        day = moment.astimezone(UTC).replace(second=0, microsecond=0)
        earliest = day + timedelta(minutes=1)
        for _ in range(_FAR):
            if self._has(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        found = day.replace(hour=hour, minute=minute)
                        if found >= earliest:
                            return found
            day += timedelta(days=1)
        return None

    def _has(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        right = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return any(right) if self.either else all(right)


def _values(kind: _Kind, word: str, said: str) -> frozenset[int]:
    """All that a field stands for."""
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _wrong(kind, said, part, _unknown(part))
        step = int(match["step"] or 1)
        if step == 0:
            raise _wrong(kind, said, part, "a step is at least 1")
        if match["low"] is None:
            low, high = kind.low, min(kind.high, 6) if kind.names is _DAYS else kind.high
        else:
            low = high = _number(kind, match["low"], said, part)
            if match["high"] is not None:
                high = _number(kind, match["high"], said, part)
            elif match["step"] is not None:
                again = part.replace("/", f"-{kind.high}/")
                raise _wrong(kind, said, part, f"a step needs a range, for example {again}")
        if low > high:
            text = f"a range begins with the lower one: {match['low']},…,{match['high']} as a list"
            raise _wrong(kind, said, part, text)
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _number(kind: _Kind, word: str, said: str, part: str) -> int:
    value = kind.names.get(word.upper())
    if value is None and re.fullmatch(r"[0-9]{1,4}", word):
        value = int(word)
    if value is None:
        raise _wrong(kind, said, part, _unknown(word))
    if not kind.low <= value <= kind.high:
        raise _wrong(kind, said, part, f"it goes from {kind.low} to {kind.high}")
    return value


def _week(word: str, days: frozenset[int]) -> str:
    """A field of days of the week without a 7, which engines do not know. Where all are meant, that
    is said so: it decides whether the day of the month alone is enough."""
    if 7 not in days:
        return word.upper()
    if "*" in word.split(","):
        return "*"
    return ",".join(map(str, sorted({day % 7 for day in days})))


def _unknown(word: str) -> str:
    if word == "?":
        return "write * for any"
    return f"{word!r} is no number and no name" if word else "something is missing"


def _wrong(kind: _Kind, said: str, part: str, why: str) -> BadConfiguration:
    names = f", {' '.join(kind.names)}" if kind.names else ""
    return BadConfiguration(
        f"The cron {said!r} cannot be read: the {kind.name} is {part!r}, and {why}.",
        hint=f"The {kind.name} goes from {kind.low} to {kind.high}{names}; *, 1,2 and 1-5 and */2 "
        f"will do as well. The order is: {ORDER}.",
    )


def _miscounted(said: str, words: list[str]) -> BadConfiguration:
    """The error for more or fewer fields, with what may have been meant."""
    hint = _EXAMPLE
    if said.strip().lower() in _SHORT:
        hint = f'Write: --cron "{_SHORT[said.strip().lower()]}"'
    elif words[:1] == ["@every"]:
        hint = f"Write: --every {' '.join(words[1:])}"
    elif len(words) in (6, 7):
        hint = f'There are no seconds in it, and no year. Write: --cron "{" ".join(words[1:6])}"'
    return BadConfiguration(
        f"The cron {said!r} has {len(words)} {'field' if len(words) == 1 else 'fields'}, and needs "
        f"five: {ORDER}.",
        hint=hint,
    )
