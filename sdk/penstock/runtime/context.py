"""The context of a step: what it may ask, and say, while it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadArguments
from penstock.model import plain
from penstock.runtime.scratch import Scratch

if TYPE_CHECKING:
    from penstock.runtime.checkpoints import Checkpoints

LARGEST: Final = 64 * 1024
"""Characters that the metadata of one step may have: it lies in the step's record."""


@dataclass(slots=True)
class Context:
    """What a running step knows of itself. Outside of a run there is one, too, of no run: what it
    is told is dropped, so that a step can be called as the plain function that it is."""

    run: str | None = None
    """Id of the run."""
    step: str | None = None
    """Id of the step in its run."""
    attempt: int = 1
    """1 for the first, 2 after a failure, and so on."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What was logged so far."""
    scratch: Scratch = field(default_factory=Scratch, repr=False)
    checkpoints: Callable[[], Checkpoints] | None = field(default=None, repr=False)
    _kept: Checkpoints | None = field(default=None, repr=False)

    @property
    def gpus(self) -> tuple[str, ...]:
        """The accelerators that this step holds, or else those that this process may see
        (`CUDA_VISIBLE_DEVICES`)."""
        if (held := _held.get()) is not None:
            return held
        return tuple(filter(None, os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")))

    def log_metadata(self, **values: Any) -> None:
        """Keep facts about this step in its record: plain data, the last value of a name wins.

        They are no output, and no part of the cache key. Raises `BadArguments` for what is no
        plain data, or too much of it.
        """
        for name, value in values.items():
            try:
                plain.encode(value)
            except plain.NotPlain as error:
                raise BadArguments(
                    f"log_metadata({name}=…) is given what is not plain data: {error}.",
                    hint="Return large or special values as outputs of the step.",
                ) from None
        said = self.metadata | values
        size = len(plain.encode(said))
        if size > LARGEST:
            raise BadArguments(
                f"The metadata of step {self.step} would be {size:,} characters, and "
                f"{LARGEST:,} are the most.",
                hint="Return large values as outputs of the step.",
            )
        self.metadata.update(values)

    def checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Keep a copy of a file or folder, in place of the last checkpoint of this step.

        `restore()` gives it to the next attempt at the same step with the same inputs and code:
        after a failure, in the next run, on another machine. It goes when the step is done.
        Raises `UnsupportedValue` if there is no such file, `BadArguments` for what is no path.
        """
        try:
            there = Path(path)
        except TypeError:
            raise BadArguments(
                f"checkpoint(…) needs the path of a file or folder, and is given "
                f"{type(path).__qualname__}: {path!r:.80}.",
                hint="Write the state into a file first, and give its path.",
            ) from None
        if (kept := self._checkpoints()) is not None:
            kept.save(there, self.attempt)

    def restore(self) -> Path | None:
        """A private copy of the last checkpoint, or None if there is none to go on from."""
        kept = self._checkpoints()
        found = kept and kept.last()
        return kept.load(found, self.scratch.folder) if kept and found else None

    def done(self) -> None:
        """The step has its result: what it kept on its way is of no more use."""
        if self._kept is not None:
            self._kept.forget()

    def _checkpoints(self) -> Checkpoints | None:
        if self._kept is None and self.checkpoints is not None:
            self._kept = self.checkpoints()
        return self._kept


_current: ContextVar[Context | None] = ContextVar("context", default=None)
_held: ContextVar[tuple[str, ...] | None] = ContextVar("gpus", default=None)

_OWNER: Final = "_penstock_context"
"""The attribute of a thread in which the context of the step is that has started it."""


def context() -> Context:
    """The context of the step that runs here, or that has started this thread; of no run if there
    is none."""
    return _found() or Context()


def inherit(thread: threading.Thread) -> None:
    """A thread is about to start: it belongs to the step that runs here. Python's own contexts are
    not inherited."""
    if (mine := _found()) is not None:
        setattr(thread, _OWNER, mine)


def enter(mine: Context) -> Token[Context | None]:
    """From here on, in this thread, this is the context."""
    return _current.set(mine)


def leave(token: Token[Context | None]) -> None:
    """Undo `enter`."""
    _current.reset(token)


@contextmanager
def holding(gpus: tuple[str, ...]) -> Iterator[None]:
    """What runs here meanwhile, in this thread, holds these accelerators."""
    token = _held.set(gpus)
    try:
        yield
    finally:
        _held.reset(token)


def _found() -> Context | None:
    return _current.get() or getattr(threading.current_thread(), _OWNER, None)
