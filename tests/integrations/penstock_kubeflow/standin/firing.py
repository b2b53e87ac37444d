"""When a recurring run is due: intervals, and cron as robfig/cron v1 reads it.

Its first field is the second. With five fields the last one, the day of the week, is missing: a
line of crontab means something else here, and nobody says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_WORDS: Final = {
    "@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0", "@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}  # fmt: skip
_MONTHS: Final = dict(
    zip(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
        range(1, 13),
        strict=True,
    )
)
_DAYS: Final = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
_FIELDS: Final[tuple[tuple[int, int, Mapping[str, int]], ...]] = (
    (0, 59, {}), (0, 59, {}), (0, 23, {}), (1, 31, {}), (1, 12, _MONTHS), (0, 6, _DAYS),
)  # fmt: skip
_YEARS: Final = 5
"""So far it looks, and fires never if there is nothing."""


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that each field allows."""

    fields: tuple[frozenset[int], ...]
    any_day: bool
    """Whether a day has to fit both fields of days: one of them says all."""

    @classmethod
    def parsed(cls, text: str) -> Cron:
        """Raises `ValueError`."""
        words = _WORDS.get(text.strip(), text).split()
        if text.startswith("@") and len(words) == 1:
            raise ValueError(f"Unrecognized descriptor: {text}")
        if len(words) not in (5, 6):
            raise ValueError(f"Expected 5 to 6 fields, found {len(words)}: {text}")
        words += ["*"] * (6 - len(words))
        fields = tuple(_field(word, *kind) for word, kind in zip(words, _FIELDS, strict=True))
        return cls(fields, any(words[each][0] in "*?" for each in (3, 5)))

    def after(self, seconds: float) -> float | None:
        """The first time after this one."""
        begin = datetime.fromtimestamp(int(seconds), UTC) + timedelta(seconds=1)
        day, first = (
            begin.replace(hour=0, minute=0, second=0),
            (begin.hour, begin.minute, begin.second),
        )
        for _ in range(366 * _YEARS):
            if self._has(day) and (found := self._at(first)) is not None:
                hour, minute, second = found
                return day.replace(hour=hour, minute=minute, second=second).timestamp()
            day, first = day + timedelta(days=1), (0, 0, 0)
        return None

    def _at(self, first: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """The first time of a day that is not before another one."""
        seconds, minutes, hours, *_ = map(sorted, self.fields)
        for hour in hours:
            for minute in minutes:
                if (hour, minute) >= first[:2]:
                    for second in seconds:
                        if (hour, minute, second) >= first:
                            return hour, minute, second
        return None

    def _has(self, day: datetime) -> bool:
        *_, days, months, weekdays = self.fields
        fits = day.day in days, (day.weekday() + 1) % 7 in weekdays
        return day.month in months and (all(fits) if self.any_day else any(fits))


def _field(text: str, least: int, most: int, names: Mapping[str, int]) -> frozenset[int]:
    return frozenset(each for part in text.split(",") for each in _part(part, least, most, names))


def _part(text: str, least: int, most: int, names: Mapping[str, int]) -> Iterator[int]:
    span, _, step = text.partition("/")
    if span in ("*", "?"):
        low, high = least, most
    else:
        first, dash, last = span.partition("-")
        low = _number(first, names)
        high = _number(last, names) if dash else most if step else low
    every = _number(step, {}) if "/" in text else 1
    if low < least or high > most or low > high or every < 1:
        raise ValueError(f"out of range ({least}-{most}): {text}")
    return iter(range(low, high + 1, every))


def _number(text: str, names: Mapping[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(f"Failed to parse int from {text}")
    return int(text)


def due(job: Mapping[str, Any], now: float) -> float | None:
    """The time of a firing that a recurring run owes."""
    trigger = job.get("trigger") or {}
    base = job["last_triggered"] or job["created_at"]
    if every := trigger.get("periodic_schedule"):
        following = _after(base, int(every["interval_second"]), every)
    elif cron := trigger.get("cron_schedule"):
        begin = max(base, _time(cron.get("start_time")) or 0)
        following = Cron.parsed(cron["cron"]).after(begin)
        if following and (end := _time(cron.get("end_time"))) and following > end:
            return None
    else:
        return None if job["index"] else now
    if following is None or following > now:
        return None
    return _latest(job, following, now) if job.get("no_catchup") else following


def _after(base: float, every: int, schedule: Mapping[str, Any]) -> float | None:
    begin = max(base, _time(schedule.get("start_time")) or 0) + every
    end = _time(schedule.get("end_time"))
    return None if end and begin > end else begin


def _latest(job: Mapping[str, Any], found: float, now: float) -> float:
    """The last of those that were missed."""
    while (later := due({**job, "last_triggered": found, "no_catchup": False}, now)) is not None:
        found = later
    return found


def _time(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
