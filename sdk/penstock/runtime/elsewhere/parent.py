"""Parent: the process that has started this one, seen from here."""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from types import TracebackType
from typing import Final

from penstock.model.graph import Call
from penstock.runtime import calling, processes
from penstock.runtime.capturing import detours
from penstock.runtime.flusher import flusher

LOOK: Final = 0.5
"""Seconds between two looks at whether it is still there."""

LAST: Final = 10.0
"""Seconds to write a record after it has gone. On a busy machine few seconds are not enough, and
nobody waits for it."""

LEFT: Final = 3.0
"""Seconds for threads that a step has left behind: the run waits for them."""


class Parent:
    """Is told what happens here, and is watched: this process must not outlive it."""

    def __init__(self, process: int, tell: int, left: Sequence[int] = ()) -> None:
        """`left`: the numbers of the testaments for descriptors 1 and 2, if there are any."""
        self._process = process
        self._tell = tell
        os.set_inheritable(tell, False)
        pairs = list(zip(left[::2], left[1::2], strict=True))
        for number, (file, mark) in enumerate(pairs, start=1):
            detours.inherit(number, file, mark)
        # Of a crash one wants to know where: behind what C said of it, or at least past the
        # capture, which will not survive it.
        faulthandler.enable(os.dup(pairs[1][0] if len(pairs) > 1 else 2), all_threads=False)
        for stream in (sys.stdout, sys.stderr):
            # It reads UTF-8, and shows every line at once.
            stream.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
        threading.Thread(target=self._watch, name="penstock-parent", daemon=True).start()

    def limit(self, call: Call) -> AbstractContextManager[None]:
        """Around the call of a step's function: its timeout. If we cannot end it, they can."""
        seconds = call.step.options.timeout
        return nullcontext() if seconds is None else _Told(self, seconds, calling.limit(call))

    def say(self, line: str) -> None:
        """Tell it something, in a word and perhaps a number."""
        with suppress(OSError):
            os.write(self._tell, f"{line}\n".encode())

    def leave(self, code: int) -> None:
        """What happened is in the store: come to an end, whoever does not want to."""
        self.say("done")
        if left := _threads_left():
            names = ", ".join(thread.name for thread in left)
            sys.stderr.write(f"  note: the step has left threads behind, which end now: {names}\n")
            atexit._run_exitfuncs()
            flusher.flush()
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)

    def _watch(self) -> None:
        """End this process when the other one has ended."""
        above = os.getppid()
        started = processes.started(self._process)
        # It need not be right above: a script may stand between, in place of the interpreter.
        while os.getppid() == above and processes.is_alive(self._process, started):
            time.sleep(LOOK)
        os.killpg(0, signal.SIGTERM)  # what the step has started, too
        time.sleep(LAST)
        os.killpg(0, signal.SIGKILL)


class _Told:
    """A limit that is told of. No generator: its frames would stand in the step's traceback."""

    def __init__(self, parent: Parent, seconds: float, limit: AbstractContextManager[None]) -> None:
        self._parent = parent
        self._seconds = seconds
        self._limit = limit

    def __enter__(self) -> None:
        self._parent.say(f"begin {self._seconds}")
        self._limit.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._limit.__exit__(kind, error, traceback)
        finally:
            self._parent.say("end")


def _threads_left() -> list[threading.Thread]:
    """The threads that Python would wait for, and that do not end within a few seconds."""
    until = time.monotonic() + LEFT
    main = threading.main_thread()
    left = [each for each in threading.enumerate() if not each.daemon and each is not main]
    for thread in left:
        thread.join(max(until - time.monotonic(), 0))
    return [thread for thread in left if thread.is_alive()]
