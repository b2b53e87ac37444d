"""Reading: plain data becomes settings, or complaints in plain words, all of them at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import did_you_mean, listed
from penstock.stack import describe
from penstock_kubeflow import advice, amounts, inner, refused
from penstock_kubeflow.foreign import ABSENT, FOREIGN, IMPOSSIBLE, snake
from penstock_kubeflow.settings import ENVIRONMENT, NAMES, Settings

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

    from penstock.model.resources import Resources

_text: Final = json.JSONEncoder(default=lambda value: {"": type(value).__name__}).encode
"""What JSON does not have fits nowhere."""

_UNKNOWN: Final = ("unexpected_keyword_argument", "extra_forbidden")


def read(
    values: Mapping[str, Any], resources: Resources | None = None
) -> tuple[Settings | None, list[str]]:
    """The settings, or none; and what is wrong with the data, a sentence each. `resources`: what
    the step says for every stack."""
    from pydantic import ValidationError  # heavy

    wrong = [unknown(name) for name in values if name not in NAMES]
    known = {name: value for name, value in values.items() if name in NAMES and value is not None}
    try:
        # From JSON, because there a mapping may become a class and "yes" still is no bool.
        made = _adapter().validate_json(_text(known), strict=True)
    except ValidationError as error:
        return None, [*wrong, *_complaints(error, known)]
    except (ValueError, TypeError, RecursionError):  # not a number, keys of all kinds
        return None, [*wrong, "the settings are no plain data: text, numbers, lists, mappings."]
    said = (*refused.refused(made), *amounts.limits(made, resources))
    return made, [*wrong, *dict.fromkeys(said)]


def unknown(name: str) -> str:
    """What is said of a setting that there is not."""
    said, ours = f"there is no setting {name!r}", snake(name)
    if ours in IMPOSSIBLE:
        return f"{said}. {IMPOSSIBLE[ours]}."
    if ours in NAMES or ours in FOREIGN or name in FOREIGN:
        same = ours if ours in NAMES else FOREIGN.get(name) or FOREIGN[ours]
        return f"{said}. Here that is {same!r}."
    if ours in ABSENT:
        return f"{said}. Here that is {ABSENT[ours]}."
    return f"{said}. {did_you_mean(ours, NAMES) or f'Settings: {listed(NAMES)}.'}"


@cache
def _adapter() -> TypeAdapter[Settings]:
    from pydantic import TypeAdapter

    return TypeAdapter(Settings)


def _complaints(error: ValidationError, values: Mapping[str, Any]) -> Iterator[str]:
    """One for each place. Where several kinds of things fit, pydantic says of each why it is not
    that one; then what is said of the deepest place is the news."""
    found: dict[str, str] = {}
    for each in error.errors(include_url=False, include_context=False):
        name, *path = each["loc"]
        place = _place(str(name), path, values)
        found[place] = _complaint(str(name), place, each)
    for place, text in found.items():
        if not any(other.startswith((f"{place}.", f"{place}[")) for other in found):
            yield text


def _complaint(name: str, place: str, error: Any) -> str:
    path = error["loc"]
    if error["type"] in _UNKNOWN:
        return f"setting {place.removesuffix(f'.{path[-1]}')!r}: {inner.unknown(path)}"
    if error["type"] == "missing":
        return f"setting {place!r}: {path[-1]!r} is missing in it."
    value, hint = error["input"], inner.hint_at(path)
    # Who gives a number for a variable may have given a secret.
    shown = "" if name in ENVIRONMENT and _may_be_secret(value) else _short(value)
    write = "it in quotes" if not shown and isinstance(value, int | float) else ""
    write = write or (advice.written(name, value, hint) if shown else "")
    fits = f"{shown} does not fit: " if shown else ""
    said = f"setting {place!r}: {fits}{describe.words(hint)} is needed."
    return f"{said} Write {write}." if write else said


def _may_be_secret(value: object) -> bool:
    """A switch is none, and neither is a number with so few digits."""
    if isinstance(value, int | float):  # bool is a kind of int
        return not isinstance(value, bool) and len(str(value)) > 3
    return True


def _place(name: str, path: list[Any], values: Mapping[str, Any]) -> str:
    """`tolerations[0].operator`: as far as it leads into the data. The rest are pydantic's own
    names for the kinds of things that it has tried."""
    at: Any = values.get(name)
    place = name
    for each in path:
        if isinstance(at, list | tuple) and isinstance(each, int) and each < len(at):
            place += f"[{each}]"
        elif isinstance(at, Mapping) and each in at:
            place += f".{each}"
        else:
            continue
        at = at[each]
    return place


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
