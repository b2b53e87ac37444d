"""A process is killed at one of its requests: to the engine, or to the store.

It is given two proxies to speak to, and nobody else speaks to those. `Killing` counts what it asks,
and kills it at the n-th request: before that has reached the server, or as soon as the server has
done what it was asked, and before it is told so.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from penstock.testing.asked import Request
from penstock.testing.faults import Client, Fault
from penstock.testing.messages import Message
from penstock.testing.proxy import FaultProxy

RUN = re.compile(r"\d{8}-\d{6}-\w{4}-\w{4}")
DIGEST = re.compile(r"[0-9a-f]{32,}|(?<=/)[0-9a-f]{2}(?=/)")


@dataclass(frozen=True, kw_only=True)
class Killed(Fault):
    """Whoever asks is dead by the time of the answer."""

    process: int

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        client.reset()


class Killing:
    """Stands before an engine and a store, in a `with`."""

    def __init__(self, engine: str, store: str) -> None:
        self.engine = FaultProxy(engine, plan=lambda asked: self._heard("engine", asked))
        self.store = FaultProxy(store, plan=lambda asked: self._heard("store", asked))
        self._exits = ExitStack()
        self._counting = threading.Lock()
        self.aim(0)

    def aim(self, number: int, what: str = "", *, reaches: bool = False) -> None:
        """The next process dies at its request of this number, counted from 1, of those that match
        a pattern; at none if it is 0. It is done nevertheless if it `reaches` its server."""
        self._number, self._what, self._reaches, self._process = number, what, reaches, 0
        self._known = threading.Event()
        self.seen: list[str] = []
        """All that was asked."""
        self.at = ""
        """At which request the process died; empty as long as it has not."""

    def take(self, process: int) -> None:
        """That one it is. Until this is known, no request goes on."""
        self._process = process
        self._known.set()

    def _heard(self, by: str, asked: Request) -> Fault | None:
        self._known.wait()
        with self._counting:
            self.seen.append(asks := f"{by}: {plain(asked)}")
            fits = [each for each in self.seen if re.search(self._what, each)]
            if self.at or asks not in fits or len(fits) != self._number:
                return None
            self.at = f"{len(self.seen)}, {'after' if self._reaches else 'before'} {asks}"
        return Killed(process=self._process, reaches=self._reaches)

    def __enter__(self) -> Self:
        self._exits.enter_context(self.engine)
        self._exits.enter_context(self.store)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._number = 0
        self._known.set()  # nobody waits any more
        self._exits.close()


def plain(asked: Request) -> str:
    """What is asked, without what differs from run to run."""
    method, target, _ = asked.head.first.split(" ", 2)
    path, _, query = target.partition("?")
    prefix = re.search(r"prefix=([^&]*)", query)
    told = f"{path}?prefix={prefix[1].replace('%2F', '/')}" if prefix else path
    return f"{method} {DIGEST.sub('…', RUN.sub('RUN', told))}"
