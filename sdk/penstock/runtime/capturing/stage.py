"""The stage: whose voice is heard at this moment."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, TextIO, cast

from penstock.runtime.capturing.hearing import Hearing
from penstock.runtime.capturing.proxies import Proxy
from penstock.runtime.capturing.speech import Voice
from penstock.runtime.capturing.ways import Nowhere, Way

current: Final[ContextVar[Voice | None]] = ContextVar("voice", default=None)
"""Who speaks in this context; see `Stage.speaker`."""

_OWNER: Final = "_penstock_voice"
"""The attribute of a thread in which the voice of the step is that has started it."""

_OUTSIDE: Final = "_penstock_outside"
"""The attribute of a thread that only runs in the background were started from."""


class Stage:
    """Where the voices of this process meet. One for all runs that overlap."""

    def __init__(self) -> None:
        self.proxies: dict[str, Proxy] = {}
        self._ways: dict[str, Way] = {}
        self.hearing = Hearing(self)
        self.is_alone = True
        self._runs: tuple[Voice, ...] = ()
        self._steps: tuple[Voice, ...] = ()
        self._slow = 0
        self._is_fast = False
        """Whether some proxy has another `write` than its `dispatch`."""
        # Reentrant, because the handler of a signal may print in the midst of printing.
        self._lock = threading.RLock()

    # Who speaks.

    def speaker(self) -> Voice | None:
        """The step of this context, of this thread, or else `anybody`; nobody for a thread that
        goes on beside the run."""
        voice = current.get()
        if voice is None or voice.is_over:
            thread = threading.current_thread()
            voice = getattr(thread, _OWNER, None)
            if voice is None and hasattr(thread, _OUTSIDE):
                return None
        return self.anybody() if voice is None or voice.is_over else voice

    def leave_out(self, thread: threading.Thread) -> None:
        """What this thread says is no run's, unless it carries one out."""
        setattr(thread, _OUTSIDE, True)

    def anybody(self) -> Voice | None:
        """Whose what nobody is known for must be: the one step that runs, else the run."""
        steps = self._steps
        if steps and (len(steps) == 1 or all(step.is_around(steps[-1]) for step in steps)):
            return steps[-1]
        return self._runs[-1] if self._runs else None

    def started(self, thread: threading.Thread) -> None:
        """A thread speaks for the step that starts it."""
        # Ours speak for nobody, or in turn with the thread that waits for them.
        if self._runs and not thread.name.startswith("penstock-"):
            voice = self.speaker()
            setattr(thread, _OWNER, voice)
            if voice is not None and not voice.is_threaded:
                voice.is_threaded = True
                voice.settle()

    def changed(self) -> None:
        """Give each proxy the fastest `write` that can be right now."""
        with self._lock:
            self.is_alone = len(self._runs) == 1 and len(self._steps) <= 1
            texts = {}
            if self.is_alone and not self._slow:
                (voice,) = self._steps or self._runs
                texts = {} if voice.is_threaded else voice.texts
            if texts or self._is_fast:
                self._is_fast = bool(texts)
                for name, proxy in self.proxies.items():
                    text = texts.get(name)
                    proxy.write = proxy.dispatch if text is None else text.write  # type: ignore[method-assign, assignment]

    @contextmanager
    def slowly(self) -> Iterator[None]:
        with self._lock:
            self._slow += 1
            self.changed()
        try:
            yield
        finally:
            with self._lock:
                self._slow -= 1
                self.changed()

    def late(self, name: str, data: bytes) -> None:
        voice = self.speaker()
        if voice is not None:
            voice.text(name).buffer.write(data)
        elif (stream := getattr(sys, name)) is not None:
            stream.write(data.decode("utf-8", "backslashreplace"))

    def wrap(self) -> None:
        """Put proxies in the place of the standard streams."""
        for name in ("stdout", "stderr"):
            stream: Any = getattr(sys, name)
            self.proxies[name] = Proxy(
                name, cast(TextIO, Nowhere() if stream is None else stream), self
            )
        self.changed()
        for name, proxy in self.proxies.items():
            setattr(sys, name, proxy)
        for proxy in self.proxies.values():
            with suppress(OSError, ValueError):  # another thread may have printed just now
                proxy.stream.flush()

    def unwrap(self) -> None:
        """Put the standard streams back."""
        for name, proxy in self.proxies.items():
            proxy.retire()
            if getattr(sys, name) is proxy:  # else somebody put their own there
                setattr(sys, name, None if type(proxy.stream) is Nowhere else proxy.stream)
        self.proxies = {}
        self._ways = {}

    def way(self, name: str) -> Way:
        """To the real stream of that name; made when somebody prints."""
        with self._lock:
            if name not in self._ways:
                self._ways[name] = self.hearing.way(self.proxies[name].stream)
            return self._ways[name]

    # Who comes and goes.

    def begin(self, run: Voice) -> None:
        with self._lock:
            self._runs += (run,)
            self.changed()

    def end(self, run: Voice) -> None:
        self.hearing.hear_all()
        with self._lock:
            self._runs = tuple(voice for voice in self._runs if voice is not run)
            self.changed()
        self._over(run)

    def enter(self, step: Voice) -> None:
        self.hearing.hear()  # what was written before is not this one's
        with self._lock:
            self._steps += (step,)
            self._changed()

    def leave(self, step: Voice) -> None:
        self.hearing.hear_all()
        with self._lock:
            self._steps = tuple(voice for voice in self._steps if voice is not step)
            self._changed()
        self._over(step)

    def _changed(self) -> None:
        """`changed`, where most steps say nothing and no proxy is fast."""
        if not self._is_fast:
            for voice in self._steps or self._runs:
                if voice.texts:
                    break
            else:
                self.is_alone = len(self._runs) == 1 and len(self._steps) <= 1
                return
        self.changed()

    def _over(self, voice: Voice) -> None:
        voice.end()
        self.hearing.over(voice)

    def hear(self) -> None:
        """Take what was written to the standard descriptors."""
        self.hearing.hear()

    def catch_up(self) -> None:
        """`hear`, with what was printed before it in its place. For a thread of ours."""
        if self.hearing.has_news():
            if (voice := self.anybody()) is not None:
                voice.settle()
            self.hearing.take()

    # Children.

    def before_fork(self) -> None:
        """What waits is the parent's: a child must not have it, too."""
        for voice in (*self._runs, *self._steps):
            voice.settle()

    def forked(self) -> None:
        """In a child: nothing of what is the parent's is written twice, and other threads are not
        there. What C writes here is heard by the parent."""
        self._lock = threading.RLock()
        self._slow = 0
        speaker = self.speaker()
        self._steps = tuple(step for step in self._steps if step.is_around(speaker))
        for way in self._ways.values():
            way.forked()
        self.hearing.forked()
        for voice in {*self._runs, *self._steps, *filter(None, [speaker])}:
            voice.forked()
        self.changed()
