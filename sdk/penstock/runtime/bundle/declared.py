"""Declared: what a process on another machine looks up by its name."""

from __future__ import annotations

from typing import Any, Protocol


class Declared(Protocol):
    """A step, or a pipeline whose hooks are told there."""

    @property
    def reference(self) -> str: ...

    @property
    def function(self) -> Any: ...
