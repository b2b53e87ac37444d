"""Formats whose bytes do not say how to make the value: that the annotation's class knows.

No name in a store is ever imported. The class's name is written down only to be compared, so that
a value never comes back as one of another class with the same fields.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer
from penstock.artifacts.store import Buffer
from penstock.errors import TypeMismatch
from penstock.model.names import reference

_dump: Final = json.JSONEncoder().encode


class ByAnnotation(Materializer[Any]):
    """One line with the class's name, then one with the value. Both are JSON."""

    suffix: ClassVar[str] = ".jsonl"
    needs_kind: ClassVar[bool] = True

    def dump(self, value: Any) -> Sequence[Buffer]:
        name = _dump(reference(type(value)))
        return [f"{name}\n".encode("ascii"), self.write(value)]

    def load(self, data: Buffer) -> Any:
        with reading(self.format):
            line, found, text = bytes(data).partition(b"\n")
            name = json.loads(line)
            if not found or type(name) is not str:
                raise ValueError("there is no line with a class")
        if self.kind is None:
            raise TypeMismatch(
                f"The value is a {name!r}, and only an annotation says which class that is.",
                hint=f"Annotate the output, or the parameter, with {name.rpartition(':')[2]}.",
            )
        if reference(self.kind) != name:
            raise TypeMismatch(
                f"The value is a {name!r}, and not the annotated {reference(self.kind)!r}.",
                hint=f"Annotate it with {name.rpartition(':')[2]}, or run the step again.",
            )
        return self.read(text)

    @abstractmethod
    def write(self, value: Any) -> bytes:
        """The value as one line. Raises `NotThisFormat`."""

    @abstractmethod
    def read(self, text: bytes) -> Any:
        """The value, of class `self.kind`. Raises `TypeMismatch` if the class has changed."""
