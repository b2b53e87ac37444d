"""Materializers with one defect each, and the test of the suite that must find it.

Run by `test_planted.py` in a pytest of its own; every class but the last is meant to fail.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from penstock import Buffer, Materializer, materializer
from penstock.testing import MaterializerTests


class Word:
    def __init__(self, text: Any) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Word) and bytes(other.text) == bytes(self.text)

    __hash__ = None  # type: ignore[assignment]


class Plain(Materializer[Word]):
    """The length, then the bytes."""

    format: ClassVar[str] = "word/1"

    def dump(self, value: Word) -> Sequence[Buffer]:
        return [len(value.text).to_bytes(6, "big"), value.text]

    def load(self, data: Buffer) -> Word:
        if int.from_bytes(data[:6], "big") != len(data) - 6:
            raise ValueError("cut short")
        return Word(memoryview(data)[6:])


class NoVersion(Plain):
    caught_by: ClassVar = "test_its_id_is_a_name_and_a_version"
    format: ClassVar[str] = "word"


class Unknown(Plain):
    caught_by: ClassVar = "test_it_is_the_first_that_is_asked_for_its_values"


class Lossy(Plain):
    caught_by: ClassVar = "test_what_was_dumped_comes_back[bytearray]"

    def load(self, data: Buffer) -> Word:
        return Word(bytes(super().load(data).text).lower())


class WritesWhereItReads(Plain):
    caught_by: ClassVar = "test_what_was_dumped_comes_back[bytes]"

    def load(self, data: Buffer) -> Word:
        memoryview(data)[:0] = b""
        return super().load(data)


class Salted(Plain):
    caught_by: ClassVar = "test_equal_values_give_equal_bytes"

    def dump(self, value: Word) -> Sequence[Buffer]:
        return [*super().dump(value), os.urandom(4)]

    def load(self, data: Buffer) -> Word:
        return super().load(data[:-4])


class Empties(Plain):
    caught_by: ClassVar = "test_a_dump_changes_nothing"

    def dump(self, value: Word) -> Sequence[Buffer]:
        text, value.text = value.text, b""
        return [len(text).to_bytes(6, "big"), text]


class OneBuffer(Plain):
    caught_by: ClassVar = "test_loaded_values_share_nothing"
    last: ClassVar[Buffer] = b""

    def load(self, data: Buffer) -> Word:
        type(self).last = data
        word = super().load(data)
        word.__class__ = type("Word", (Word,), {"text": property(lambda self: OneBuffer.last[6:])})
        return word


class Trusting(Plain):
    caught_by: ClassVar = "test_bytes_that_are_cut_short_or_flipped_never_crash"

    def load(self, data: Buffer) -> Word:
        word = bytearray(int.from_bytes(data[:6], "big") << 16)[:0]
        return Word(word + data[6:])


class Strided(Plain):
    caught_by: ClassVar = "test_buffers_are_bytes_and_views"

    def dump(self, value: Word) -> Sequence[Buffer]:
        return [*super().dump(value)[:1], memoryview(bytes(value.text))[::2]]


PLANTED = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and hasattr(kind, "caught_by")
]


def _suite(kind: type[Plain]) -> type:
    class Suite(MaterializerTests[Word]):
        @pytest.fixture
        def materializer(self) -> type[Plain]:
            if kind not in (NoVersion, Unknown):
                kind.__qualname__ = "Plain"  # as if a cell ran again: it replaces the others
                materializer(Word)(kind)
            return kind

        @pytest.fixture
        def values(self) -> list[Word]:
            return [Word(b"Word"), Word(b""), Word(os.urandom(5000))]

    return Suite


for _kind in [*PLANTED, Plain]:
    globals()[f"Test{_kind.__name__}"] = _suite(_kind)
