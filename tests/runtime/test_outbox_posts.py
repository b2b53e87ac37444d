"""Posts: what is written later, in which order, and what becomes of the rest when a write fails."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts.store import ArtifactStore
from penstock.errors import KeyTaken, StoreUnavailable
from penstock.runtime.outbox import Outbox
from penstock.runtime.sending import MOST, ROOM, SIDE_BY_SIDE, Post, Sending
from penstock.runtime.stopping import Stopped
from penstock.testing import ArtifactStoreTests, DistantArtifactStore, MemoryArtifactStore

LONG = 30.0
"""Seconds after which a test that waits in vain fails."""


_KEYS = ("a", "a-b", "a/b", "a/b/c", "a/c", "ab", "b/a", "b/a/b")
_ENDS = ("", "a", "a/", "a/b", "b/a")


class TestThroughAnOutbox(ArtifactStoreTests):
    shared: ClassVar[bool] = False

    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtifactStore:
        return Outbox(DistantArtifactStore(path=str(tmp_path)))


class Gate:
    """A write that begins and does not end before it is told to."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()
        self.error = error

    def __call__(self, store: ArtifactStore) -> None:
        self.begun.set()
        assert self.opened.wait(LONG)
        if self.error is not None:
            raise self.error


@pytest.fixture
def store(tmp_path: Path) -> MemoryArtifactStore:
    return MemoryArtifactStore(path=str(tmp_path))


@pytest.fixture
def outbox(store: MemoryArtifactStore) -> Outbox:
    return Outbox(store)


def put(key: str, data: bytes = b"") -> Callable[[ArtifactStore], None]:
    return lambda store: store.put(key, [data])


def _met(others: threading.Barrier) -> None:
    others.wait(LONG)


def refused(key: str) -> Callable[[ArtifactStore], None]:
    def write(store: ArtifactStore) -> None:
        raise StoreUnavailable(f"{key} is refused.")

    return write


def test_an_outbox_answers_all_that_a_store_is_asked() -> None:
    asked = {name for name, item in vars(ArtifactStore).items() if callable(item)}
    asked |= {name for name, item in vars(ArtifactStore).items() if isinstance(item, property)}
    own = {name for name in asked if not name.startswith("_")}
    assert own - set(vars(Outbox)) == set()


def test_what_only_a_flavor_has_is_had_through_an_outbox(tmp_path: Path) -> None:
    store = DistantArtifactStore(path=str(tmp_path), latency=0.001)
    outbox = Outbox(store)
    assert (outbox.latency, outbox.path, outbox.flavor) == (0.001, str(tmp_path), "distant")
    assert outbox == store == outbox == Outbox(store)
    assert outbox != MemoryArtifactStore(path="other")


def test_what_is_on_its_way_is_read_as_if_it_were_there(
    store: MemoryArtifactStore, outbox: Outbox, tmp_path: Path
) -> None:
    gate = Gate()
    outbox.post({"objects/a": b"abc"}, gate)
    seen: list[Any] = []

    assert outbox.get("objects/a") == outbox.use("objects/a") == b"abc"
    assert outbox.read("objects/a", seen.append) == seen[0] == b"abc"
    assert outbox.stat("objects/a").size == 3
    assert outbox.get_all(["objects/a", "b"]) == outbox.use_all(["objects/a"])
    assert list(outbox.stat_all(["objects/a", "b"])) == ["objects/a"]
    with open(tmp_path / "copy", "w+b") as file:
        outbox.copy_into("objects/a", file.fileno())
    assert (tmp_path / "copy").read_bytes() == b"abc"
    assert list(store.keys()) == []
    gate.opened.set()
    outbox.flush()


def test_what_is_read_on_its_way_is_private(outbox: Outbox) -> None:
    gate = Gate()
    outbox.post({"a": b"abc"}, gate)
    mine = outbox.get("a")
    assert isinstance(mine, bytearray)
    mine[0] = 0
    assert outbox.get("a") == b"abc"
    gate.opened.set()


@given(st.sets(st.sampled_from(_KEYS)), st.sets(st.sampled_from(_KEYS)), st.sampled_from(_ENDS))
def test_a_listing_has_what_is_there_and_what_is_on_its_way(
    there: set[str], coming: set[str], after: str
) -> None:
    whole, behind = MemoryArtifactStore(path="whole"), MemoryArtifactStore(path="behind")
    gate = Gate()
    try:
        for key in there | coming:
            whole.put(key, [b"abc"])
        for key in there:
            behind.put(key, [b"abc"])
        outbox = Outbox(behind)
        for key in coming:
            outbox.post({key: b"abc"}, gate)
        for prefix in ("", "a", "a/", "a/b", "b/"):
            theirs = list(whole.keys(prefix, start_after=after))
            mine = list(outbox.keys(prefix, start_after=after))
            assert [(e.key, e.size) for e in mine] == [(e.key, e.size) for e in theirs]
    finally:
        gate.opened.set()
        whole.clear()
        behind.clear()


def test_what_is_put_at_once_comes_after_what_is_on_its_way_to_the_same_key(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    outbox.post({"a": b"1"}, put("a", b"1"))
    with pytest.raises(KeyTaken):
        outbox.put("a", [b"2"], exclusive=True)
    outbox.post({"a": b"3"}, put("a", b"3"))
    outbox.delete("a")
    assert list(store.keys()) == []


def test_posts_to_one_key_are_carried_out_in_their_order(store: MemoryArtifactStore) -> None:
    outbox = Outbox(store)
    for number in range(50):
        outbox.post({"a": b"%d" % number}, put("a", b"%d" % number))
    outbox.flush()
    assert store.get("a") == b"49"


def test_writes_are_under_way_side_by_side(outbox: Outbox) -> None:
    together = threading.Barrier(SIDE_BY_SIDE)
    for number in range(SIDE_BY_SIDE):
        outbox.post({str(number): b""}, lambda store: [together.wait(LONG)][:0] or None)
    outbox.flush()
    assert not together.broken


@pytest.mark.parametrize("size", [1, ROOM // 4])
def test_who_has_too_much_on_its_way_waits(outbox: Outbox, size: int) -> None:
    gate = Gate()
    fits = MOST if size == 1 else 4
    data = bytes(size)
    sent = []

    def post() -> None:
        for number in range(fits + 1):
            outbox.post({str(number): data}, gate)
            sent.append(number)

    poster = threading.Thread(target=post)
    poster.start()
    assert gate.begun.wait(LONG)
    while len(sent) < fits:
        poster.join(0.01)
    poster.join(0.3)
    assert (poster.is_alive(), len(sent)) == (True, fits)
    gate.opened.set()
    poster.join(LONG)
    assert not poster.is_alive()


def test_nobody_waits_for_room_in_a_run_that_is_to_stop(outbox: Outbox) -> None:
    stop, gate = threading.Event(), Gate()
    outbox.ends_with(stop)
    stop.set()
    for number in range(MOST + 5):
        outbox.post({str(number): b""}, gate)
    with pytest.raises(Stopped):
        outbox.flush()
    gate.opened.set()


def test_all_that_waited_for_one_thing_go_side_by_side(outbox: Outbox) -> None:
    gate, together = Gate(), threading.Barrier(5)
    outbox.post({"a": b""}, gate)
    for number in range(5):
        outbox.post({f"n{number}": b""}, lambda store: _met(together), last=True)
    gate.opened.set()
    assert outbox.conclude(LONG * 2) == set()


def test_threads_end_with_the_run(outbox: Outbox) -> None:
    outbox.post({"a": b""}, put("a"))
    outbox.conclude(LONG)
    mine = [each for each in threading.enumerate() if each.name == "penstock-outbox"]
    for each in mine:
        each.join(LONG)
    assert not any(each.is_alive() for each in mine)


def test_what_comes_after_the_end_is_written_at_once(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    assert outbox.conclude(0) == set()
    outbox.post({"a": b"abc"}, put("a", b"abc"))
    assert store.get("a") == b"abc"


def test_the_end_waits_no_longer_than_it_is_told(outbox: Outbox) -> None:
    gate = Gate()
    outbox.post({"slow": b""}, gate)
    outbox.post({"after": b""}, put("after"), last=True)
    assert outbox.conclude(0.01) == {"slow", "after"}
    gate.opened.set()


def test_what_comes_after_an_end_that_came_too_soon_is_lost_and_waits_for_nobody(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    gate = Gate()
    outbox.post({"slow": b""}, gate)
    lost = outbox.conclude(0.01)
    outbox.post({"late": b""}, put("late"), last=True)
    gate.opened.set()
    assert lost == {"slow", "late"}
    assert not list(store.keys("late"))


def test_the_first_error_is_told_to_all_who_ask(outbox: Outbox) -> None:
    outbox.post({"a": b""}, refused("a"))
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="a is refused"):
            outbox.flush()
    with pytest.raises(StoreUnavailable, match="a is refused"):
        outbox.post({"c": b""}, put("c"), last=True)


def test_what_names_an_object_that_was_not_written_is_not_written(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    gate = Gate(StoreUnavailable("a is refused."))
    outbox.post({"a": b""}, gate)
    outbox.post({"record": b""}, put("record"), last=True)
    outbox.post({"other": b""}, put("other"))
    gate.opened.set()
    assert outbox.conclude(LONG) == {"a", "record"}
    assert [entry.key for entry in store.keys("")] == ["other"]


def test_one_error_does_not_keep_others_from_being_written(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    outbox.post({"a": b""}, refused("a"))
    for number in range(50):
        outbox.post({f"n{number}": b""}, put(f"n{number}"))
    assert outbox.conclude(LONG) == {"a"}
    assert len(list(store.keys())) == 50


def test_what_names_an_object_that_is_known_to_be_lost_is_not_written(
    store: MemoryArtifactStore, outbox: Outbox
) -> None:
    outbox.post({"a": b""}, refused("a"))
    with pytest.raises(StoreUnavailable):
        outbox.flush()
    with pytest.raises(StoreUnavailable):
        outbox.post({"record": b""}, put("record"), last=True)
    assert outbox.conclude(LONG) == {"a", "record"}
    assert list(store.keys()) == []


def test_after_two_errors_nothing_more_is_tried(outbox: Outbox) -> None:
    gates = [Gate(StoreUnavailable("It is gone.")) for _ in range(SIDE_BY_SIDE)]
    tried = []
    for number, gate in enumerate(gates):
        outbox.post({f"g{number}": b""}, gate)
    outbox.post({"waits": b""}, lambda store: tried.append("waits"), last=True)
    for gate in gates:
        assert gate.begun.wait(LONG)
    for gate in gates:
        gate.opened.set()
    assert "waits" in outbox.conclude(LONG)
    assert tried == []


def test_a_forked_child_writes_for_itself_and_nothing_of_the_parent(
    outbox: Outbox, tmp_path: Path
) -> None:
    gate = Gate()
    outbox.post({"parents": b"p"}, gate)
    assert gate.begun.wait(LONG)
    child = os.fork()
    if not child:
        outbox.post({"own": b""}, lambda store: (tmp_path / "own").touch())
        outbox.flush()
        os._exit(0 if outbox.get("parents") == b"p" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (tmp_path / "own").exists()
    gate.opened.set()
    outbox.flush()


class Hasty(Sending):
    """A defect: nothing waits for anything."""

    def _queue(self, post: Post) -> None:
        super()._queue(post)
        post.after.clear()


_posts = st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=30)


def disorder(kind: type[Sending], posts: list[tuple[str, bool]], failing: set[int]) -> list[str]:
    """What was written before something that it names was, or before what came first to its key;
    or was not written, and is not said to be lost."""
    sending = kind(MemoryArtifactStore(path="disorder"))
    done: list[int] = []
    wrong: list[str] = []

    def write(number: int, store: ArtifactStore) -> None:
        time.sleep(number % 3 / 2000)  # so that what may overtake does
        if number in failing:
            raise StoreUnavailable("No.")
        key, last = posts[number]
        wrong.extend(f"{number} came after {n}" for n in done if n > number and posts[n][0] == key)
        for before, (_, is_record) in enumerate(posts[:number]):
            if last and not is_record and before not in done:
                wrong.append(f"{number} came before {before}")
        done.append(number)

    for number, (key, last) in enumerate(posts):
        try:
            sending.add({key: b""}, lambda store, n=number: write(n, store), last=last)
        except StoreUnavailable:
            continue
    lost = sending.conclude(LONG)
    missing = [n for n in range(len(posts)) if n not in done and posts[n][0] not in lost]
    return wrong + [f"{number} is missing" for number in missing]


@given(_posts, st.sets(st.integers(0, 29), max_size=2))
def test_whatever_is_posted_and_fails_the_order_holds(
    posts: list[tuple[str, bool]], failing: set[int]
) -> None:
    assert disorder(Sending, posts, failing) == []


def test_an_outbox_without_order_is_noticed() -> None:
    posts = [("a", False), ("b", False), ("a", False), ("c", True)] * 6
    assert disorder(Hasty, posts, set())
