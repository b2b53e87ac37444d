"""Fields of dataclasses and pydantic models: parameters that are said piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

from penstock.errors import BadStep
from penstock.model.signature import REQUIRED, Signature, class_in

Path = tuple[str, ...]
"""A parameter's name, then names of fields."""

Said = Mapping[Path, Any]
"""What was said of parameters and their fields: on a command line, in a file."""


class Unmade(Exception):
    """A value cannot be made of what was said of its fields."""

    def __init__(self, path: Path, kind: type[Any], error: Exception | None = None) -> None:
        super().__init__(path)
        self.path = path
        """What cannot be made; or, without an error, the field that was not said."""
        self.kind = kind
        self.error = error
        """What the class has against its fields: its own check, or pydantic's."""


def arguments(signature: Signature, said: Said) -> tuple[dict[str, Any], list[Unmade]]:
    """The arguments of a pipeline, and what cannot be made; parameters that nothing was said of
    are left out. Fields that nothing was said of are those of the default."""
    found: dict[str, Any] = {}
    unmade = []
    for name, parameter in signature.parameters.items():
        mine = {path[1:]: value for path, value in said.items() if path[0] == name}
        if mine:
            try:
                found[name] = _built((name,), parameter.hint, parameter.default, mine)
            except Unmade as error:
                unmade.append(error)
    return found, unmade


def fields_of(kind: type[Any] | None) -> dict[str, tuple[Any, Any]] | None:
    """Name → (annotation, default) of the fields of a dataclass or pydantic model, else nothing."""
    if kind is None:
        return None
    if is_dataclass(kind):
        hints = _hints(kind)
        return {
            item.name: (
                hints[item.name],
                item.default if item.default is not MISSING
                else item.default_factory() if item.default_factory is not MISSING else REQUIRED,
            )
            for item in fields(kind) if item.init
        }  # fmt: skip
    if hasattr(kind, "model_fields") and hasattr(kind, "model_validate"):
        return {
            name: (
                item.annotation,
                REQUIRED if item.is_required() else item.get_default(call_default_factory=True),
            )
            for name, item in kind.model_fields.items()
        }
    return None


def default_of(whole: Any, name: str, own: Any) -> Any:
    """The default of a field: that of the value around it, if there is one, else its own."""
    return own if whole is REQUIRED or whole is None else getattr(whole, name)


def _built(path: Path, hint: Any, default: Any, said: Said) -> Any:
    if () in said:
        return said[()]
    kind: Any = class_in(hint)
    values = {}
    for name, (field_hint, field_default) in (fields_of(kind) or {}).items():
        inside = default_of(default, name, field_default)
        mine = {rest[1:]: each for rest, each in said.items() if rest[0] == name}
        if mine:
            values[name] = _built((*path, name), field_hint, inside, mine)
        elif inside is not REQUIRED:
            values[name] = inside
        else:
            raise Unmade((*path, name), kind)
    try:
        return kind(**values)
    except Exception as error:  # the class's own checks, and pydantic's
        raise Unmade(path, kind, error) from error


def _hints(kind: type[Any]) -> dict[str, Any]:
    try:
        return get_type_hints(kind)
    except Exception as error:  # an annotation can hold any expression
        raise BadStep(
            f"The annotations of {kind.__qualname__} cannot be read: {error}.",
            hint="Import their names outside `if TYPE_CHECKING:`.",
        ) from error
