"""What every artifact store must do. Nothing in here knows how a store keeps its objects."""

from __future__ import annotations

import array
import mmap
import os
import pickle
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import ClassVar, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.artifacts.source import Buffers, OpenFile
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.digest import of_buffers
from penstock.errors import KeyTaken, NoSuchKey, PenstockError, StoreError

LARGE: Final = 3 << 20
"""Bytes of an object that no store should treat as a small one."""

BAD_KEYS: Final = (
    *("", "/", "/a", "a/", "a//b", "//a"),
    *(".", "..", "../a", "a/..", "a/../b", "a/./b", ".hidden", "a/.hidden"),
    *("a\0b", "a b", "a\n", "a\\b", "C:a", "~", "naïve", "a\udc80", "a?b", "a*"),
)
BAD_PREFIXES: Final = ("/", "/a", "//", "a//", "../", "a/../", "./", "a\0", "naïve", "a b", "a\\")

_several: Final = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
_names: Final = st.text("ab-._Z0", min_size=1, max_size=4).filter(lambda name: name[0] != ".")
_folders: Final = count()


class ArtifactStoreTests:
    """Inherit from this and give it a `store`."""

    shared: ClassVar[bool] = True
    """Whether other processes see what one puts there. Of a store that is not shared, a forked
    process has a copy."""

    @pytest.fixture
    def store(self) -> ArtifactStore:
        """An empty store, another one for each test."""
        raise NotImplementedError("A suite needs its own `store` fixture.")

    @_several
    @given(st.lists(st.binary(max_size=300), max_size=5))
    def test_what_was_put_comes_back(self, store: ArtifactStore, buffers: list[bytes]) -> None:
        store.put("a/b", buffers)

        assert bytes(store.get("a/b")) == b"".join(buffers)

    @pytest.mark.parametrize("buffers", [[], [b""], [b"", b""], [memoryview(array.array("d"))]])
    def test_an_empty_object_is_one(self, store: ArtifactStore, buffers: list[Buffer]) -> None:
        store.put("a", buffers, exclusive=True)

        assert (bytes(store.get("a")), store.stat("a").size) == (b"", 0)

    def test_a_large_object_comes_back(self, store: ArtifactStore) -> None:
        data = os.urandom(LARGE)
        store.put("a", [data])

        assert bytes(store.get("a")) == data

    def test_thousands_of_buffers_are_one_object(self, store: ArtifactStore) -> None:
        pieces = [bytes([number % 251]) * (number % 7) for number in range(5000)]
        store.put("a", pieces)

        assert bytes(store.get("a")) == b"".join(pieces)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_a_buffer_may_be_of_any_kind(
        self, store: ArtifactStore, kind: Callable[[bytes], Buffer]
    ) -> None:
        store.put("a", [kind(b"one"), kind(b"two")])

        assert bytes(store.get("a")) == b"onetwo"

    def test_a_buffer_may_be_a_view_of_wide_items(self, store: ArtifactStore) -> None:
        numbers = array.array("d", [1.5, -2.5])
        store.put("a", [memoryview(numbers), memoryview(numbers)[1:]])

        assert bytes(store.get("a")) == array.array("d", [1.5, -2.5, -2.5]).tobytes()

    def test_a_buffer_may_be_a_mapping_of_a_file(self, store: ArtifactStore) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(b"mapped" * 1000)
            file.flush()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapping:
                store.put("a", [mapping])

        assert bytes(store.get("a")) == b"mapped" * 1000

    def test_what_get_gave_can_be_put(self, store: ArtifactStore) -> None:
        data = os.urandom(LARGE)
        store.put("a", [data])
        store.put("b", [store.get("a")])
        store.put("a", [store.get("a")])

        assert bytes(store.get("a")) == bytes(store.get("b")) == data

    def test_a_buffer_may_change_after_put(self, store: ArtifactStore) -> None:
        data = bytearray(b"before")
        store.put("a", [data])
        data[:] = b"after!"

        assert bytes(store.get("a")) == b"before"

    def test_put_replaces_what_is_there(self, store: ArtifactStore) -> None:
        store.put("a", [b"a long one"])
        store.put("a", [b"short"])

        assert bytes(store.get("a")) == b"short"
        assert store.stat("a").size == 5

    @pytest.mark.parametrize("data", [b"", b"first"])
    def test_an_exclusive_put_refuses_a_taken_key(self, store: ArtifactStore, data: bytes) -> None:
        store.put("a/b", [data], exclusive=True)
        with pytest.raises(KeyTaken, match="a/b"):
            store.put("a/b", [b"second"], exclusive=True)

        assert bytes(store.get("a/b")) == data

    def test_several_objects_at_once_are_those_that_are_there(self, store: ArtifactStore) -> None:
        for name in ("a/1", "a/2", "b"):
            store.put(name, [name.encode()])
        asked = ["a/2", "a/3", "b", "a/2"]
        told = {key: (entry.key, entry.size) for key, entry in store.stat_all(iter(asked)).items()}

        assert {key: bytes(data) for key, data in store.get_all(iter(asked)).items()} == {
            "a/2": b"a/2", "b": b"b",
        }  # fmt: skip
        assert {key: bytes(data) for key, data in store.use_all(iter(asked)).items()} == {
            "a/2": b"a/2", "b": b"b",
        }  # fmt: skip
        assert told == {"a/2": ("a/2", 3), "b": ("b", 1)}
        assert (store.get_all([]), store.use_all([]), store.stat_all([])) == ({}, {}, {})

    @pytest.mark.parametrize("size", [0, 5, LARGE, 3 * LARGE + 1])
    def test_who_reads_sees_every_piece_in_order(self, store: ArtifactStore, size: int) -> None:
        data = os.urandom(size)
        store.put("a", [data])
        seen: list[bytes] = []

        assert bytes(store.read("a", lambda piece: seen.append(bytes(piece)))) == data
        assert b"".join(seen) == data

    def test_what_is_not_there_is_not_read(self, store: ArtifactStore) -> None:
        seen: list[object] = []
        with pytest.raises(NoSuchKey, match="a"):
            store.read("a", seen.append)

        assert seen == []

    @pytest.mark.parametrize("size", [0, 5, LARGE, 3 * LARGE + 1])
    def test_a_draft_that_is_kept_is_an_object(self, store: ArtifactStore, size: int) -> None:
        data = os.urandom(size)
        with store.draft(Buffers([data[: size // 3], data[size // 3 :]])) as draft:
            seen = b"".join(bytes(piece) for piece in draft.pieces())
            draft.keep("a/b", of_buffers([data]))

        assert seen == bytes(store.get("a/b")) == data

    def test_a_draft_may_be_of_a_file(self, store: ArtifactStore) -> None:
        data = os.urandom(3 * LARGE + 1)
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with store.draft(OpenFile(file)) as draft:
                seen = b"".join(bytes(piece) for piece in draft.pieces())
                draft.keep("a", of_buffers([data]))

        assert seen == bytes(store.get("a")) == data

    @pytest.mark.parametrize("size", [5, 3 * LARGE])
    def test_a_draft_that_is_not_kept_leaves_nothing(self, store: ArtifactStore, size: int) -> None:
        store.put("a", [b"1"])
        before = _everything(store)
        with store.draft(Buffers([bytes(size)])) as draft:
            next(iter(draft.pieces()))

        assert _everything(store) == before

    @pytest.mark.parametrize("size", [5, 3 * LARGE])
    def test_a_value_that_changes_after_it_was_hashed_poisons_nothing(
        self, store: ArtifactStore, size: int
    ) -> None:
        value = bytearray(os.urandom(size))
        before = bytes(value)
        with store.draft(Buffers([value])) as draft:
            seen = b"".join(bytes(piece) for piece in draft.pieces())
            value[:] = bytes(size)
            with suppress(PenstockError):  # a store may notice it, and refuse
                draft.keep("a", of_buffers([before]))

        assert seen == before
        with suppress(NoSuchKey):
            assert bytes(store.get("a")) == before

    def test_a_draft_refuses_a_taken_key(self, store: ArtifactStore) -> None:
        store.put("a", [b"first"])
        with store.draft(Buffers([bytes(LARGE)])) as draft:
            digest = of_buffers(draft.pieces())
            with pytest.raises(KeyTaken, match="a"):
                draft.keep("a", digest)
            draft.keep("b", digest)

        assert (bytes(store.get("a")), store.stat("b").size) == (b"first", LARGE)

    @pytest.mark.parametrize("size", [0, 5, LARGE])
    def test_an_object_can_be_copied_into_a_file(self, store: ArtifactStore, size: int) -> None:
        data = os.urandom(size)
        store.put("a", [data])
        with tempfile.TemporaryFile() as file:
            store.copy_into("a", file.fileno())
            file.seek(0)
            assert file.read() == data
            file.seek(0)
            file.write(b"changed")
            file.flush()

        assert bytes(store.get("a")) == data

    def test_what_is_missing_is_not_copied(self, store: ArtifactStore) -> None:
        with tempfile.TemporaryFile() as file, pytest.raises(NoSuchKey, match="a"):
            store.copy_into("a", file.fileno())

    def test_a_stamp_tells_one_object_from_the_next(self, store: ArtifactStore) -> None:
        stamps = []
        for data in (b"first", b"other", b"first"):
            store.put("a", [data])
            time.sleep(0.1)  # of an object that is younger a stamp may not tell
            stamps.append(store.stamp("a"))

        assert stamps == [None] * 3 or len({*stamps, None}) == 4
        assert store.stamp("b") is None

    @pytest.mark.parametrize("key", ["a", "folder", "folder/b", "object/a", "x/y/z"])
    @pytest.mark.parametrize("ask", ["get", "stat", "delete", "touch", "use"])
    def test_a_missing_key_is_no_such_key(self, store: ArtifactStore, ask: str, key: str) -> None:
        store.put("object", [b"1"])
        store.put("folder/a", [b"1"])
        with pytest.raises(NoSuchKey, match=key):
            getattr(store, ask)(key)

    @pytest.mark.parametrize("size", [5, LARGE])
    def test_what_get_gave_is_private(self, store: ArtifactStore, size: int) -> None:
        store.put("a", [b"x" * size])
        one, other = store.get("a"), store.get("a")
        memoryview(one)[:3] = b"yyy"

        assert bytes(one)[:4] == b"yyyx"
        assert bytes(other) == bytes(store.get("a")) == b"x" * size

    @pytest.mark.parametrize("size", [5, LARGE])
    def test_what_get_gave_outlives_the_object(self, store: ArtifactStore, size: int) -> None:
        store.put("a", [b"x" * size])
        store.put("b", [b"x" * size])
        one, other = store.get("a"), store.get("b")
        store.put("a", [b"y" * size])
        store.delete("b")

        assert bytes(one) == bytes(other) == b"x" * size

    def test_stat_knows_size_and_time(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"12", b"345"])
        entry = store.stat("a/b")

        assert (entry.key, entry.name, entry.size) == ("a/b", "b", 5)
        assert abs(entry.modified - time.time()) < 3600, "seconds since 1970"

    def test_a_deleted_object_is_gone(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"1"])
        store.put("a/c", [b"1"])
        store.delete("a/b")

        assert _listed(store, "a/") == ["a/c"]
        with pytest.raises(NoSuchKey):
            store.get("a/b")
        with pytest.raises(NoSuchKey):
            store.delete("a/b")

    def test_touch_makes_an_object_young(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"data"])
        before = _later(store, store.stat("a/b"))
        store.touch("a/b")
        entry = store.stat("a/b")

        assert entry.modified >= before
        assert (entry.size, bytes(store.get("a/b"))) == (4, b"data")

    @pytest.mark.parametrize("size", [5, LARGE])
    def test_use_gives_what_get_gives(self, store: ArtifactStore, size: int) -> None:
        store.put("a", [b"x" * size])
        one, other = store.use("a"), store.use("a")
        memoryview(one)[:3] = b"yyy"

        assert bytes(other) == bytes(store.get("a")) == b"x" * size

    def test_discard_deletes_what_is_older(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"1"])
        store.put("a/c", [b"1"])
        before = _later(store, store.stat("a/b"))

        assert store.discard("a/b", before) is True
        assert _listed(store, "a/") == ["a/c"]
        with pytest.raises(NoSuchKey):
            store.discard("a/b", before)

    @pytest.mark.parametrize("again", ["touch", "put"])
    def test_discard_leaves_what_is_young_again(self, store: ArtifactStore, again: str) -> None:
        store.put("a", [b"old"])
        before = _later(store, store.stat("a"))
        store.touch("a") if again == "touch" else store.put("a", [b"new"])

        assert store.discard("a", before) is False
        assert bytes(store.get("a")) == (b"old" if again == "touch" else b"new")

    def test_delete_all_leaves_nothing_of_a_folder(self, store: ArtifactStore) -> None:
        for key in ("a/b/c", "a/b/d/e", "a/b/d/f", "a/bc", "a/c/b/d"):
            store.put(key, [b"1"])
        store.delete_all("a/b/")
        store.delete_all("missing/")

        assert _listed(store, "a/") == ["a/bc", "a/c/"]
        assert _listed(store, "a/b/") == []

    def test_what_is_stored_is_no_leftover(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"1"])
        store.publish(["c", "d"], b"1")
        with store.draft(Buffers([b"1"])) as draft:
            list(draft.pieces())

        assert list(store.leftovers(_later(store, store.stat("a/b")) + 60)) == []

    def test_a_deleted_key_is_free_again(self, store: ArtifactStore) -> None:
        store.put("a", [b"1"], exclusive=True)
        store.delete("a")
        store.put("a", [b"2"], exclusive=True)

        assert bytes(store.get("a")) == b"2"

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_what_is_no_key_is_refused(self, store: ArtifactStore, key: str) -> None:
        asked: Sequence[Callable[[], object]] = (
            lambda: store.put(key, [b"1"]),
            lambda: store.put(key, [b"1"], exclusive=True),
            lambda: store.publish([key], b"1"),
            lambda: store.get(key),
            lambda: store.stat(key),
            lambda: store.delete(key),
        )
        for ask in asked:
            with pytest.raises(StoreError) as caught:
                ask()
            assert not isinstance(caught.value, (NoSuchKey, KeyTaken, OSError))
        assert _listed(store) == []

    @pytest.mark.parametrize("prefix", BAD_PREFIXES)
    def test_what_begins_no_key_is_refused(self, store: ArtifactStore, prefix: str) -> None:
        with pytest.raises(StoreError):
            list(store.keys(prefix))

    def test_publish_puts_one_object_under_several_keys(self, store: ArtifactStore) -> None:
        assert store.publish(["a/1", "b/2", "c"], b"data") == ()
        assert [bytes(store.get(key)) for key in ("a/1", "b/2", "c")] == [b"data"] * 3

    def test_publish_says_which_keys_were_taken(self, store: ArtifactStore) -> None:
        store.put("b", [b"theirs"])

        assert store.publish(["a", "b", "c"], b"ours") == ("b",)
        assert [bytes(store.get(key)) for key in "abc"] == [b"ours", b"theirs", b"ours"]

    def test_names_that_publish_gave_are_objects_of_their_own(self, store: ArtifactStore) -> None:
        store.publish(["a", "b", "c"], b"data")
        store.put("a", [b"other"])
        store.delete("b")

        assert (bytes(store.get("a")), bytes(store.get("c"))) == (b"other", b"data")

    def test_publish_goes_in_order(self, store: ArtifactStore) -> None:
        """Whoever sees the last name sees all of them."""
        missing: list[str] = []
        done = threading.Event()

        def look() -> None:
            number = 0
            while number < 40 and not done.is_set():
                try:
                    store.stat(f"last/{number}")
                except NoSuchKey:
                    continue
                try:
                    store.stat(f"first/{number}")
                except NoSuchKey:
                    missing.append(f"first/{number}")
                number += 1

        watcher = threading.Thread(target=look)
        watcher.start()
        for number in range(40):
            store.publish([f"first/{number}", f"last/{number}"], b"x" * 1000)
        watcher.join(timeout=10)
        done.set()
        watcher.join()

        assert missing == []

    def test_keys_are_the_immediate_children(self, store: ArtifactStore) -> None:
        for key in ("top", "a/b", "a/c/d", "a/c/e/f", "ab/c"):
            store.put(key, [b"1"])

        assert _listed(store) == ["a/", "ab/", "top"]
        assert _listed(store, "a/") == ["a/b", "a/c/"]
        assert _listed(store, "a/c/") == ["a/c/d", "a/c/e/"]

    def test_a_prefix_may_end_within_a_name(self, store: ArtifactStore) -> None:
        for key in ("a/one", "a/onward/x", "a/two", "b/one"):
            store.put(key, [b"1"])

        assert _listed(store, "a/on") == ["a/one", "a/onward/"]
        assert _listed(store, "a") == ["a/"]

    def test_a_prefix_that_nothing_has_gives_nothing(self, store: ArtifactStore) -> None:
        store.put("a", [b"1"])

        assert _listed(store, "b") == _listed(store, "b/c/") == _listed(store, "a/") == []

    def test_an_empty_store_has_no_keys(self, store: ArtifactStore) -> None:
        assert _listed(store) == []

    def test_keys_ascend_as_text_with_the_slash(self, store: ArtifactStore) -> None:
        for key in ("a/x", "a-b", "a.b", "a0", "B", "a_", "Z/x", "10", "9"):
            store.put(key, [b"1"])

        assert _listed(store) == ["10", "9", "B", "Z/", "a-b", "a.b", "a/", "a0", "a_"]

    def test_keys_can_start_after_one(self, store: ArtifactStore) -> None:
        for key in ("a/1", "a/2", "a/3/x", "a/4"):
            store.put(key, [b"1"])

        assert _listed(store, "a/", start_after="a/2") == ["a/3/", "a/4"]
        assert _listed(store, "a/", start_after="a/15") == ["a/2", "a/3/", "a/4"]
        assert _listed(store, "a/", start_after="a/4") == []

    def test_keys_know_sizes_and_times(self, store: ArtifactStore) -> None:
        store.put("a", [b"123"])
        store.put("b/c", [b"1"])
        a, b = store.keys()

        assert a == store.stat("a")
        assert b == Entry("b/", 0, 0.0)

    def test_keys_come_one_by_one(self, store: ArtifactStore) -> None:
        for number in range(20):
            store.put(f"a/{number:02}", [b"1"])
        found = store.keys("a/")

        assert isinstance(found, Iterator)
        assert next(found).key == "a/00"

    def test_objects_may_come_and_go_during_a_listing(self, store: ArtifactStore) -> None:
        for number in range(5):
            store.put(f"a/{number}", [b"1"])
        found = store.keys("a/")
        first = next(found).key
        store.delete("a/1")
        store.put("a/9", [b"1"])

        keys = [first, *(entry.key for entry in found)]
        assert keys == sorted(keys)
        assert {"a/0", "a/2", "a/3", "a/4"} <= {*keys} <= {f"a/{n}" for n in range(10)}

    def test_a_tree_is_all_that_lies_below(self, store: ArtifactStore) -> None:
        for key in ("top", "ab/c", "a/c/e/f", "a/b-d", "a/b", "a/c/d", "a/b.d/x"):
            store.put(key, [b"1"])

        expected = ["a/b", "a/b-d", "a/b.d/x", "a/c/d", "a/c/e/f"]
        assert [entry.key for entry in store.tree("a/")] == expected
        assert list(store.tree("a/c/")) == [store.stat("a/c/d"), store.stat("a/c/e/f")]
        assert list(store.tree("nothing/")) == []

    @_several
    @given(st.sets(st.lists(_names, min_size=1, max_size=3).map("/".join), max_size=8), st.data())
    def test_a_listing_is_what_was_put(
        self, store: ArtifactStore, keys: set[str], data: st.DataObject
    ) -> None:
        base = f"n{next(_folders)}/"
        there: dict[str, int] = {}
        for size, key in enumerate(sorted(keys)):
            if not _in_the_way(key, there):
                there[key] = size
                store.put(f"{base}{key}", [b"x" * size])
        full = data.draw(st.sampled_from(sorted(there) or ["a"]))
        prefix = full[: data.draw(st.integers(0, len(full)))]
        after = data.draw(st.sampled_from(["", *sorted(there)]))

        whole = [(entry.key.removeprefix(base), entry.size) for entry in store.tree(base)]
        assert whole == sorted(there.items())
        expected = _children(there, prefix)
        found = store.keys(base + prefix, start_after=base + after)
        assert [(entry.key.removeprefix(base), entry.size) for entry in found] == [
            pair for pair in expected if pair[0] > after
        ]

    def test_of_many_threads_one_gets_a_key(self, store: ArtifactStore) -> None:
        def race(round: int) -> None:
            barrier = threading.Barrier(8)

            def put(number: int) -> bool:
                barrier.wait()
                try:
                    store.put(f"a/{round}", [b"%d" % number * 2000], exclusive=True)
                except KeyTaken:
                    return False
                return True

            won = list(threads.map(put, range(8)))
            assert won.count(True) == 1
            assert bytes(store.get(f"a/{round}")) == b"%d" % won.index(True) * 2000

        with ThreadPoolExecutor(8) as threads:
            for number in range(10):
                race(number)

    def test_nobody_sees_half_an_object(self, store: ArtifactStore) -> None:
        contents = [b"a" * 400_000, b"b" * 300_000, b"c" * 10]
        store.put("a", [contents[0]])
        done = threading.Event()
        wrong: list[int] = []

        def look() -> None:
            while not done.is_set():
                if (seen := bytes(store.get("a"))) not in contents:
                    wrong.append(len(seen))

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(60):
            data = contents[number % 3]
            store.put("a", [data[: len(data) // 2], data[len(data) // 2 :]])
        done.set()
        for reader in readers:
            reader.join()

        assert wrong == []

    def test_many_threads_may_use_it(self, store: ArtifactStore) -> None:
        def use(number: int) -> bool:
            key = f"a/{number % 5}/{number}"
            store.put(key, [b"%d" % number])
            return bytes(store.get(key)) == b"%d" % number and store.stat(key).size > 0

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(use, range(80)))
        assert len([key for n in range(5) for key in _listed(store, f"a/{n}/")]) == 80

    def test_the_file_system_shows_the_same_objects(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"data"])

        assert store.filesystem.cat_file("a/b") == b"data"
        assert store.filesystem.exists("a/c") is False

    def test_up_leaves_what_is_there(self, store: ArtifactStore) -> None:
        store.up()
        store.put("a", [b"data"])

        assert not store.up()
        assert bytes(store.get("a")) == b"data"

    def test_down_leaves_every_artifact(self, store: ArtifactStore) -> None:
        store.put("a/b", [b"data"])
        store.down()
        store.down(force=True)

        assert bytes(store.get("a/b")) == b"data"

    def test_down_removes_nothing_unless_it_is_forced(self, store: ArtifactStore) -> None:
        store.up()

        assert not store.down()
        assert not store.up()

    def test_a_pickled_store_is_the_same_place(self, store: ArtifactStore) -> None:
        store.put("a", [b"data"])
        other = pickle.loads(pickle.dumps(store))

        assert other == store
        assert bytes(other.get("a")) == b"data"

    def test_a_forked_child_may_use_it(self, store: ArtifactStore) -> None:
        store.put("a", [b"parent"])
        with warnings.catch_warnings():
            # Some versions of Python warn of a fork while there are threads.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            try:
                store.put("b", [b"child of ", store.get("a")])
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 0
        if self.shared:
            assert bytes(store.get("b")) == b"child of parent"
        else:
            assert _listed(store) == ["a"]


def _listed(store: ArtifactStore, prefix: str = "", start_after: str = "") -> list[str]:
    return [entry.key for entry in store.keys(prefix, start_after=start_after)]


def _later(store: ArtifactStore, entry: Entry) -> float:
    """A time by the store's clock that is after the object's."""
    while (now := store.clock()) <= entry.modified:
        time.sleep(0.01)
    return now


def _in_the_way(key: str, there: dict[str, int]) -> bool:
    """Whether one of the two would be a folder and an object: not every store can have that."""
    return any(f"{key}/".startswith(f"{other}/") or other.startswith(f"{key}/") for other in there)


def _children(there: dict[str, int], prefix: str) -> Sequence[tuple[str, int]]:
    """What a listing must show."""
    found = {}
    for key, size in there.items():
        if key.startswith(prefix):
            name, folder, _ = key[len(prefix) :].partition("/")
            found[prefix + name + folder] = 0 if folder else size
    return sorted(found.items())


def _everything(store: ArtifactStore, prefix: str = "") -> list[str]:
    """Every key in a store."""
    found = []
    for entry in store.keys(prefix):
        inside = _everything(store, entry.key) if entry.key.endswith("/") else [entry.key]
        found.extend(inside)
    return found
