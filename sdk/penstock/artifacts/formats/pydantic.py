"""pydantic models as JSON: what pydantic writes, if it reads it again as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from penstock.artifacts.formats.by_annotation import ByAnnotation
from penstock.artifacts.materializer import NotThisFormat
from penstock.errors import CorruptArtifact, TypeMismatch
from penstock.model.names import reference

if TYPE_CHECKING:
    from pydantic import BaseModel


class Pydantic(ByAnnotation):
    """A model that comes back equal, which is tried before it is stored.

    As for pydantic's own `==`, it does not count which fields were given and which are defaults:
    all of them are given in what comes back.
    """

    format: ClassVar[str] = "pydantic/1"

    def write(self, value: BaseModel) -> bytes:
        try:
            text = value.model_dump_json(by_alias=True, round_trip=True, warnings=False)
            back = type(value).model_validate_json(text)
        except Exception as error:  # validators and serializers are the user's
            raise NotThisFormat(f"pydantic: {error}") from None
        if not _same(value, back):
            raise NotThisFormat("pydantic would read another value than it writes")
        return text.encode()

    def read(self, text: bytes) -> BaseModel:
        from pydantic import BaseModel, ValidationError  # optional: here for a value of its kind

        kind: Any = self.kind
        if not issubclass(kind, BaseModel):
            raise TypeMismatch(f"{reference(kind)!r} was a pydantic model when it was stored.")
        try:
            model: BaseModel = kind.model_validate_json(text)
        except ValidationError as error:
            if any(item["type"] == "json_invalid" for item in error.errors()):
                raise CorruptArtifact(f"The bytes are not JSON: {error}") from error
            raise TypeMismatch(
                f"{reference(kind)!r} does not take what was stored of it: {error}",
                hint="Annotate with the class that was stored, or run the step again.",
            ) from error
        return model


def _same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down: to `==`, 1 is 1.0 and "red" is Color.RED."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return _same(list(one.items()), list(other.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (set, frozenset)):
        kinds = [sorted(type(item).__qualname__ for item in each) for each in (one, other)]
        return bool(one == other) and kinds[0] == kinds[1]
    if hasattr(one, "__pydantic_fields_set__"):
        return all(
            _same(getattr(one, part, None), getattr(other, part, None))
            for part in ("__dict__", "__pydantic_extra__", "__pydantic_private__")
        )
    return bool(one == other)
