"""The JSON Schema of a flavor's options: what a file may say, references included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from penstock.model.component import StackComponent
from penstock.model.references import REFERENCE
from penstock.stack import describe

Schema = dict[str, Any]

REFERENCE_SCHEMA: Final[Schema] = {
    "type": "string",
    "pattern": REFERENCE.pattern,
    "description": "${env:NAME} or ${file:PATH}",
}
ALSO: Final = "#/$defs/reference"
"""Where a file's schema has `REFERENCE_SCHEMA`."""

_SPANS: Final = ("date", "time", "date-time", "duration")
_NO_TEXT: Final = ("integer", "number", "boolean")
_NARROW: Final = frozenset({"const", "enum", "maxLength", "minLength", "pattern"})
_SEVERAL: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE: Final = ("items", "additionalProperties", "contains", "propertyNames")
_NAMED: Final = ("properties", "patternProperties", "$defs")


def options(cls: type[StackComponent], prefix: str) -> tuple[Schema, dict[str, Schema]]:
    """Of each option; and what these refer to, under names that begin with `prefix`.

    Raises `BadConfiguration` for annotations that cannot be read.
    """
    found: Schema = {}
    shared: dict[str, Schema] = {}
    hints = describe.type_hints(cls)
    for option in describe.options(cls):
        kind, parts = _of(hints[option.name], f"{prefix}.{option.name}.")
        shared |= parts
        said: Schema = {"description": option.description or f"What is needed is {option.type}."}
        if option.default is not None and isinstance(option.default, str | int | float):
            said["default"] = option.default
        found[option.name] = {**said, **kind}
    return found, shared


def _of(hint: Any, prefix: str) -> tuple[Schema, dict[str, Schema]]:
    """What fits this type, and its parts. Anything does if only code can give it."""
    from pydantic import PydanticUserError, TypeAdapter  # heavy; whoever wants a schema has time
    from pydantic.json_schema import GenerateJsonSchema

    class Quiet(GenerateJsonSchema):
        """Says nothing about defaults that are no JSON: they are left out."""

        def emit_warning(self, kind: str, detail: str) -> None: ...

    try:
        # In a tuple, because a dataclass alone takes no configuration from outside.
        adapter = TypeAdapter(tuple[hint], config={"extra": "forbid"})
        whole = adapter.json_schema(
            ref_template=f"#/$defs/{prefix}{{model}}", schema_generator=Quiet
        )
    except PydanticUserError:
        return {}, {}
    parts = {f"{prefix}{name}": _loose(part) for name, part in whole.get("$defs", {}).items()}
    return _loose(whole["prefixItems"][0]), parts


def _loose(node: Any) -> Any:
    """The same, where any value may also be a reference, which is text before it is resolved."""
    if not isinstance(node, Mapping):
        return node
    found = {key: _inside(key, value) for key, value in node.items() if key != "title"}
    if found.pop("format", "") in _SPANS:
        found["type"] = ["string", "number"]
    if found.get("type") in _NO_TEXT or not _NARROW.isdisjoint(found):
        return {"anyOf": [found, {"$ref": ALSO}]}
    return found


def _inside(key: str, value: Any) -> Any:
    if key in _ONE:
        return _loose(value)
    if key in _SEVERAL:
        return [_loose(each) for each in value]
    if key in _NAMED:
        return {name: _loose(each) for name, each in value.items()}
    return value
