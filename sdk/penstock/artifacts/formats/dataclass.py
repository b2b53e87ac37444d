"""Dataclasses as JSON: the fields are data, the class is the annotation's."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable
from types import MemberDescriptorType
from typing import Any, ClassVar

from penstock.artifacts.formats.by_annotation import ByAnnotation
from penstock.artifacts.formats.data import reading
from penstock.artifacts.formats.json import Json
from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import CorruptArtifact, TypeMismatch
from penstock.model.names import reference
from penstock.model.signature import class_in


class Dataclass(ByAnnotation):
    """A dataclass of plain data and of dataclasses that its annotations name exactly.

    It comes back as it was, without `__init__` and `__post_init__`: these ran when it was made,
    and may count, check or change what is final by now.
    """

    format: ClassVar[str] = "dataclass/1"

    def __init__(self, kind: type[Any] | None) -> None:
        super().__init__(kind)
        self._named: set[type] = set()

    def names(self) -> Iterable[object]:
        return self._named

    def write(self, value: Any) -> bytes:
        try:
            lowered = self._lowered(value, type(value))
        except RecursionError:
            raise NotThisFormat("nested too deeply") from None
        return b"".join(Json(None).dump(lowered))

    def read(self, text: bytes) -> Any:
        data = Json(None).load(text)
        with reading(self.format):
            return _raised(data, self.kind)

    def _lowered(self, value: Any, hint: Any) -> Any:
        """The value with dataclasses as dicts, wherever the annotation says that one is there."""
        kind = _dataclass(hint)
        if kind is None:
            return _each(value, hint, self._lowered)
        if value is None and kind is not hint:  # Optional
            return None
        if type(value) is not kind:
            raise NotThisFormat(f"{type(value).__qualname__} where {kind.__qualname__} is declared")
        self._named.add(kind)
        hints = _fields(kind)
        if _state(value) != hints.keys():
            raise NotThisFormat("it has more, or less, than its fields")
        return {name: self._lowered(getattr(value, name), hints[name]) for name in hints}


def _raised(data: Any, hint: Any) -> Any:
    kind = _dataclass(hint)
    if kind is None:
        return _each(data, hint, _raised)
    if data is None and kind is not hint:
        return None
    if type(data) is not dict:
        raise CorruptArtifact(f"There are no fields of a {reference(kind)!r}.")
    try:
        hints = _fields(kind)
    except NotThisFormat as error:
        raise TypeMismatch(f"{reference(kind)!r} is not what was stored: {error}.") from error
    if data.keys() != hints.keys():
        raise TypeMismatch(
            f"{reference(kind)!r} was stored with the fields {', '.join(data) or 'none'}; "
            f"it now has {', '.join(hints) or 'none'}.",
            hint="Annotate with the class that was stored, or run the step again.",
        )
    value = object.__new__(kind)
    for name, item in data.items():
        object.__setattr__(value, name, _raised(item, hints[name]))
    return value


def _each(value: Any, hint: Any, change: Callable[[Any, Any], Any]) -> Any:
    """A container with every item changed as its own annotation says; anything else as it is."""
    if typing.get_origin(hint) is typing.Annotated:
        return _each(value, typing.get_args(hint)[0], change)
    kind, arguments = class_in(hint), typing.get_args(hint)
    if kind is None or typing.get_origin(hint) is not kind:
        inside = [item for item in arguments if item is not type(None)]
        # Optional[list[Point]]: the one alternative that is not None.
        return _each(value, inside[0], change) if kind is not None and inside else value
    if kind is list and type(value) is list:
        return [change(item, arguments[0]) for item in value]
    if kind is dict and type(value) is dict:
        return {key: change(item, arguments[1]) for key, item in value.items()}
    if kind is tuple and type(value) is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(change(item, arguments[0]) for item in value)
        if len(arguments) == len(value):
            return tuple(map(change, value, arguments))
    return value


def _dataclass(hint: Any) -> type[Any] | None:
    kind = class_in(hint)
    return kind if kind is not None and "__dataclass_fields__" in vars(kind) else None


def _fields(kind: Any) -> dict[str, Any]:
    """Annotations by field. Raises `NotThisFormat` for a class that is more than its fields."""
    if kind.__new__ is not object.__new__:
        raise NotThisFormat(f"{kind.__qualname__} makes its own objects")
    if kind.__reduce__ is not object.__reduce__ or kind.__reduce_ex__ is not object.__reduce_ex__:
        raise NotThisFormat(f"{kind.__qualname__} says how it is pickled")
    if getattr(kind.__getstate__, "__module__", "dataclasses") not in (None, "dataclasses"):
        raise NotThisFormat(f"{kind.__qualname__} says how it is pickled")
    fields = dataclasses.fields(kind)
    if any(map(_is_init_var, kind.__dataclass_fields__.values())):
        raise NotThisFormat(f"{kind.__qualname__} is made of more than its fields")
    if not all(field.init for field in fields):
        raise NotThisFormat(f"{kind.__qualname__} computes fields")
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
        return {field.name: hints[field.name] for field in fields}
    except Exception as error:  # names that exist for type checkers only, and whatever they do
        raise NotThisFormat(f"an annotation of {kind.__qualname__}: {error}") from None


def _is_init_var(field: dataclasses.Field[Any]) -> bool:
    # The one mark that dataclasses leaves; its value is private, its name is not likely to change.
    return "INITVAR" in repr(getattr(field, "_field_type", ""))


def _state(value: Any) -> set[str]:
    """The names of everything that the object holds."""
    held = set(getattr(value, "__dict__", ()))
    for base in type(value).__mro__:
        for name, slot in vars(base).items():
            if isinstance(slot, MemberDescriptorType) and hasattr(value, name):
                held.add(name)
    return held
