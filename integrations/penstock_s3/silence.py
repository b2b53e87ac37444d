"""Silence: what is known of a server that answers nobody, so that nobody waits for it anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from math import inf
from typing import Final, Protocol

_LONG: Final = 2
"""Who has waited for this part of a deadline, and nobody was answered meanwhile, knows enough."""


class Waiter(Protocol):
    """Somebody who has sent a request."""

    def hasten(self) -> None:
        """Others have waited long enough for both."""


class Silence:
    """Of one line, and for its loop only. It is over as soon as anybody is answered, or when it has
    been known for as long as a deadline: then somebody tries in earnest again.

    There may be one `within` another: a server that takes nothing may still answer who reads.
    """

    def __init__(self, deadline: float, within: Silence | None = None) -> None:
        self._deadline = deadline
        self._within = within
        self._waiting: set[Waiter] = set()
        self._heard = -inf
        self._since = -inf

    @property
    def since(self) -> float:
        """When somebody gave up."""
        return max(self._since, self._within.since) if self._within else self._since

    @property
    def lasts(self) -> bool:
        """Whether it is no use to wait for long."""
        return asyncio.get_running_loop().time() < self.since + self._deadline

    def heard(self) -> None:
        """Somebody was answered."""
        self._heard = asyncio.get_running_loop().time()
        self._since = -inf
        if self._within:
            self._within.heard()

    def given_up(self, begin: float) -> None:
        """Somebody who has asked since then was not. Those who still wait need not for long."""
        now = asyncio.get_running_loop().time()
        if self.lasts or self._heard > begin or now - begin < self._deadline / _LONG:
            return
        self._since = now
        for each in self._waiting:
            each.hasten()
        if self._within:
            self._within.given_up(begin)

    @contextmanager
    def noting(self, waiter: Waiter) -> Iterator[None]:
        """Around what somebody waits for."""
        self._waiting.add(waiter)
        try:
            with self._within.noting(waiter) if self._within else nullcontext():
                yield
        finally:
            self._waiting.discard(waiter)
