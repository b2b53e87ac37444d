"""A run that goes on in this process: its signs of life, and what is said of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from penstock.errors import StoreError, listed
from penstock.model.records import Status
from penstock.runtime import logs, terminal
from penstock.runtime.aside import Aside
from penstock.runtime.capturing import capture
from penstock.runtime.executor import Executor
from penstock.runtime.flusher import flusher
from penstock.runtime.ledger import Ledger, step_key
from penstock.runtime.pulse import Work
from penstock.runtime.seal import RESERVE, Seal
from penstock.runtime.status import BEAT

SILENT: Final = 10.0
"""Seconds after which it is said that the store does not answer."""


class Going:
    """One run, from its first record to its seal."""

    def __init__(
        self, run: str, ledger: Ledger, executor: Executor, note: Callable[[str], None]
    ) -> None:
        """`note` tells the user something."""
        self._run = run
        self._ledger = ledger
        self._executor = executor
        self._note = note
        self._stop = executor.stop
        self.seal = Seal(run, ledger, executor)
        self.work = Work(self._stop, self._look, self._abandon, self._waits)
        """What the pulse looks after."""
        self._is_silent = self._has_told = False
        self._in_beat: Collection[str] = ()
        """The steps that the last sign of life has named."""
        self._beat_at = time.monotonic()

    def tell(self, error: BaseException | None = None) -> None:
        """Say, once, what nobody will find in the store though it was done; mostly nothing. Who
        reads this error is told enough."""
        log = logs.unwritten.pop(self._run, None)
        if self._has_told or isinstance(error, StoreError):
            return
        name, missing = self._ledger.store.name, self._missing()
        self._has_told = bool(missing)
        if missing:
            said = " and ".join(missing)
            self._note(f"not written down: {said}; the artifact store {name!r} did not take it")
        elif log is not None:
            logs.warn(log)

    def _missing(self) -> list[str]:
        """What was done and is not written down, in words."""
        done = list(self._executor.digests)
        steps = [call for call in done if step_key(self._run, call) in self.seal.lost]
        many = f"{len(steps):,} finished step{'s' * (len(steps) > 1)} ({listed(steps)})"
        return [many] * bool(steps) + ["the end of the run"] * (self.seal.status is None)

    def _look(self) -> None:
        """See whether somebody wants the run to end, and give a sign of life now and then."""
        # A store that cannot be reached now may be there at the next look.
        with suppress(StoreError):
            if (by := self._ledger.cancelled(self._run)) is not None:
                self._stop.request(by, cancelled=True)
            running = dict(self._executor.running)
            now = time.monotonic()
            if running.keys() != self._in_beat or now - self._beat_at >= BEAT:
                self._ledger.beat(self._run, running)
                self._in_beat, self._beat_at = set(running), now
            self._is_silent = False

    def _waits(self, seconds: float) -> None:
        """A look takes this long already."""
        if seconds >= SILENT and not self._is_silent:
            self._is_silent = True  # until it has answered again
            name = self._ledger.store.name
            self._note(f"waiting for the artifact store {name!r}: no answer for {seconds:.0f} s")

    def _abandon(self) -> None:
        """Seal the run in the place of whoever carries it out, who does not come back in time."""
        if self.seal.status is not None:
            return
        left = list(self._executor.running)
        try:
            self.seal.put(Status.STOPPED)
            Aside(flusher.flush).wait(RESERVE)
        except StoreError as error:
            if self.seal.is_late:
                self.tell()
                return
            _say(f"Run {self._run} could not be written down as stopped: {error}")
        else:
            steps = f": waiting for {', '.join(left)}" if left else ""
            _say(f"Run {self._run} is written down as stopped ({self._stop.why}){steps}")


def _say(line: str) -> None:
    """On the real stderr: this is said about steps, not by them."""
    with suppress(OSError, ValueError, AttributeError):
        terminal.write(f"{line}\n", capture.beside(sys.stderr))
