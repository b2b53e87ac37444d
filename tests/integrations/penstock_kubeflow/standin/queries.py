"""Lists: filters, order and pages, as the server reads them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from gateway import invalid

Row = Mapping[str, Any]

_COMMON: Final = {
    "id": "id", "name": "display_name", "display_name": "display_name",
    "created_at": "created_at", "description": "description", "namespace": "namespace",
}  # fmt: skip
RUNS: Final = {
    **_COMMON, "run_id": "id", "finished_at": "finished_at", "scheduled_at": "scheduled_at",
    "storage_state": "storage_state", "status": "state", "state": "state",
    "experiment_id": "experiment_id", "recurring_run_id": "recurring_run_id",
}  # fmt: skip
EXPERIMENTS: Final = {
    **_COMMON, "experiment_id": "id", "storage_state": "storage_state",
    "last_run_created_at": "last_run_created_at",
}  # fmt: skip
RECURRING: Final = {
    **_COMMON, "recurring_run_id": "id", "experiment_id": "experiment_id", "status": "status",
    "updated_at": "updated_at",
}  # fmt: skip
PIPELINES: Final = {**_COMMON, "pipeline_id": "id", "pipeline_version_id": "id"}

_OPERATIONS: Final = {
    1: "EQUALS", 2: "NOT_EQUALS", 3: "GREATER_THAN", 5: "GREATER_THAN_EQUALS", 6: "LESS_THAN",
    7: "LESS_THAN_EQUALS", 8: "IN", 9: "IS_SUBSTRING",
}  # fmt: skip
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "EQUALS": lambda a, b: a == b,
    "NOT_EQUALS": lambda a, b: a != b,
    "GREATER_THAN": lambda a, b: a > b,
    "GREATER_THAN_EQUALS": lambda a, b: a >= b,
    "LESS_THAN": lambda a, b: a < b,
    "LESS_THAN_EQUALS": lambda a, b: a <= b,
    "IN": lambda a, b: a in b,
    "IS_SUBSTRING": lambda a, b: b in a,
}
_VALUES: Final = (
    "int_value", "long_value", "string_value", "timestamp_value", "int_values", "long_values",
    "string_values",
)  # fmt: skip


def page(
    rows: Sequence[Row], keys: Mapping[str, str], asked: Mapping[str, str]
) -> tuple[Sequence[Row], Mapping[str, Any]]:
    """The rows that are asked for, and what the answer has besides."""
    sorted_by, told = asked.get("sort_by", ""), asked.get("filter", "")
    size = _size(asked.get("page_size", "0"))
    begin = _begin(asked.get("page_token", ""), sorted_by, told)
    predicates = _predicates(told, keys)
    key, backwards = _order(sorted_by, keys)
    found = [row for row in rows if all(each(row) for each in predicates)]
    found.sort(key=lambda row: (key in row, row.get(key), row["id"]), reverse=backwards)
    shown = found[begin : begin + size]
    more = {"total_size": len(found)} if found else {}
    if begin + size < len(found):
        token = json.dumps([sorted_by, told, begin + size])
        more["next_page_token"] = base64.urlsafe_b64encode(token.encode()).decode()
    return shown, more


def _size(text: str) -> int:
    try:
        size = int(text or 0)
    except ValueError:
        raise invalid(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if size < 0:
        raise invalid(f"The page size should be greater than 0. Got {size}")
    return min(size or 20, 200)


def _begin(token: str, sorted_by: str, told: str) -> int:
    if not token:
        return 0
    try:
        before, filtered, begin = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise invalid("Invalid package token.") from None
    if (sorted_by and before != sorted_by) or (told and filtered != told):
        raise invalid("page token does not match the supplied sort by and/or filtering criteria.")
    return int(begin)


def _order(text: str, keys: Mapping[str, str]) -> tuple[str, bool]:
    words = text.lower().split()
    if len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
        raise invalid(f'Received invalid sort by format "{text}"')
    name = words[0] if words else "created_at"
    if name not in keys:
        raise invalid(f"Invalid sorting field: {name}")
    return keys[name], words[1:] == ["desc"]


def _predicates(told: str, keys: Mapping[str, str]) -> list[Callable[[Row], bool]]:
    if not told:
        return []
    text = unquote_plus(told)  # once more, after HTTP
    try:
        given = json.loads(text)
        if not isinstance(given, dict) or given.keys() - {"predicates"}:
            raise ValueError("unknown field")
        return [_predicate(each, keys) for each in given.get("predicates", ())]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise invalid(f"failed to parse valid filter from {told!r}: {error!r}") from error


def _predicate(given: Mapping[str, Any], keys: Mapping[str, str]) -> Callable[[Row], bool]:
    said = {_snake(name): value for name, value in given.items()}
    operation = _OPERATIONS.get(given["operation"], given["operation"])
    del said["operation"]
    key = said.pop("key")
    ((kind, value),) = said.items()
    if operation not in _COMPARE or kind not in _VALUES:
        raise ValueError(given)
    if key not in keys:
        raise invalid(f'no support for filtering on unrecognized field "{key}"')
    if kind.endswith("_values"):
        value = value["values"]
    elif operation == "IN":
        raise invalid("cannot use IN operator with scalar type")
    if operation == "IS_SUBSTRING" and kind != "string_value":
        raise invalid("cannot use non string value type with operator IS_SUBSTRING")
    if kind == "timestamp_value":
        value = int(datetime.fromisoformat(value).timestamp())
    wanted = _folded(value)
    return lambda row: _COMPARE[operation](_folded(_comparable(row.get(keys[key]))), wanted)


def _comparable(value: Any) -> Any:
    """Times are whole seconds in the database."""
    return int(value) if isinstance(value, float) else value or ""


def _folded(value: Any) -> Any:
    """Its database takes large and small letters for the same."""
    if isinstance(value, list):
        return [_folded(each) for each in value]
    return value.lower() if isinstance(value, str) else value


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
