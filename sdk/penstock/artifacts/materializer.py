"""Formats: how a value becomes buffers and comes back. A format knows nothing of stores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from penstock.artifacts.source import OpenFile
from penstock.artifacts.store import Buffer
from penstock.model.records import Part

T = TypeVar("T")


class NotThisFormat(Exception):
    """This value would not come back equal from this format; the next one is asked."""


class Format(ABC, Generic[T]):
    """What formats have in common. An object serves one dump or one load and is forgotten."""

    format: ClassVar[str]
    """Short id with a version, for example "npy/1". What is stored under it never changes."""
    suffix: ClassVar[str] = ".bin"
    """The ending of a file with these bytes, for exports."""
    runs_code: ClassVar[bool] = False
    """Whether loading can run code that the bytes name, as unpickling does. Then the bytes are
    loaded only under a signature that counts."""
    needs_kind: ClassVar[bool] = False
    """Whether loading needs the value's class. Then only values are dumped whose annotation is
    exactly their class, so that whoever loads them knows it too."""
    outside: ClassVar[bool] = False
    """Whether the bytes only refer to what lies outside of the store, where it can change."""

    trusted: bool = False
    """Whether somebody whose key is known here has signed what names the bytes to be loaded.
    Otherwise they may be anything: a parser that believes what it reads must check it first."""

    def __init__(self, kind: type[T] | None) -> None:
        self.kind = kind
        """The value's class when it is dumped; the annotation's, if any, when it is loaded."""

    def names(self) -> Iterable[object]:
        """Classes and functions whose code the dumped value depends on; asked after `dump`."""
        return (self.kind,) if self.kind is not None else ()

    def changed(self, data: Buffer) -> str:
        """What has become of what the bytes refer to outside of the store; nothing if it is as it
        was. Raises `StoreUnavailable` if nobody can tell."""
        return ""


class Materializer(Format[T]):
    """A format whose value is one object."""

    @abstractmethod
    def dump(self, value: T) -> Sequence[Buffer]:
        """The value's bytes: views of its own memory where possible, not copies.

        Raises `NotThisFormat` for a value that would not come back equal.
        """

    @abstractmethod
    def load(self, data: Buffer) -> T:
        """The value, made of views of `data` where possible. `data` is this value's own."""


class Objects(Protocol):
    """The store, as formats of several objects see it."""

    def put(self, data: Sequence[Buffer] | OpenFile) -> Part:
        """Store an object, unless it is there already."""

    def get(self, part: Part) -> Buffer:
        """An object, checked, private to the caller."""

    def write(self, part: Part, fd: int) -> None:
        """An object, checked, into a file of the user's that is empty, open to read and write."""


class Composite(Format[T]):
    """A format whose value is several objects: a root that lists the others."""

    @abstractmethod
    def dump(self, value: T, objects: Objects) -> Sequence[Buffer]:
        """The root's bytes; the other objects are stored first."""

    @abstractmethod
    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> T:
        """The value. Files go into a new folder, which is empty and the value's own."""
