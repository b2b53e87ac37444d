"""Masking: secrets are replaced by `***` in whatever is kept or shown of a step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

_dump: Final = json.JSONEncoder().encode
_dump_readable: Final = json.JSONEncoder(ensure_ascii=False).encode

MASK: Final = b"***"

SHORTEST: Final = 4
"""Characters of a value that is masked: to replace every "on" or "1" would hide nothing and make
logs unreadable."""


class Masked(Protocol):
    """One text that comes in parts."""

    def feed(self, data: bytes) -> bytes:
        """What can be told of the text so far, beyond what was told before."""

    def rest(self) -> bytes:
        """The end of the text: what was held back because it might have become a secret."""


class Mask:
    """Hides some values, and each line of them, also as `repr`, JSON and URLs spell them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        found = {item.encode("utf-8", "backslashreplace") for item in spellings(values)}
        self._hidden = sorted(found, key=len, reverse=True)
        self._longest = len(self._hidden[0]) if self._hidden else 0
        # Of two that begin alike the longer one is found: it stands first.
        self._pattern = re.compile(b"|".join(map(re.escape, self._hidden)))
        heads = {re.escape(item[:SHORTEST]) for item in self._hidden}
        self._heads = re.compile(b"(?=%b)" % b"|".join(sorted(heads)))

    def encoded(self, data: bytes) -> bytes:
        """All of a text, encoded in UTF-8, without the secrets."""
        return self._pattern.sub(MASK, data) if self._hidden else data

    def text(self, text: str) -> str:
        """All of a text without the secrets."""
        if not self._hidden:
            return text
        return self.encoded(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def shown(self, text: str) -> str:
        """All of a text without the secrets; of one that was cut off, as `…` says, also without
        the beginning of a secret at its end."""
        if not self._hidden or not text.endswith("…"):
            return self.text(text)
        told, tail = self.split(text[:-1].encode("utf-8", "surrogatepass"))
        rest = MASK if tail else b""
        return (told + rest).decode("utf-8", "surrogatepass") + "…"

    def plain(self, value: Any) -> Any:
        """Plain data without the secrets."""
        if not self._hidden:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.plain(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.plain(item) for item in value])
        shown = repr(value)
        return value if self.text(shown) == shown else MASK.decode()

    def stream(self) -> Masked:
        """For a text that comes in parts: a secret may be cut in two anywhere."""
        return _Stream(self) if self._hidden else _Plain()

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """What can be told of a text, and its tail, which may become a secret with what follows."""
        told: list[bytes] = []
        at = 0
        while True:
            tail = self._open(data, at)
            found = self._pattern.search(data, at, len(data))
            if found is None or found.start() >= tail:
                return b"".join([*told, data[at:tail]]), data[tail:]
            told += [data[at : found.start()], MASK]
            at = found.end()

    def _open(self, data: bytes, start: int) -> int:
        """Where the first secret may begin whose end is not there yet."""
        window = max(start, len(data) - self._longest + 1)
        for found in self._heads.finditer(data, window):
            if self._may_become(data[found.start() :]):
                return found.start()
        for at in range(max(window, len(data) - SHORTEST + 1), len(data)):
            if self._may_become(data[at:]):
                return at
        return len(data)

    def _may_become(self, tail: bytes) -> bool:
        return any(len(item) > len(tail) and item.startswith(tail) for item in self._hidden)


class _Stream:
    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._tail = b""

    def feed(self, data: bytes) -> bytes:
        told, self._tail = self._mask.split(self._tail + data)
        return told

    def rest(self) -> bytes:
        rest, self._tail = self._tail, b""
        return self._mask.encoded(rest)


class _Plain:
    """Of a text in which there is nothing to hide."""

    def feed(self, data: bytes) -> bytes:
        return data

    def rest(self) -> bytes:
        return b""


def spellings(values: Iterable[str]) -> Iterator[str]:
    """What must not be seen of these values."""
    parts = {part.strip() for value in values for part in (value, *value.splitlines())}
    long = {part for part in parts if len(part) >= SHORTEST}
    if not long:
        return
    from urllib.parse import quote, quote_plus  # slow to import, and only where there are secrets

    for part in long:
        yield part
        yield repr(part)[1:-1]
        yield ascii(part)[1:-1]
        yield _dump(part)[1:-1]
        yield _dump_readable(part)[1:-1]
        yield quote(part)
        yield quote(part, safe="")
        yield quote_plus(part)


NOTHING: Final = Mask()
"""Hides nothing, and costs nothing."""
