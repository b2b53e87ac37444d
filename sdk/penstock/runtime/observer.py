"""Observers: who is told what happens in a run, and what they print."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Final, Protocol, TextIO

from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.quantities import duration
from penstock.runtime import terminal
from penstock.runtime.capturing.capture import beside
from penstock.runtime.item_lines import ItemLines
from penstock.runtime.live import Running, screen
from penstock.runtime.masking import Mask
from penstock.stack.orchestrator import Observer

WIDEST: Final = 32
"""Characters of a step's id up to which the times stand under each other."""

MANY: Final = 8
"""Hits up to which each gets a line of its own."""


Reason = Callable[[StepRun], str]
"""Says in a word why a step has run; nothing if there is nothing to say."""


class RunObserver(Observer, Protocol):
    """An `Observer` that is also told of the run itself."""

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None: ...
    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None: ...
    def explained_by(self, reason: Reason) -> None: ...
    def run_finished(
        self, run: str, status: Status, seconds: float, store: str = ""
    ) -> None: ...  # `store` is what there is to say of it


class Silent:
    """An observer that watches and says nothing."""

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None: ...
    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None: ...
    def explained_by(self, reason: Reason) -> None: ...
    def step_started(self, call: Call) -> None: ...
    def step_finished(self, run: StepRun) -> None: ...
    def note(self, message: str) -> None: ...
    def run_finished(self, run: str, status: Status, seconds: float, store: str = "") -> None: ...


class Notes(Silent):
    """Only what is noted: the rest is told by the process that has started this one."""

    def __init__(self, stream: TextIO, mask: Mask) -> None:
        self._stream = stream
        self._mask = mask

    def note(self, message: str) -> None:
        with suppress(OSError, ValueError):
            terminal.write(f"  note: {self._mask.text(message)}\n", beside(self._stream))


class Lines:
    """One plain line for each event, on stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._width = 0
        self._collected = 0
        """Steps that failed, while the run goes on with their failures as data."""
        self._reason: Reason = _nobody_knows
        self._items = ItemLines()

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None:
        self._width = min(max(map(len, calls), default=0), WIDEST)
        self._items.expect(calls)
        self._print(f"{pipeline}  run {run} on stack {stack} ({origin})")

    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None:
        self._items.found(hits)
        for call, hit in list(hits.items())[:MANY]:
            self._tell(call, self._outcome(hit))
        if len(hits) > MANY:
            self._print(f"  … and {len(hits) - MANY:,} more steps from the cache")

    def explained_by(self, reason: Reason) -> None:
        self._reason = reason

    def step_started(self, call: Call) -> None:
        """Nothing is printed: the line comes when the step is done."""
        with self._lock:
            self._items.begun(call.id)

    def step_finished(self, run: StepRun) -> None:
        with self._lock:
            self._collected += run.failure is not None and run.usable
            is_told = self._items.is_told(run.call, run)
            ended = self._items.ended(run.call)
            items = self._items.end(ended or run.call)
        if is_told and (ended or not items):
            self._tell(run.call, self._outcome(run))
        if ended and items:
            self._tell(ended, items)
        elif items:
            self._tell(run.call, self._gathered(run, items))

    def note(self, message: str) -> None:
        self._print(f"  note: {message}")

    def run_finished(self, run: str, status: Status, seconds: float, store: str = "") -> None:
        for name in self._items.left():  # it ends before they do
            if items := self._items.end(name):
                self._tell(name, items)
        took = f"{_words(status)} in {duration(seconds)}"
        if self._collected:
            took += f", {self._collected} item{'s' * (self._collected > 1)} failed"
        rest = f"  ·  {store}" if store else ""
        self._print(f"{took}  ·  penstock run show {short(run)}{rest}")

    def _tell(self, name: str, outcome: str) -> None:
        self._print(f"  {name:{self._width}}  {outcome}")

    def _gathered(self, run: StepRun, items: str) -> str:
        """What is said of a map that is done, and had many items."""
        if run.status is not Status.COMPLETED:
            return f"{items}  {self._outcome(run)}"
        return f"{items}  {self._reason(run)}"

    def _outcome(self, run: StepRun) -> str:
        if run.status is Status.CACHED:
            return f"cached  ({run.source[0]})" if run.source else "cached"
        if run.status is Status.COMPLETED:
            return f"{duration(run.wall)}  {self._reason(run)}"
        if run.status is Status.SKIPPED:
            return f"skipped: {run.why}"
        return f"{_words(run.status)} after {duration(run.wall)}  {first_line(run)}"

    def _print(self, line: str) -> None:
        # What a step printed before this line comes before it, also where both go to one file.
        with suppress(OSError, ValueError, AttributeError):
            sys.stdout.flush()
        # A closed or full terminal must not stop a run.
        try:
            with self._lock:
                self._write(line.rstrip())
        except (OSError, ValueError):
            self._write = _nothing  # type: ignore[method-assign]

    def _write(self, line: str) -> None:
        terminal.write(f"{line}\n", self._stream)


class Coloured(Lines):
    """The same lines for a terminal, through rich; below them, what runs now."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console  # heavy, and only for terminals

        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._running = Running()

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None:
        self._running.total = len(calls)
        super().run_started(run, pipeline, stack, origin, calls)

    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None:
        super().found_in_cache(hits)
        self._running.done = len(hits)

    def step_started(self, call: Call) -> None:
        self._running.total += bool(call.of)  # an item that nobody knew of
        super().step_started(call)
        self._running.begin(call.id)
        screen.watch(self._running, self._stream)

    def step_finished(self, run: StepRun) -> None:
        self._running.end(run.call)
        super().step_finished(run)

    def run_finished(self, run: str, status: Status, seconds: float, store: str = "") -> None:
        screen.leave(self._running)
        super().run_finished(run, status, seconds, store)

    def _write(self, line: str) -> None:
        from rich.text import Text

        text = Text(terminal.fitting(line, self._stream))
        text.highlight_words(["completed"], "green")
        text.highlight_words(["failed", "stopped", "timed out"], "bold red")
        text.highlight_words(["cached"], "cyan")
        text.highlight_regex(r"penstock run \w+ \S+$", "dim")
        with screen.above("\n"):
            self._console.print(text)


def for_stream(stream: TextIO | None) -> RunObserver:
    """Who prints on this stream: nobody, plain lines, or coloured ones on a terminal."""
    if stream is None:
        return Silent()
    real = beside(stream)
    try:
        return Coloured(real) if terminal.has_colours(real) else Lines(real)
    except (OSError, ValueError):
        return Silent()


def on_stderr() -> RunObserver:
    """Who prints on standard error."""
    return for_stream(sys.stderr)


def _nobody_knows(run: StepRun) -> str:
    return ""


def _nothing(line: str) -> None:
    """What is left of a terminal that has gone."""


def _words(status: Status) -> str:
    return status.replace("_", " ")


def first_line(run: StepRun) -> str:
    """What went wrong, as far as there is room on a line; empty if nothing did."""
    failure = run.failure
    return f"{failure.kind}: {failure.message}".splitlines()[0] if failure else ""


def short(run: str) -> str:
    """The tail of a run id that is enough to type."""
    return run[-9:]
