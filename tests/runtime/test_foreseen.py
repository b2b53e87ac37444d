"""A run on a distant store asks for what it will most likely find all at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from watched_store import Watched

from penstock import LocalArtifactStore, LocalOrchestrator, Pipeline, Run, Stack, pipeline, step
from penstock.artifacts.distant import FRESH
from penstock.artifacts.store import ArtifactStore
from penstock.errors import RunFailed
from penstock.model.records import Status
from penstock.runtime.ledger import Ledger, cache_key
from penstock.runtime.notation import End


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Watched]:
    store = Watched(name="far", path=str(tmp_path))
    yield store
    store.clear()


@step
def first(value: int) -> int:
    return value


@step
def grown(value: int, by: int) -> int:
    return value + by


@step
def blob(value: int) -> bytes:
    return bytes(8000) + str(value).encode()


@step
def length(value: bytes) -> int:
    return len(value)


@step
def doubled(value: int) -> int:
    return 2 * value


@step
def listed(values: list[int]) -> list[int]:
    return values


@step
def added(values: list[int]) -> int:
    return sum(values)


@pipeline(progress=False)
def chain(steps: int, start: int = 1) -> int:
    value = first(start)
    for number in range(steps):
        value = grown(value, number)
    return value


@pipeline(progress=False)
def blobs(count: int) -> int:
    return added([length(blob(number)) for number in range(count)])


def on(store: ArtifactStore, what: Pipeline[Any, Any] = chain) -> Pipeline[Any, Any]:
    stack = Stack("here", orchestrator=LocalOrchestrator(max_workers=1), artifact_store=store)
    return what.on(stack)


def cost(store: Watched, run: Callable[[], Run[Any]]) -> tuple[Run[Any], Counter[str], int]:
    """What a run is, how many requests it makes, and how often it waits."""
    store.forget_requests()
    before = store.trips
    done = run()
    return done, store.requests, store.trips - before


def cached(run: Run[Any]) -> list[str]:
    return [view.id for view in run if view.status is Status.CACHED]


def computed(run: Run[Any]) -> list[str]:
    return [view.id for view in run if view.status is Status.COMPLETED]


# As few requests as can be.


@pytest.mark.parametrize("steps", [3, 100])
def test_a_cached_run_of_any_size_writes_two_files(far: Watched, steps: int) -> None:
    on(far).run(steps)

    run, requests, _ = cost(far, lambda: on(far).run(steps))

    assert len(cached(run)) == steps + 1
    assert requests["put"] == 2
    assert requests["copy"] == 0


def test_a_long_cached_chain_waits_as_often_as_a_short_one(far: Watched) -> None:
    trips = {}
    for steps in (3, 60):
        on(far).run(steps)
        _, _, trips[steps] = cost(far, lambda steps=steps: on(far).run(steps))

    assert trips[60] == trips[3] <= 10


def test_a_cached_run_reads_each_entry_and_looks_for_each_object_once(far: Watched) -> None:
    on(far, blobs).run(20)

    _, few, _ = cost(far, lambda: on(far, blobs).run(20))
    on(far, blobs).run(40)
    _, more, _ = cost(far, lambda: on(far, blobs).run(40))

    assert more["get"] - few["get"] == 40 + 2  # there are two more runs to look at
    assert more["head"] - few["head"] == 20


def test_compressed_objects_are_looked_for_at_once_as_well(far: Watched) -> None:
    packed = replace(far, compression="zstd")
    on(packed, blobs).run(50)

    run, _, trips = cost(packed, lambda: on(packed, blobs).run(50))

    assert (computed(run), trips <= 12) == ([], True)


def test_what_only_other_pipelines_have_computed_is_asked_for_side_by_side(far: Watched) -> None:
    @pipeline(progress=False)
    def others(count: int) -> int:
        return added([length(blob(number)) for number in range(count)])

    on(far, blobs).run(50)

    run, _, trips = cost(far, lambda: on(far, others).run(50))

    assert (computed(run), trips <= 16) == ([], True)


def test_the_items_of_a_map_are_looked_up_at_once(far: Watched) -> None:
    @pipeline(progress=False)
    def mapped(count: int) -> int:
        return added(doubled.map(listed(list(range(count)))))

    on(far, mapped).run(100)

    run, _, trips = cost(far, lambda: on(far, mapped).run(101))

    assert run.result() == sum(2 * number for number in range(101))
    assert [view.id for view in run["doubled"] if view.status is Status.COMPLETED] == [
        "doubled.100"
    ]
    assert trips <= 50


def test_a_run_that_failed_does_not_hide_what_the_one_before_it_had(far: Watched) -> None:
    @step
    def checked(value: int) -> int:
        if value < 0:
            raise ValueError("no")
        return value

    @pipeline(progress=False)
    def checking(start: int) -> int:
        value = checked(start)
        for number in range(60):
            value = grown(value, number)
        return value

    on(far, checking).run(1)
    with pytest.raises(RunFailed):
        on(far, checking).run(-1)

    run, _, trips = cost(far, lambda: on(far, checking).run(1))

    assert (computed(run), trips <= 12) == ([], True)


def test_the_seal_of_a_run_names_the_keys_of_what_it_has_computed(far: Watched) -> None:
    run = on(far).run(2)
    ledger = Ledger(far)

    assert ledger.sealed(run.id).keys == {view.id: view.record.key for view in run}  # type: ignore[union-attr]

    again = on(far).run(2)

    assert ledger.sealed(again.id).keys == {}  # type: ignore[union-attr]
    assert again.record.hits == ledger.sealed(run.id).keys  # type: ignore[union-attr]


def test_the_seal_of_a_run_on_a_near_store_says_nothing_of_keys(tmp_path: Path) -> None:
    run = on(LocalArtifactStore(path=str(tmp_path / "near"))).run(2)

    seal = (tmp_path / "near" / "runs" / run.id / "end.json").read_text()

    assert "keys" not in json.loads(seal.splitlines()[0])


# A guess decides nothing.


def test_what_has_changed_since_the_last_run_is_computed(far: Watched) -> None:
    def made(version: str) -> Pipeline[Any, Any]:
        @pipeline(progress=False)
        def versions() -> int:
            return doubled(grown.with_options(version=version)(first(1), 2))

        return on(far, versions)

    made("1").run()

    assert computed(made("2").run()) == ["grown"]


def test_other_parameters_than_in_the_last_run_find_what_is_theirs(far: Watched) -> None:
    on(far).run(3, start=1)
    on(far).run(3, start=5)

    run = on(far).run(3, start=1)

    assert (run.result(), computed(run)) == (4, [])


def test_an_object_that_is_gone_since_is_made_again(far: Watched) -> None:
    run = on(far, blobs).run(3)
    far.delete(f"objects/{(digest := run['blob-2'].record.outputs['output'].digest)[:2]}/{digest}")

    again = on(far, blobs).run(3)

    assert computed(again) == ["blob-2"]
    assert again.result() == run.result()


def test_an_entry_that_is_gone_since_is_made_again(far: Watched) -> None:
    run = on(far).run(3)
    far.delete(cache_key(run["grown-2"].record.key))

    assert computed(on(far).run(3)) == ["grown-2"]


def test_an_entry_of_another_step_in_the_place_of_one_does_not_count(far: Watched) -> None:
    run = on(far).run(3)
    other = far.get(cache_key(run["grown-3"].record.key))
    far.put(cache_key(run["grown-2"].record.key), [other])

    again = on(far).run(3)

    assert computed(again) == ["grown-2"]
    assert again.result() == run.result()


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "f" * 64, "a//b"])
def test_a_seal_that_names_keys_which_are_none_does_no_harm(far: Watched, key: str) -> None:
    run = on(far).run(3)
    far.delete(f"runs/{run.id}/end.json")
    Ledger(far).end(End(run.id, Status.COMPLETED, 1.0, {}, "", {"first": key, "grown": key}))

    assert computed(on(far).run(3)) == []


def test_a_seal_that_cannot_be_read_does_no_harm(far: Watched) -> None:
    run = on(far).run(3)
    far.put(f"runs/{run.id}/end.json", [b"no seal"])

    assert computed(on(far).run(3)) == []


def test_hours_later_all_that_is_written_is_still_the_run_and_its_seal(far: Watched) -> None:
    on(far).run(3)
    place = far._place
    for key, item in place.objects.items():
        place.objects[key] = item._replace(modified=item.modified - FRESH / 2)

    _, requests, _ = cost(far, lambda: on(far).run(3))

    assert (requests["put"], requests["copy"]) == (2, 0)


def test_what_a_run_relies_on_is_young_afterwards(far: Watched) -> None:
    on(far).run(3)
    place = far._place
    for key, item in place.objects.items():
        place.objects[key] = item._replace(modified=item.modified - 2 * FRESH)

    run, requests, _ = cost(far, lambda: on(far).run(3))

    plan, code = run.record.plan, run.record.code
    needed = [*(cache_key(key) for key in run.record.hits.values()), f"objects/{plan[:2]}/{plan}"]
    needed.append(f"objects/{code[:2]}/{code}")
    newest = max(item.modified for item in place.objects.values())
    assert all(newest - place.objects[key].modified < FRESH for key in needed)
    assert requests["put"] == 2


def test_code_that_is_gone_from_the_store_is_kept_again(far: Watched) -> None:
    run = on(far).run(3)
    code = f"objects/{run.record.code[:2]}/{run.record.code}"
    far.delete(code)

    _, requests, _ = cost(far, lambda: on(far).run(3))

    assert far.stat(code).size > 0
    assert requests["put"] == 3
