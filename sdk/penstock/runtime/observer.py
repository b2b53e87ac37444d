"""Observers: who is told what happens in a run, and what they print."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, Protocol, TextIO

from penstock.model.graph import Call
from penstock.model.records import Status, StepRun
from penstock.runtime import terminal
from penstock.runtime.capture import beside
from penstock.stack.orchestrator import Observer

WIDEST: Final = 32
"""Characters of a step's id up to which the times stand under each other."""

MANY: Final = 8
"""Hits up to which each gets a line of its own."""


class RunObserver(Observer, Protocol):
    """An `Observer` that is also told of the run itself."""

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None: ...
    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None: ...
    def run_finished(self, run: str, status: Status, seconds: float) -> None: ...


class Silent:
    """An observer that watches and says nothing."""

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None: ...
    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None: ...
    def step_started(self, call: Call) -> None: ...
    def step_finished(self, run: StepRun) -> None: ...
    def note(self, message: str) -> None: ...
    def run_finished(self, run: str, status: Status, seconds: float) -> None: ...


class Lines:
    """One plain line for each event, on stderr."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._width = 0

    def run_started(
        self, run: str, pipeline: str, stack: str, origin: str, calls: Collection[str]
    ) -> None:
        self._width = min(max(map(len, calls), default=0), WIDEST)
        self._print(f"{pipeline}  run {run} on stack {stack} ({origin})")

    def found_in_cache(self, hits: Mapping[str, StepRun]) -> None:
        for call, hit in list(hits.items())[:MANY]:
            self.step_finished(hit, call)
        if len(hits) > MANY:
            self._print(f"  … and {len(hits) - MANY:,} more steps from the cache")

    def step_started(self, call: Call) -> None:
        """Nothing: the line comes when the step is done."""

    def step_finished(self, run: StepRun, call: str | None = None) -> None:
        name = call or run.call
        self._print(f"  {name:{self._width}}  {self._outcome(run)}")

    def note(self, message: str) -> None:
        self._print(f"  note: {message}")

    def run_finished(self, run: str, status: Status, seconds: float) -> None:
        took = f"{_words(status)} in {duration(seconds)}"
        self._print(f"{took}  ·  penstock run show {short(run)}")

    def _outcome(self, run: StepRun) -> str:
        if run.status is Status.CACHED:
            return f"cached  ({run.source[0]})" if run.source else "cached"
        if run.status is Status.COMPLETED:
            return duration(run.wall)
        said = f"{run.failure.kind}: {run.failure.message}".splitlines()[0] if run.failure else ""
        return f"{_words(run.status)} after {duration(run.wall)}  {said}"

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
    """The same lines for a terminal, through rich."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        from rich.console import Console  # heavy, and only for terminals

        self._console = Console(file=stream, highlight=False, soft_wrap=True)

    def _write(self, line: str) -> None:
        from rich.text import Text

        text = Text(terminal.fitting(line, self._stream))
        text.highlight_words(["completed"], "green")
        text.highlight_words(["failed", "stopped", "timed out"], "bold red")
        text.highlight_words(["cached"], "cyan")
        text.highlight_regex(r"penstock run \w+ \S+$", "dim")
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


def _nothing(line: str) -> None:
    """What is left of a terminal that has gone."""


def _words(status: Status) -> str:
    return status.replace("_", " ")


def duration(seconds: float) -> str:
    """Seconds as people read them: `0.02 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def short(run: str) -> str:
    """The tail of a run id that is enough to type."""
    return run[-9:]
