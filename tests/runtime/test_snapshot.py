"""A watched folder is listed once, however much is read of it."""

import time

import pytest

from penstock.errors import NoSuchKey
from penstock.runtime.snapshot import HOLDS, Snapshot
from penstock.testing.distant import DistantArtifactStore

KEYS = ("runs/a/run.json", "runs/a/steps/one.json", "runs/a/steps/two.json", "runs/b/run.json")


@pytest.fixture
def store() -> DistantArtifactStore:
    store = DistantArtifactStore(path="memory://snapshot")
    for key in KEYS:
        store.put(key, [key.encode()])
    store.forget_requests()
    return store


def test_one_listing_answers_for_all_that_lies_there(store: DistantArtifactStore) -> None:
    snapshot = Snapshot(store, "runs/a/")
    snapshot.look()

    assert [entry.key for entry in snapshot.keys("runs/a/")] == [KEYS[0], "runs/a/steps/"]
    assert [entry.name for entry in snapshot.keys("runs/a/steps/")] == ["one.json", "two.json"]
    assert [each.key for each in snapshot.keys("runs/a/steps/", start_after=KEYS[1])] == [KEYS[2]]
    assert [entry.key for entry in snapshot.tree("runs/a/steps/")] == list(KEYS[1:3])
    assert snapshot.stat(KEYS[1]).size == len(KEYS[1])
    assert snapshot.stat_all([*KEYS[:2], "runs/a/none"]).keys() == {*KEYS[:2]}
    with pytest.raises(NoSuchKey):
        snapshot.get("runs/a/none")
    assert store.requests == {"list": 1}
    assert snapshot.asked == 1


def test_what_has_not_changed_is_read_once(store: DistantArtifactStore) -> None:
    snapshot = Snapshot(store, "runs/a/")
    snapshot.look()
    for _ in range(3):
        assert snapshot.get(KEYS[1]) == KEYS[1].encode()
        assert snapshot.get_all(KEYS[1:3]) == {key: key.encode() for key in KEYS[1:3]}
        snapshot.look()

    assert store.requests == {"list": 4, "get": 2}
    assert snapshot.asked == 6
    store.put(KEYS[1], [b"more than before"])
    assert snapshot.get(KEYS[1]) == KEYS[1].encode()
    snapshot.look()
    assert snapshot.get(KEYS[1]) == b"more than before"


def test_what_is_read_belongs_to_who_reads_it(store: DistantArtifactStore) -> None:
    snapshot = Snapshot(store, "runs/a/")
    snapshot.look()
    first = snapshot.get_all([KEYS[1]])[KEYS[1]]
    assert isinstance(first, bytearray)
    first[:4] = b"XXXX"

    assert snapshot.get(KEYS[1]) == KEYS[1].encode()


def test_what_is_written_is_there_at_once(store: DistantArtifactStore) -> None:
    snapshot = Snapshot(store, "runs/a/")
    snapshot.look()
    snapshot.put("runs/a/cancel", [b"by me"])
    assert snapshot.get("runs/a/cancel") == store.get("runs/a/cancel") == b"by me"
    snapshot.delete("runs/a/cancel")

    with pytest.raises(NoSuchKey):
        snapshot.stat("runs/a/cancel")
    with pytest.raises(NoSuchKey):
        store.get("runs/a/cancel")


def test_the_rest_of_the_store_is_there_as_before(store: DistantArtifactStore) -> None:
    snapshot = Snapshot(store, "runs/a/")

    assert snapshot.get(KEYS[3]) == KEYS[3].encode()
    assert [entry.key for entry in snapshot.keys("runs/b/")] == [KEYS[3]]
    assert snapshot.stat(KEYS[3]).key == KEYS[3]
    store.put(KEYS[3], [b"anew"])
    assert snapshot.get(KEYS[3]) == b"anew"


def test_the_clock_of_a_distant_store_is_asked_for_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ahead(DistantArtifactStore):
        asked = 0

        def clock(self) -> float:
            Ahead.asked += 1
            return time.time() + 100

    snapshot = Snapshot(Ahead(path="memory://ahead"), "runs/a/")
    for _ in range(3):
        assert snapshot.clock() - time.time() == pytest.approx(100, abs=5)
    assert (Ahead.asked, snapshot.asked) == (1, 1)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + HOLDS + 1)
    assert snapshot.clock() - time.time() == pytest.approx(100, abs=5)
    assert Ahead.asked == 2
