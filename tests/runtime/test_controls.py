"""`cache=`, `cache_for=` and `refresh=`: of a step, a pipeline, a stack, a file, a run."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.runtime.ledger import Ledger, cache_key

Made = Callable[..., Stack]

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)


@step
def looked_up(place: str) -> float:
    return time.time()


@step
def shown(moment: float) -> str:
    return str(moment)


@pipeline(progress=False)
def looking(place: str = "here") -> str:
    return shown(looked_up(place))


def ran(run: Run[Any]) -> list[str]:
    """What the run computed."""
    return [view.id for view in run if view.status == "completed"]


def age(run: Run[Any], by: timedelta, *steps: str) -> None:
    """Make the cache entries of a run's steps what they would be had it run that long ago."""
    ledger = Ledger(Client().active_stack.artifact_store)
    for name in steps or [view.id for view in run]:
        key = cache_key(run[name].record.key)
        text, _, _ = ledger.keys.verify(bytes(ledger.store.get(key)))
        first, rest = text.split(b"\n", 1)
        data = json.loads(first) | {"started": time.time() - by.total_seconds()}
        ledger.store.put(key, [ledger.keys.sign(json.dumps(data).encode() + b"\n" + rest)])


# cache_for


def test_a_result_is_taken_as_long_as_it_is_young_enough() -> None:
    first = looking.with_options(cache_for=HOUR).run()
    age(first, timedelta(minutes=59))

    assert ran(looking.with_options(cache_for=HOUR).run()) == []


def test_an_older_result_is_a_miss_that_says_so() -> None:
    age(looking.run(), timedelta(hours=25))

    run = looking.with_options(cache_for=timedelta(days=1)).run()

    assert run["looked_up"].status == "completed"
    assert run["looked_up"].record.why == "the result is older than 1 day"


def test_what_comes_after_an_older_result_is_taken_if_the_new_one_is_equal() -> None:
    @step(cache_for=HOUR)
    def constant() -> int:
        return 5

    @pipeline(progress=False)
    def counting() -> Any:
        return shown(constant())

    age(counting.run(), timedelta(hours=2), "constant")

    assert ran(counting.run()) == ["constant"]


def test_a_new_result_takes_the_place_of_the_older_one() -> None:
    age(looking.run(), timedelta(days=2))
    new = looking.with_options(cache_for=HOUR).run()

    again = looking.with_options(cache_for=HOUR).run()

    assert ran(again) == []
    assert again.result() == new.result()


def test_an_older_result_is_still_good_for_who_sets_no_limit() -> None:
    first = looking.run()
    age(first, timedelta(days=2))

    assert looking.run().result() == first.result()


def test_an_older_result_stays_if_the_step_fails_now(tmp_path: Path) -> None:
    @step
    def read(path: str) -> str:
        return Path(path).read_text()

    @pipeline(progress=False)
    def reading(path: str) -> str:
        return read(path)

    (tmp_path / "a").write_text("text")
    age(reading.run(str(tmp_path / "a")), timedelta(days=2))
    (tmp_path / "a").unlink()
    with pytest.raises(RunFailed):
        reading.with_options(cache_for=HOUR).run(str(tmp_path / "a"))

    assert reading.run(str(tmp_path / "a")).result() == "text"


def test_a_result_from_the_future_is_no_young_one() -> None:
    age(looking.run(), timedelta(days=-2))

    run = looking.with_options(cache_for=HOUR).run()

    assert run["looked_up"].record.why == (
        "the result is dated more than 1 hour ahead of the clock here"
    )


def test_a_clock_that_is_a_little_ahead_does_no_harm() -> None:
    age(looking.run(), timedelta(minutes=-2))

    assert ran(looking.with_options(cache_for=HOUR).run()) == []


@pytest.mark.parametrize("where", ["step", "pipeline", "inner", "run", "stack", "file"])
def test_the_shortest_time_counts_wherever_it_is_said(
    where: str,
) -> None:
    short = {place: HOUR if place == where else WEEK for place in ("step", "pipeline", "inner")}

    @step(cache_for=short["step"])
    def data() -> float:
        return time.time()

    @pipeline(cache_for=short["inner"])
    def inner() -> float:
        return data()

    @pipeline(progress=False, cache_for=short["pipeline"])
    def outer() -> float:
        return inner()

    written = {"steps": {"data": {"cache_for": "1h" if where == "stack" else "1w"}}}
    here = Stack(
        "here", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(), **written
    )
    Path("run.yaml").write_text(f"cache_for: {'1h' if where == 'file' else '1w'}\n")
    told = outer.on(here).with_options(config="run.yaml")
    if where == "run":
        told = told.with_options(cache_for=HOUR)
    first = told.run()
    age(first, timedelta(minutes=50))
    assert ran(told.run()) == []
    age(first, timedelta(hours=2))

    assert ran(told.run()) == ["data"]


# refresh


def test_a_refresh_computes_again_and_says_so() -> None:
    looking.run()

    run = looking.with_options(refresh=True).run()

    assert ran(run) == ["looked_up", "shown"]
    assert run["looked_up"].record.why == "a new result was asked for: refresh=True"


def test_what_was_refreshed_is_what_the_cache_has_afterwards() -> None:
    looking.run()
    refreshed = looking.with_options(refresh=True).run()

    again = looking.run()

    assert ran(again) == []
    assert again.result() == refreshed.result()


def test_a_refresh_of_one_step_leaves_the_others_to_their_inputs() -> None:
    @step(refresh=True)
    def constant() -> int:
        return 5

    @pipeline(progress=False)
    def counting() -> Any:
        return shown(constant())

    counting.run()

    assert ran(counting.run()) == ["constant"]


@pytest.mark.parametrize("where", ["step", "pipeline", "inner", "run", "stack", "file"])
def test_a_refresh_is_one_wherever_it_is_said(where: str) -> None:
    @step(refresh=where == "step")
    def data() -> float:
        return time.time()

    @pipeline(refresh=where == "inner")
    def inner() -> float:
        return data()

    @pipeline(progress=False, refresh=where == "pipeline")
    def outer() -> float:
        return inner()

    steps = {"data": {"refresh": where == "stack"}}
    here = Stack(
        "here", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(), steps=steps
    )
    Path("run.yaml").write_text(f"refresh: {'true' if where == 'file' else 'false'}\n")
    told = outer.on(here).with_options(config="run.yaml")
    told = told.with_options(refresh=True) if where == "run" else told
    first = told.run()

    assert told.run().result() > first.result()


def test_the_old_result_stays_until_the_new_one_is_there(tmp_path: Path) -> None:
    @step
    def read(path: str) -> str:
        return Path(path).read_text()

    @pipeline(progress=False)
    def reading(path: str) -> str:
        return read(path)

    (tmp_path / "a").write_text("text")
    reading.run(str(tmp_path / "a"))
    (tmp_path / "a").unlink()
    with pytest.raises(RunFailed):
        reading.with_options(refresh=True).run(str(tmp_path / "a"))

    assert ran(reading.run(str(tmp_path / "a"))) == []


def test_nothing_is_refreshed_where_the_cache_is_off() -> None:
    first = looking.run()

    looking.with_options(refresh=True, cache=False).run()

    assert looking.run().result() == first.result()


def test_a_refresh_of_what_was_never_computed_is_a_first_run() -> None:
    first = looking.with_options(refresh=True).run()

    assert looking.run().result() == first.result()


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_each_item_of_a_map_is_refreshed(workers: str, stack: Made) -> None:
    @pipeline(progress=False)
    def mapping() -> Any:
        return looked_up.map(["a", "b", "c"])

    told = mapping.on(stack(workers=workers))
    first = told.run()
    refreshed = told.with_options(refresh=True).run()

    assert len(ran(refreshed)) == 3
    assert not set(refreshed.result()) & set(first.result())
    assert told.run().result() == refreshed.result()


@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_each_item_of_a_list_that_a_step_makes_is_refreshed(workers: str, stack: Made) -> None:
    @step
    def places() -> list[str]:
        return ["a", "b", "c"]

    @pipeline(progress=False)
    def mapping() -> Any:
        return looked_up.map(places())

    told = mapping.on(stack(workers=workers))
    first = told.run()
    refreshed = told.with_options(refresh=True).run()

    assert not set(refreshed.result()) & set(first.result())
    assert told.run().result() == refreshed.result()


def test_an_older_result_is_replaced_by_a_worker_process(stack: Made) -> None:
    told = looking.on(stack(workers="processes")).with_options(cache_for=timedelta(seconds=0.2))
    told.run()
    time.sleep(0.3)
    second = told.run()
    kept = told.with_options(cache_for=WEEK)

    assert ran(second) == ["looked_up", "shown"]
    assert kept.run().result() == second.result()


def test_a_pickle_that_somebody_else_has_signed_stays_beside_the_refreshed_one(
    tmp_path: Path,
) -> None:
    def of(key: str) -> Stack:
        store = LocalArtifactStore(path=str(tmp_path / "store"), signing_key=key)
        return Stack(key, orchestrator=LocalOrchestrator(), artifact_store=store)

    @step
    def made() -> Any:
        return complex(time.time())

    @pipeline(progress=False)
    def making() -> Any:
        return made()

    theirs, mine = making.on(of("t" * 32)), making.on(of("m" * 32))
    first = theirs.run()
    mine.run()
    refreshed = mine.with_options(refresh=True).run()

    assert mine.run().result() == refreshed.result()
    assert theirs.run().result() == first.result()


# What past runs say.


def test_a_run_keeps_the_result_that_it_took_before_it_was_refreshed() -> None:
    first = looking.run()
    cached = looking.run()
    looking.with_options(refresh=True).run()

    found = Client().run(cached.id)
    assert found["looked_up"].output.load() == first["looked_up"].output.load()
    assert found["looked_up"].record.source == (first.id, "looked_up")


def test_a_source_that_is_no_run_is_no_result(stack: Made) -> None:
    cached = [looking.run(), looking.run()][1]
    ledger = Ledger(Client().active_stack.artifact_store)

    for source in ("../../secrets/x", "", "/", f"{cached.id}/../../x", f"{cached.id}/nobody"):
        forged = replace(cached.record, sources={"looked_up": source})
        assert ledger.hit_of(forged, "looked_up") is None


def test_a_record_that_names_no_sources_takes_what_the_cache_has() -> None:
    first, cached = looking.run(), looking.run()
    ledger = Ledger(Client().active_stack.artifact_store)

    found = ledger.hit_of(replace(cached.record, sources={}), "looked_up")

    assert found is not None
    assert found.source == (first.id, "looked_up")


# Checkpoints are results in the making.


@pytest.mark.parametrize(
    ("options", "goes_on"),
    [
        ({}, True),
        ({"refresh": True}, False),
        ({"cache": False}, False),
        ({"cache_for": WEEK}, True),
        ({"cache_for": timedelta(microseconds=1)}, False),
    ],
)
def test_a_checkpoint_counts_as_long_as_a_result_would(
    options: dict[str, Any], goes_on: bool
) -> None:
    import penstock

    @step
    def slow() -> bool:
        mine = penstock.context()
        if not Path("failed").exists():
            Path("failed").touch()
            mine.checkpoint("failed")
            raise OSError
        return mine.restore() is not None

    @pipeline(progress=False)
    def working() -> bool:
        return slow()

    with pytest.raises(RunFailed):
        working.run()

    assert working.with_options(**options).run().result() is goes_on


# The command line.

SCRIPT = """
import time
from penstock import pipeline, step

@step
def now() -> float:
    return time.time()

@pipeline
def telling() -> float:
    return now()

if __name__ == "__main__":
    telling.cli()
"""


@pytest.mark.parametrize("words", [["now.py"], ["-m", "penstock", "pipeline", "run", "now.py"]])
def test_refresh_is_a_flag_of_both_command_lines(python: Any, tmp_path: Path, words: Any) -> None:
    (tmp_path / "now.py").write_text(SCRIPT)
    for more in ([], [], ["--refresh"], []):
        python(*words, *more)

    statuses = [run["now"].status for run in Client().runs()]

    assert statuses == ["cached", "completed", "cached", "completed"]
