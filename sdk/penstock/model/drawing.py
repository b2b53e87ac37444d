"""Whether a pipeline is being drawn, and into what. Steps ask this when they are called."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from penstock.model.controls import Controls


class Drawing(Protocol):
    """What takes the calls that a pipeline makes."""

    pipeline: str

    def add(self, step: Any, bound: dict[str, Any], where: str) -> Any:
        """One call; the references to its outputs come back."""

    def add_each(
        self, step: Any, items: Sequence[Any], bind: Callable[[Any], dict[str, Any]], where: str
    ) -> list[Any]:
        """One call for each item."""

    def add_over(self, step: Any, bound: dict[str, Any], where: str) -> Any:
        """One call for each item of a list that is known at run time: the first parameter's."""

    def controlled(self, controls: Controls) -> AbstractContextManager[None]:
        """Of the calls drawn in there, `controls` count as well as what their steps say."""


_current: contextvars.ContextVar[Drawing | None] = contextvars.ContextVar("drawing", default=None)

current = _current.get
"""The drawing under way in this context, or None."""


@contextmanager
def into(drawing: Drawing) -> Iterator[None]:
    """Steps called in here are drawn instead of run."""
    token = _current.set(drawing)
    try:
        yield
    finally:
        _current.reset(token)
