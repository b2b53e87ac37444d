"""Plain data as JSON, exactly: tuples, sets, bytes, NaN and other keys come back as they were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.model.plain import NotPlain, decode, encode

_SPLIT: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class Json(Materializer[Any]):
    """What `penstock.model.plain` calls plain data. The text is ASCII."""

    format: ClassVar[str] = "json/1"
    suffix: ClassVar[str] = ".json"

    def dump(self, value: Any) -> Sequence[Buffer]:
        try:
            text = encode(value)
        except NotPlain as error:
            raise NotThisFormat(str(error)) from None
        # JSON cannot tell two halves of a surrogate pair from the character that they make.
        if "\\ud" in text and _has_split_character(value):
            raise NotThisFormat("a character is split into surrogates")
        return [text.encode("ascii")]

    def load(self, data: Buffer) -> Any:
        with reading(self.format):
            return decode(data if isinstance(data, (bytes, bytearray)) else bytes(data))


def _has_split_character(value: Any) -> bool:
    if isinstance(value, str):
        return _SPLIT.search(value) is not None
    if isinstance(value, dict):
        return any(map(_has_split_character, value)) or _has_split_character(list(value.values()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(_has_split_character, value))
    return False
