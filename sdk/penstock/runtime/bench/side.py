"""Sides: who writes and reads the same values, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from penstock.digest import Buffer

Value: TypeAlias = bytes | bytearray
"""What is written. Not every file system of fsspec takes more than these."""

Handle: TypeAlias = object
"""Where a side finds again what it wrote."""


class Side(Protocol):
    """One way to write and read values."""

    def write(self, value: Value) -> Handle: ...
    def read(self, handle: Handle) -> Buffer: ...
    def remove(self, handles: Sequence[Handle]) -> None: ...


def touch(data: Buffer) -> None:
    """Look at every page: what is mapped is read only where somebody looks."""
    bytes(memoryview(data).cast("B")[::4096])
