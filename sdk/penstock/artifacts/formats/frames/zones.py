"""Time zones as plain data. Arrow knows a zone by its name only; here its class is kept too."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import MissingExtra, UnsupportedValue


def noted(zone: tzinfo) -> list[Any]:
    """What `known` makes the same zone of. Raises `NotThisFormat`."""
    if zone is UTC:
        return ["utc"]
    if type(zone) is ZoneInfo and zone.key:
        return ["zoneinfo", zone.key]
    if type(zone) is timezone:
        offset = zone.utcoffset(None)
        if timezone(offset).tzname(None) == zone.tzname(None):
            return ["offset", offset // timedelta(microseconds=1)]
    if type(zone).__module__.partition(".")[0] == "pytz":
        import pytz  # optional: here because the zone is of it

        name = getattr(zone, "zone", None)
        if name and pytz.timezone(name) is zone:
            return ["pytz", name]
    raise NotThisFormat(f"its time zone is {zone!r}")


def known(note: list[Any]) -> tzinfo:
    """Raises `UnsupportedValue` for a zone that this machine does not know."""
    kind, *rest = note
    if kind == "utc":
        return UTC
    if kind == "offset":
        return timezone(timedelta(microseconds=rest[0]))
    if kind == "pytz":
        return _of_pytz(rest[0])
    if kind != "zoneinfo":
        raise ValueError(f"{kind!r} is no kind of time zone")
    try:
        return ZoneInfo(rest[0])
    except ZoneInfoNotFoundError as error:
        raise UnsupportedValue(
            f"A column has the time zone {rest[0]!r}, which is not known on this machine.",
            hint="pip install tzdata",
        ) from error


def _of_pytz(name: str) -> tzinfo:
    try:
        import pytz  # optional: pandas 2 brings it
    except ImportError as error:
        raise MissingExtra(
            f"A column has the time zone {name!r} of pytz, which is not installed.",
            hint="pip install pytz",
        ) from error
    try:
        zone: tzinfo = pytz.timezone(name)
    except pytz.UnknownTimeZoneError as error:
        raise UnsupportedValue(
            f"A column has the time zone {name!r}, which this version of pytz does not know.",
            hint="pip install --upgrade pytz",
        ) from error
    return zone


def name(zone: tzinfo) -> str:
    """The zone as Arrow spells it."""
    if zone is UTC:
        return "UTC"
    if type(zone) is timezone:
        minutes, rest = divmod(zone.utcoffset(None) // timedelta(seconds=1), 60)
        if rest:
            raise NotThisFormat(f"Arrow has no time zone {zone}")
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return str(getattr(zone, "key", None) or getattr(zone, "zone", None))
