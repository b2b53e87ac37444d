"""The parts of looking ahead: reads in rounds, and the newest runs of a store."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact, NoSuchKey
from penstock.model.records import RunRecord
from penstock.runtime.at_once import AtHand, read_all
from penstock.runtime.backwards import all_ids, newest_ids
from penstock.runtime.ledger import Ledger
from penstock.runtime.newest import newest
from penstock.runtime.runid import new_run_id
from penstock.testing.distant import DistantArtifactStore
from penstock.testing.memory import MemoryArtifactStore

Get = Callable[[str], Buffer]

NOW = time.time()
YEAR = 365 * 86400.0


@pytest.fixture
def far() -> Iterator[DistantArtifactStore]:
    store = DistantArtifactStore(name="far", path="far parts")
    yield store
    store.clear()


# Reads in rounds.


def linked(start: str) -> Callable[[Get], str]:
    """Reads an object, then the one that it names, to the end of the chain."""

    def read(get: Get) -> str:
        key = start
        while True:
            try:
                key = bytes(get(key)).decode()
            except NoSuchKey:
                return key

    return read


LINKS = st.dictionaries(st.integers(0, 9).map(str), st.integers(0, 9).map(str), max_size=8)


@given(LINKS)
def test_reads_in_rounds_give_what_reads_one_by_one_give(links: dict[str, str]) -> None:
    links = {key: to for key, to in links.items() if int(to) > int(key)}  # no circles
    near, far = MemoryArtifactStore(path="links"), DistantArtifactStore(path="links")
    try:
        for key, to in links.items():
            near.put(key, [to.encode()])
        reads = {str(start): linked(str(start)) for start in range(10)}

        assert read_all(far, reads) == read_all(near, reads)
    finally:
        near.clear()


def test_what_several_reads_ask_for_is_asked_for_once_and_together() -> None:
    asked: list[list[str]] = []

    def ask(keys: Iterable[str]) -> dict[str, Buffer]:
        asked.append(list(keys))
        return {key: b"b" for key in asked[-1] if key == "a"}

    AtHand(ask).done({number: linked("a") for number in range(3)})

    assert asked == [["a"], ["b"]]


def test_what_a_read_raises_is_raised() -> None:
    def damaged(get: Get) -> None:
        get("a")
        raise CorruptArtifact("It is damaged.")

    with pytest.raises(CorruptArtifact, match="It is damaged"):
        AtHand(lambda keys: {}).done({1: linked("a"), 2: lambda get: damaged(lambda key: b"")})


# The newest runs.


def with_runs(store: MemoryArtifactStore, ages: Iterable[float]) -> None:
    near = MemoryArtifactStore(path=store.path)
    for age in ages:
        near.put(f"runs/{new_run_id(NOW - age)}/run.json", [b""])


AGES = st.one_of(
    st.floats(-YEAR, YEAR), st.floats(-60, 7200), st.floats(0, 45 * YEAR), st.just(3600.0)
)


@given(st.lists(AGES, max_size=30), st.sampled_from([0, 0, 0, 990, 1100]))
def test_the_portions_are_all_runs_the_newest_first(ages: list[float], old: int) -> None:
    store = DistantArtifactStore(path="portions")
    try:
        with_runs(store, ages)
        with_runs(store, (2 * YEAR + number for number in range(old)))
        store.put("runs/notes/x", [b""])

        portions = list(newest_ids(store))

        assert list(chain(*portions)) == all_ids(store)
    finally:
        store.clear()


def test_of_ten_thousand_runs_the_newest_are_found_with_one_request(
    far: DistantArtifactStore,
) -> None:
    with_runs(far, [10.0, *(3600.0 * number for number in range(1, 10_000))])
    far.forget_requests()

    assert len(next(newest_ids(far))) == 1
    assert far.requests == {"list": 1}


def test_of_few_old_runs_all_are_found_with_two_requests(far: DistantArtifactStore) -> None:
    with_runs(far, [5 * YEAR, 6 * YEAR])
    far.forget_requests()

    assert sum(map(len, newest_ids(far))) == 2
    assert far.requests == {"list": 2}


def record(run: str, pipeline: str = "training") -> RunRecord:
    return RunRecord(
        run, pipeline, "steps:training", "0" * 64, {}, "here", "", "local", "ann", "laptop", 1, NOW,
        "0" * 64, None, {}, (), {},
    )  # fmt: skip


def test_records_are_asked_for_a_few_at_first_and_no_further_than_wanted(
    far: DistantArtifactStore,
) -> None:
    ledger = Ledger(far)
    for number in range(30):
        ledger.begin(record(new_run_id(NOW - number)))
    far.forget_requests()

    found = newest(ledger, lambda run, error: None, first=4)
    runs = [next(found).record.run for _ in range(5)]

    assert runs == ledger.runs()[:5]
    assert far.requests["get"] == 4 + 8


def test_a_record_that_cannot_be_read_is_told_of_and_left_out(far: DistantArtifactStore) -> None:
    ledger = Ledger(far)
    good, bad, gone = (new_run_id(NOW - number) for number in range(3))
    ledger.begin(record(good))
    far.put(f"runs/{bad}/run.json", [b"no record"])
    far.put(f"runs/{gone}/beat", [b""])
    told: list[str] = []

    found = [each.record for each in newest(ledger, lambda run, error: told.append(run))]

    assert [replace(each, verified=True) for each in found] == [record(good)]
    assert told == [bad]
