"""Bodies of requests, checked against the models that are installed with `kfp_server_api`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from gateway import invalid


def checked(model: str, data: Any) -> dict[str, Any]:
    """The body itself. Refuses what the model does not know, and values of another kind."""
    if not isinstance(data, dict):
        raise invalid(f"proto: syntax error (line 1:1): unexpected token {str(data)[:40]!r}")
    _model(model, data, model)
    return data


def _model(name: str, data: Any, place: str) -> None:
    from kfp_server_api import models

    known = getattr(models, name)
    if not hasattr(known, "openapi_types") or not known.openapi_types:
        _one_of(known, data, place)
        return
    if not isinstance(data, dict):
        raise invalid(f"proto: {place}: unexpected token {str(data)[:40]!r}, expected an object")
    kinds = {known.attribute_map[each]: kind for each, kind in known.openapi_types.items()}
    for key, value in data.items():
        if key not in kinds:
            raise invalid(f'proto: (line 1:2): unknown field "{key}" in {place}')
        if value is not None:
            _value(kinds[key], value, f"{place}.{key}")


def _value(kind: str, value: Any, place: str) -> None:
    if found := re.fullmatch(r"list\[(.*)\]", kind):
        _is(isinstance(value, list), value, place)
        for each in value:
            _value(found[1], each, place)
    elif found := re.fullmatch(r"dict\(str, (.*)\)", kind):
        _is(isinstance(value, dict), value, place)
        for each in value.values():
            _value(found[1], each, place)
    elif kind in _NATIVE:
        _is(_NATIVE[kind](value), value, place)
    else:
        _model(kind, value, place)


def _is(right: bool, value: Any, place: str) -> None:
    if not right:
        raise invalid(f"proto: invalid value for {place}: {str(value)[:60]!r}")


def _one_of(known: Any, value: Any, place: str) -> None:
    """An enumeration, by name."""
    _is(value in known.allowable_values, value, place)


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _is_text(value: Any) -> bool:
    """Whole numbers of 64 bits are texts in the models, and may come as numbers."""
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


_NATIVE = {
    "str": _is_text,
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "object": lambda _: True,
    "datetime": _is_time,
}
