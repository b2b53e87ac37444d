"""Sending: what is written while the run goes on, by threads of its own, side by side.

What is not written yet is lost with the process, and nothing else: an object is there before what
names it, and the end of a run, or another process that is to read it, waits for all of it.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.runtime.capturing import capture
from penstock.runtime.stopping import Stopped

Write = Callable[[ArtifactStore], None]
"""Writes the objects of one post into a store."""

SIDE_BY_SIDE: Final = 32
"""Posts that are under way at the same time."""

MOST: Final = 256
"""Posts that are on their way; who has more waits."""

ROOM: Final = 64 << 20
"""Bytes that are on their way; who has more waits."""

SLICE: Final = 0.1
"""Seconds between two looks at whether the run is to stop."""

IDLE: Final = 1.0
"""Seconds after which a thread without work ends."""


class Post:
    """Objects on their way."""

    __slots__ = ("after", "data", "is_done", "is_lost", "last", "size", "write")

    def __init__(self, data: Mapping[str, Buffer], write: Write, last: bool) -> None:
        self.data = data
        self.write = write
        self.last = last
        self.size = sum(map(len, data.values()))
        self.after: set[Post] = set()
        """What must be there first."""
        self.is_done = self.is_lost = False


class Sending:
    """The posts of one run."""

    def __init__(self, store: ArtifactStore) -> None:
        self.stop = threading.Event()
        """Set when the run is to stop: then nobody waits here any longer."""
        self._store = store
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        lock = threading.Lock()
        self._for_work = threading.Condition(lock)
        self._for_change = threading.Condition(lock)
        self._waiting: list[Post] = []
        self._under_way: set[Post] = set()
        self._shown: dict[str, Post] = {}
        self._threads = 0
        self._idle = 0
        self._errors: list[BaseException] = []
        self._lost: set[str] = set()
        self._is_broken = False
        """Whether something was not written that what is `last` may name."""
        self._is_over = False
        self._is_late = False
        """Whether the store has not taken all of it in time: then it is asked nothing more."""

    def forked(self) -> None:
        """In a child: what is on its way is the parent's. It writes for itself, at once."""
        shown = dict(self._shown)
        self._begin()
        self._shown = shown
        self._is_over = True

    def shown(self, key: str) -> Buffer | None:
        """What is on its way to a key."""
        post = self._shown.get(key)
        return None if post is None else post.data[key]

    def add(self, data: Mapping[str, Buffer], write: Write, *, last: bool) -> None:
        """See `ArtifactStore.post`."""
        post = Post(data, write, last)
        with self._for_change:
            self._wait_for_room(post.size)
            if is_queued := not self._is_over:
                self._queue(post)
                if last and self._errors:
                    raise self._errors[0]
        if is_queued:
            self._employ()
        elif self._is_late:
            self._lose([post])
        else:
            write(self._store)

    def entries(self, prefix: str, start_after: str) -> list[Entry]:
        """What a listing has to show of what is on its way, in ascending order."""
        with self._for_change:
            shown = [(key, len(post.data[key])) for key, post in self._shown.items()]
        found = {}
        for key, size in shown:
            name, slash, _ = key.removeprefix(prefix).partition("/")
            child = prefix + name + slash
            if key.startswith(prefix) and child > start_after:
                found[child] = Entry(child, 0, 0.0) if slash else Entry(key, size, time.time())
        return [found[child] for child in sorted(found)]

    def flush(self) -> None:
        """See `ArtifactStore.flush`. Raises `Stopped` rather than wait in a run that is to stop."""
        is_done = self.wait(lambda key: True)
        if self._errors and not self._is_over:
            raise self._errors[0]
        if not is_done:
            raise Stopped

    def wait(self, concerns: Callable[[str], bool]) -> bool:
        """Until nothing is on its way any more that was posted before, to keys which this concerns.

        False for a run that is to stop: it has no time.
        """
        with self._for_change:
            posts = [*self._under_way, *self._waiting]
        posts = [each for each in posts if any(map(concerns, each.data))]
        if posts:
            self._employ()
        with self._for_change:
            while not (is_done := all(each.is_done for each in posts)):
                if self._is_over or self.stop.is_set():
                    break
                self._for_change.wait(SLICE)
            return is_done

    def conclude(self, seconds: float) -> set[str]:
        """See `ArtifactStore.conclude`."""
        until = time.monotonic() + seconds
        self._employ()
        with self._for_change:
            while self._waiting or self._under_way:
                if (left := until - time.monotonic()) <= 0:
                    self._is_late = True
                    break
                self._for_change.wait(min(left, SLICE))
            self._lose((*self._under_way, *self._waiting))
            self._is_over = True
            self._shown.clear()
            self._for_work.notify_all()
            return self._lost

    def _wait_for_room(self, size: int) -> None:
        """Unless the run is to end: then what comes is little, and time is short."""
        while not self._has_room(size) and not (
            self._is_over or self._errors or self.stop.is_set()
        ):
            self._for_change.wait(SLICE)

    def _has_room(self, size: int) -> bool:
        posts = [*self._under_way, *self._waiting]
        taken = sum(each.size for each in posts)
        return not posts or (len(posts) < MOST and taken + size <= ROOM)

    def _queue(self, post: Post) -> None:
        if len(self._errors) > 1 or (post.last and self._is_broken):
            self._lose([post])
            return
        for each in (*self._under_way, *self._waiting):
            names = post.last and not each.last
            if names or not post.data.keys().isdisjoint(each.data):
                post.after.add(each)
        # In this order: a step may be struck between any two of these.
        self._waiting.append(post)
        self._shown.update(dict.fromkeys(post.data, post))
        self._for_work.notify()

    def _employ(self) -> None:
        """One more thread, if there is work for it."""
        with self._for_change:
            ready = sum(not each.after for each in self._waiting)
            if ready <= self._idle or self._threads >= SIDE_BY_SIDE:
                return
        # Not under the lock: whoever notes that threads start may be waiting for it.
        threading.Thread(target=self._work, name="penstock-outbox", daemon=True).start()

    def _work(self) -> None:
        capture.leave_out()
        with self._for_change:
            self._threads += 1
        while (post := self._next()) is not None:
            self._employ()  # many may have waited for the same, and can go now
            error = None
            try:
                post.write(self._store)
            except BaseException as raised:
                error = raised
            self._done(post, error)

    def _next(self) -> Post | None:
        """The first that waits for nothing else; None if there is none for a while."""
        with self._for_work:
            patient = True
            while (post := self._ready()) is None:
                if self._is_over or not patient:
                    self._threads -= 1
                    return None
                self._idle += 1
                patient = self._for_work.wait(IDLE)
                self._idle -= 1
            self._under_way.add(post)
            self._waiting.remove(post)
            return post

    def _ready(self) -> Post | None:
        return next((each for each in self._waiting if not each.after), None)

    def _done(self, post: Post, error: BaseException | None) -> None:
        with self._for_change:
            self._under_way.discard(post)
            if error is None:
                self._forget(post)
            else:
                self._failed(post, error)
            self._for_change.notify_all()

    def _forget(self, post: Post) -> None:
        """It is there, and what waits for it need not."""
        post.is_done = True
        for key in post.data:
            if self._shown.get(key) is post:
                del self._shown[key]
        for each in self._waiting:
            if post in each.after:
                each.after.remove(post)
                self._for_work.notify()

    def _failed(self, post: Post, error: BaseException) -> None:
        """One error may be about one object: then what names it is given up. Two are about the
        store, and every other one would take as long. Readers still have what was given up: the
        run is to end of this error, and of no other."""
        self._errors.append(error)
        self._lose([post])
        for each in list(self._waiting):  # what it waits for stands before it
            if len(self._errors) > 1 or any(up.is_lost for up in each.after):
                self._waiting.remove(each)
                self._lose([each])

    def _lose(self, posts: Iterable[Post]) -> None:
        for post in posts:
            post.is_done = post.is_lost = True
            self._is_broken = self._is_broken or not post.last
            self._lost.update(post.data)


_all: Final[weakref.WeakSet[Sending]] = weakref.WeakSet()


def _forked() -> None:
    for each in list(_all):
        each.forked()


os.register_at_fork(after_in_child=_forked)
