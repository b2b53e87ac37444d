"""YAML as it is usually written, read line by line: before its library is even loaded, and many
times as quick. What is written in another way, or is wrong, is the library's to read.

Whatever is read here, ruamel must read alike, to the last column: a test compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

_TAG: Final = "tag:yaml.org,2002:"
_NOT_TEXT: Final = frozenset({"null", "true", "false", ".inf", ".nan"})
"""To some reader or other."""

_CHARACTERS: Final = re.compile(r"[\n -~\u00a1-\u1fff]*")
_KEY: Final = r"([A-Za-z_][\w.-]{0,127}):(?=[ \n]|\Z)"
_HEAD: Final = re.compile(rf"( *)(?:{_KEY}|(-)(?= ))? *", re.ASCII)
_FLOW_KEY: Final = re.compile(rf"{_KEY} *", re.ASCII)
_SCALAR: Final = re.compile(
    r"""(?P<text>(?:[A-Za-z_/]|\.{1,2}/|\.[A-Za-z]|~/)(?:[\w./@+=~-]|:(?=[\w./]))*)"""
    r"""|"(?P<double>[^"\\\n]*)"|'(?P<single>[^'\n]*)'|(?P<int>0|[1-9]\d{0,17})(?![\w.:+-])""",
    re.ASCII,
)
_GAP: Final = re.compile(r" *")
_REST: Final = re.compile(r" *$| +#", re.MULTILINE)
_QUOTES: Final = {"double": '"', "single": "'"}


class Unusual(Exception):
    """This is not to be read here."""


@dataclass(slots=True)
class Mark:
    """A place in the text, counted from 0."""

    index: int
    line: int
    column: int


@dataclass(slots=True)
class Raw:
    """A value as it is written; with the attributes of ruamel's nodes."""

    id: str
    tag: str
    value: Any
    start_mark: Mark
    end_mark: Mark
    style: str | None = None
    flow_style: bool = False
    anchor: None = None


class Scalars:
    """What scalars say; with the methods of ruamel's constructor."""

    def construct_yaml_int(self, raw: Raw) -> int:
        return int(raw.value)

    def construct_yaml_bool(self, raw: Raw) -> bool:
        return bool(raw.value == "true")

    def construct_yaml_null(self, raw: Raw) -> None: ...


def compose(text: str) -> Raw | None:
    """The document; None if there is none."""
    if not _CHARACTERS.fullmatch(text):
        raise Unusual
    return _Blocks(text).read()


class _Line:
    """Reads from one line, and knows how far it is."""

    def __init__(self, text: str, number: int, start: int) -> None:
        self.at = start
        self._text = text
        self._number = number
        self._start = start

    def mark(self, at: int) -> Mark:
        return Mark(at, self._number, at - self._start)

    def next(self) -> str:
        return self._text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """What stands here; it ends on this line."""
        found = pattern.match(self._text, self.at)
        if found is None:
            raise Unusual
        self.at = found.end()
        return found

    def key(self, found: re.Match[str], group: int) -> Raw:
        start, end = found.span(group)
        word = found[group]
        return Raw("scalar", _tag_of(word), word, self.mark(start), self.mark(end))

    def nothing(self, at: int) -> Raw:
        """A value that is not written; its key ends at `at`."""
        return Raw("scalar", f"{_TAG}null", "", self.mark(at), self.mark(at))

    def value(self) -> Raw:
        if self.next() in ("{", "["):
            return self._brackets()
        found = self.take(_SCALAR)
        kind = str(found.lastgroup)
        tag = f"{_TAG}int" if kind == "int" else f"{_TAG}str"
        if kind == "text":
            tag = _tag_of(found[kind])
        start, end = map(self.mark, found.span())
        return Raw("scalar", tag, found[kind], start, end, _QUOTES.get(kind))

    def _brackets(self) -> Raw:
        start, is_mapping = self.at, self.next() == "{"
        parts: list[Any] = []
        close = "}" if is_mapping else "]"
        self.at += 1
        self.take(_GAP)
        while self.next() != close:
            if parts:
                self._comma()
            parts.append(self._pair() if is_mapping else self.value())
            self.take(_GAP)
        self.at += 1
        kind, tag = ("mapping", "map") if is_mapping else ("sequence", "seq")
        marks = self.mark(start), self.mark(self.at)
        return Raw(kind, f"{_TAG}{tag}", parts, *marks, flow_style=True)

    def _comma(self) -> None:
        if self.next() != ",":
            raise Unusual
        self.at += 1
        self.take(_GAP)

    def _pair(self) -> tuple[Raw, Raw]:
        return self.key(self.take(_FLOW_KEY), 1), self.value()


class _Blocks:
    """The mappings and lists that are open, each at its column."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._open: list[tuple[int, Raw]] = []
        self._waits = False
        """Whether the last key has no value yet."""

    def read(self) -> Raw | None:
        start = 0
        for number, line in enumerate(self._text.split("\n")):
            self._line(_Line(self._text, number, start))
            start += len(line) + 1
        return self._open[0][1] if self._open else None

    def _line(self, line: _Line) -> None:
        head = line.take(_HEAD)
        is_empty = line.next() in ("", "\n") or self._begins_comment(line.at)
        if head[2]:
            key = line.key(head, 2)
            parts = self._turn_to(key.start_mark.column, "mapping", key.start_mark)
            parts.append((key, line.nothing(head.end(2)) if is_empty else line.value()))
            self._waits = is_empty
        elif head[3] and not is_empty:
            mark = line.mark(head.start(3))
            self._turn_to(mark.column, "sequence", mark).append(line.value())
            self._waits = False
        elif head[3] or not is_empty:
            raise Unusual
        if not is_empty:
            line.take(_REST)

    def _begins_comment(self, at: int) -> bool:
        return self._text[at] == "#" and (at == 0 or self._text[at - 1] in " \n")

    def _turn_to(self, column: int, kind: str, mark: Mark) -> list[Any]:
        """Where the part goes that begins at this column: what does not reach it is closed."""
        if not self._open or (self._waits and self._is_below(column, kind)):
            self._begin(column, kind, mark)
        while _is_over(*self._open[-1], column, kind):
            self._open.pop()
        at, raw = self._open[-1]
        if (at, raw.id) != (column, kind):
            raise Unusual
        parts: list[Any] = raw.value
        return parts

    def _is_below(self, column: int, kind: str) -> bool:
        """Whether this belongs to the last key. The dashes of a list may stand right below it."""
        at = self._open[-1][0]
        return column > at or (column == at and kind == "sequence")

    def _begin(self, column: int, kind: str, mark: Mark) -> None:
        tag = f"{_TAG}{'map' if kind == 'mapping' else 'seq'}"
        raw = Raw(kind, tag, [], mark, mark)
        if self._open:
            parts = self._open[-1][1].value
            parts[-1] = parts[-1][0], raw
        elif column or kind != "mapping":
            raise Unusual
        self._open.append((column, raw))


def _is_over(at: int, raw: Raw, column: int, kind: str) -> bool:
    return at > column or (at == column and raw.id == "sequence" and kind == "mapping")


def _tag_of(word: str) -> str:
    if word in ("true", "false"):
        return f"{_TAG}bool"
    if word.lower() in _NOT_TEXT:
        raise Unusual
    return f"{_TAG}str"
