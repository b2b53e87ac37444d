"""Attempts: what fails in passing is tried again, with growing pauses and until one deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from penstock_s3.causes import SILENT, Cause
from penstock_s3.failures import cause_of
from penstock_s3.silence import Silence

R = TypeVar("R")

_FIRST: Final = 0.05
_LONGEST: Final = 5.0
"""Seconds of the first pause, at most, and of any."""

_SHARE: Final = 6
"""The first attempt has this part of the time, each later one twice as much as the one before."""

_SHORT: Final = 12
_BACK: Final = 1.5
"""Where nobody is answered, this part of the time is enough; but for a server that has just come
back, and is slow, as many seconds."""

_STRANGER: Final = 6.0
"""Seconds for which a server is looked for that has never answered: its address may be wrong."""


class Attempts:
    """How long, and how often, one thing is tried."""

    def __init__(
        self,
        deadline: float,
        each: float | None = None,
        *,
        known: bool = True,
        silence: Silence | None = None,
    ) -> None:
        self._deadline = deadline
        self._each = each
        self._known = known
        self._silence = silence or Silence(deadline)
        self.failures: list[Cause] = []
        self._short = min(max(deadline / _SHORT, _BACK), deadline / 2)
        self._begin = 0.0
        self._seen = 0.0
        self._limit: asyncio.Timeout | None = None

    async def until_done(self, attempt: Callable[[], Awaitable[R]]) -> R:
        """What an attempt gives that does not fail. Raises `GivenUp`."""
        begin = self._begin = asyncio.get_running_loop().time()
        with self._silence.noting(self):
            try:
                return await self._repeated(attempt, begin)
            except GivenUp as given_up:
                if given_up.cause.passing:
                    self._silence.given_up(begin)
                raise

    async def _repeated(self, attempt: Callable[[], Awaitable[R]], begin: float) -> R:
        loop = asyncio.get_running_loop()
        while True:
            self._seen = loop.time()
            left = self._begin + self._deadline - self._seen
            try:
                async with asyncio.timeout(min(left, self._most())) as self._limit:
                    done = await attempt()
                self._silence.heard()
                return done
            except Exception as error:
                self._limit = None  # until the next one begins
                cause = cause_of(error)
                if cause is None or not cause.passing:
                    self._silence.heard()
                if cause is None:
                    raise
                self.failures.append(cause)
                pause = self._pause(cause)
                if not cause.passing or loop.time() + pause >= self._end(cause):
                    raise GivenUp(
                        self._telling(), len(self.failures), loop.time() - begin
                    ) from error
            await asyncio.sleep(pause)

    def moving(self) -> None:
        """Something large is under way: the time that it moves does not count."""
        now = asyncio.get_running_loop().time()
        self._begin += now - self._seen
        self._seen = now
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(now + self._most())

    def hasten(self) -> None:
        """Others have had no answer for so long that this one needs no more than a first try."""
        now = asyncio.get_running_loop().time()
        if self._limit is not None and not self._limit.expired():
            end = max(now, self._seen + self._most())
            self._limit.reschedule(min(end, self._limit.when() or end))

    def gained(self) -> None:
        """Something is done that no failure undoes: from here on all counts anew."""
        self.failures.clear()
        self.moving()
        self._begin = self._seen

    def _most(self) -> float:
        """Seconds that the next attempt may take."""
        if self._silence.lasts:
            return self._short
        if self._each is not None:
            return self._each
        share = _SHARE if self._known else _SHARE / 2  # the first request finds out much
        return self._deadline / share * 2.0 ** len(self.failures)

    def _telling(self) -> Cause:
        """Why it did not go through: the last cause, or the last that is no mere silence."""
        told = [cause for cause in self.failures if cause.code != SILENT]
        return (told or self.failures)[-1]

    def _pause(self, cause: Cause) -> float:
        most = min(_LONGEST, _FIRST * 2.0 ** (len(self.failures) - 1))
        return cause.wait + random.uniform(0, most)

    def _end(self, cause: Cause) -> float:
        """When no other attempt begins any more."""
        last = {failure.code for failure in self.failures[-cause.most :]}
        if 0 < cause.most <= len(self.failures) and last == {cause.code}:
            return self._begin
        if self._silence.lasts:
            return max(self._silence.since, self._begin + self._short)
        if cause.nobody and not self._known:
            return self._begin + min(_STRANGER, self._deadline)
        return self._begin + self._deadline


class GivenUp(Exception):
    """It cannot be done, or there is no time left."""

    def __init__(self, cause: Cause, attempts: int, seconds: float) -> None:
        super().__init__(cause.code)
        self.cause = cause
        self.attempts = attempts
        self.seconds = seconds
