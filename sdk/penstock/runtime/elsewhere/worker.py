"""Worker: a process of ours that carries out one step after the other, seen from here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from penstock import errors
from penstock.errors import CannotRun, LostStep, PenstockError, StackError, StoreError
from penstock.runtime.deadline import too_long
from penstock.runtime.elsewhere import apart, search_path
from penstock.runtime.elsewhere.child import LAST, TICK, Child
from penstock.runtime.masking import Mask

_dump: Final = json.JSONEncoder().encode

_MAIN: Final = "from penstock.runtime.elsewhere.serving import main; main()"
"""What it runs. Not with `-m`: its `__main__` is to be empty, for what is defined in ours."""


class Worker(Child):
    """Is told calls through a pipe, a line each, and answers through another one: as a `Child`, and
    `ready` when it can carry out steps, `error` with what it cannot go on after, `leaves` if it
    ends after this step.
    """

    def __init__(self, briefing: int, environment: Mapping[str, str], mask: Mask) -> None:
        """`briefing` is a file with what it has to know of the run. Raises `LostStep`."""
        self._is_ready = self._leaves = self._is_closed = False
        self._error: PenstockError | None = None
        self._given: Mapping[str, str] | None = None
        reading, self._orders = os.pipe()

        def argv(tell: int, left: Sequence[int]) -> Sequence[str]:
            numbers = os.getpid(), tell, reading, briefing, *left
            # As multiprocessing does it: with -O, for example, an assertion is none.
            flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
            return [sys.executable, *flags, "-P", "-c", _MAIN, *map(str, numbers)]

        try:
            super().__init__(argv, _findable(environment), mask, (reading, briefing))
        except OSError as error:
            os.close(self._orders)
            raise LostStep(f"{sys.executable} cannot be started: {error.strerror}.") from error
        finally:
            os.close(reading)

    @property
    def is_alive(self) -> bool:
        """Whether it can be told anything."""
        return not self._is_closed and self._process.poll() is None

    def is_ready(self) -> bool:
        """Whether it need not be waited for."""
        if not self._is_ready:
            self._listen(0)
        return self._is_ready

    def wait_until_ready(self) -> None:
        """Raises `CannotRun` if it says that it never will be, `LostStep` if it just ended."""
        if not self._is_ready:
            with _Ending(self):
                while not self._is_ready:
                    self._go_on()

    def carry_out(self, order: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        """Have it do what it is told; what happened is in the store afterwards, or is raised:
        `LostStep`, `StepTimeout`. Then, or if anything else is raised here, it has ended."""
        self.wait_until_ready()
        self.is_done = False
        self.last_lines.clear()
        with _Ending(self):
            changed = {} if environment == self._given else {"environment": dict(environment)}
            self._given = environment
            self._tell({**order, **changed})
            while not self.is_done:
                self._go_on(order["call"])
            self._hear_out()
            if self._leaves:
                self.end(None)

    def dismiss(self) -> None:
        """Nothing more is to be done: it ends by itself."""
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1

    def end(self, seconds: float | None) -> None:
        """Wait for its end, and see to it if it does not come within this time."""
        if self._is_closed:
            return
        self.dismiss()
        until = float("inf") if seconds is None else time.monotonic() + seconds
        try:
            while self._process.poll() is None and time.monotonic() < until:
                self._listen(TICK)
        finally:
            if self._process.poll() is None:
                self._kill()
                self._process.wait()
            self._close()

    def kill(self) -> None:
        """End it at once. Somebody else listens to it, and sees that."""
        if not self._is_closed:
            self._kill()

    def stop(self) -> None:
        """End it in the midst of its work: it writes down that it was stopped."""
        if not self._is_closed:
            try:
                self._stop()
            finally:
                self._close()

    def _go_on(self, call: str = "") -> None:
        """Listen for a moment. Raises what has become of it if it has ended."""
        if (code := self._process.poll()) is None:
            self._listen(TICK)
            self._end_if_overdue()
            return
        self._close()
        if self._error is not None:
            raise self._error
        if self.overdue:
            raise too_long(call, self.overdue, killed=True)
        if not self.is_done:
            raise apart.lost(code, self.last_lines)

    def _hear_out(self) -> None:
        """What it has said so far. Those whom a step left behind may go on for ever."""
        until = time.monotonic() + LAST
        while self._listen(0) and time.monotonic() < until:
            continue

    def _tell(self, order: Mapping[str, Any]) -> None:
        data = memoryview(_dump(order).encode() + b"\n")
        with suppress(BrokenPipeError):  # it has just ended, which is seen next
            while data:
                data = data[os.write(self._orders, data) :]

    def _told(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word == "ready":
            self._is_ready = True
        elif word == "leaves":
            self._leaves = True
        elif word == "error":
            kind, message, hint = json.loads(rest)
            self._error = _error(kind, message, hint, has_begun=self._is_ready)
        else:
            super()._told(line)

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.dismiss()
            super()._close()


def _error(kind: str, message: str, hint: str | None, *, has_begun: bool) -> PenstockError:
    """What it says that it cannot go on after."""
    if not has_begun:
        return CannotRun(f"The steps cannot run in worker processes: {message}", hint=hint)
    cls = getattr(errors, kind, None)
    if isinstance(cls, type) and issubclass(cls, StackError | StoreError):
        return cls(message, hint=hint)
    return LostStep(f"Its process could not run it. {message}")


class _Ending:
    """Whatever is raised meanwhile ends the worker: it is in the midst of something."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None:
            self._worker.stop()


def _findable(environment: Mapping[str, str]) -> dict[str, str]:
    """The same, so that penstock itself is found. It sets the rest right by itself."""
    path = [*search_path.for_same(), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, path))}
