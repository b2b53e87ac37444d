"""Text as itself, in UTF-8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer


class Text(Materializer[str]):
    """A `str`, but not one with lone surrogates, which UTF-8 does not have."""

    format: ClassVar[str] = "text/1"
    suffix: ClassVar[str] = ".txt"

    def dump(self, value: str) -> Sequence[Buffer]:
        try:
            return [value.encode()]
        except UnicodeEncodeError as error:
            raise NotThisFormat(str(error)) from None

    def load(self, data: Buffer) -> str:
        with reading(self.format):
            return str(data, "utf-8")
