"""Plain data as JSON, exactly: tuples, sets, bytes, NaN and other keys come back as they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.model.plain import NotPlain, decode, encode


class Json(Materializer[Any]):
    """What `penstock.model.plain` calls plain data. The text is ASCII."""

    format: ClassVar[str] = "json/1"
    suffix: ClassVar[str] = ".json"

    def dump(self, value: Any) -> Sequence[Buffer]:
        try:
            text = encode(value)
        except NotPlain as error:
            raise NotThisFormat(str(error)) from None
        return [text.encode("ascii")]

    def load(self, data: Buffer) -> Any:
        with reading(self.format):
            return decode(data if isinstance(data, (bytes, bytearray)) else bytes(data))
