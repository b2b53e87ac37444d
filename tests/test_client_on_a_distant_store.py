"""What a client asks of a store that is far away: few requests, and what goes together at once."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from watched_store import Watched

from penstock import Client, LocalOrchestrator, Pipeline, RunFailed, Stack, pipeline, step
from penstock.cli.main import main
from penstock.errors import CorruptArtifact
from penstock.model.records import RunRecord, Status
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.runtime.runid import new_run_id
from penstock.testing.distant import DistantArtifactStore
from penstock.testing.memory import MemoryArtifactStore

NOW = time.time()
HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def far(tmp_path: Path) -> Iterator[DistantArtifactStore]:
    store = DistantArtifactStore(name="far", path=str(tmp_path))
    yield store
    store.clear()


@pytest.fixture
def client(far: DistantArtifactStore) -> Client:
    return Client(stack(far))


def stack(store: DistantArtifactStore) -> Stack:
    return Stack("here", orchestrator=LocalOrchestrator(max_workers=1), artifact_store=store)


def recorded(store: DistantArtifactStore, age: float, *, sealed: bool = True) -> str:
    """The id of a run of this age that has ended."""
    ledger, run = Ledger(store), new_run_id(NOW - age)
    ledger.begin(
        RunRecord(
            run, "training", "steps:training", "0" * 64, {}, "here", "", "local", "ann", "laptop",
            1, NOW - age, "0" * 64, None, {}, (), {},
        )
    )  # fmt: skip
    if sealed:
        ledger.end(End(run, Status.COMPLETED, NOW - age + 5, {}))
    return run


def many(store: DistantArtifactStore, gap: float) -> list[str]:
    """The newest 20 of 10,000 runs, of which one began after the other by this gap."""
    near = MemoryArtifactStore(path=store.path)
    for number in range(20, 10_000):
        near.put(f"runs/{new_run_id(NOW - number * gap)}/run.json", [b""])
    runs = [recorded(store, number * gap) for number in range(20)]
    store.forget_requests()
    return runs


@pytest.mark.parametrize("gap", [0.3, 60.0, HOUR, 9 * HOUR])
def test_the_newest_20_of_10_000_runs_are_60_requests(
    far: DistantArtifactStore, client: Client, gap: float
) -> None:
    runs = many(far, gap)

    assert [run.id for run in client.runs()] == runs
    assert far.requests.total() <= 60
    assert set(far.requests) == {"get", "list"}


def test_what_the_list_of_runs_says_of_them_needs_no_other_request(
    far: DistantArtifactStore, client: Client
) -> None:
    for age in (1.0, 2.0, 3.0):
        recorded(far, age)
    runs = client.runs()
    far.forget_requests()

    said = [(run.status, round(run.duration), run.reason) for run in runs]

    assert said == [("completed", 5, "")] * 3
    assert not far.requests


def test_the_command_that_lists_runs_asks_only_for_pins_besides(
    far: DistantArtifactStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "penstock.yaml").write_text(
        "flavors: {artifact-store: {distant: 'penstock.testing.distant:DistantArtifactStore'}}\n"
        f"artifact_stores: {{far: {{flavor: distant, path: '{far.path}'}}}}\n"
        "stacks: {far: {orchestrator: default, artifact_store: far}}\n"
    )
    runs = [recorded(far, age) for age in range(30)]
    Client(stack(far)).run(runs[3]).pin()
    far.forget_requests()

    assert main(["run", "list", "--stack", "far"]) == 0

    shown = capsys.readouterr().out
    assert [line.split()[0] for line in shown.splitlines()[1:]] == runs[:20]
    assert [line.split()[0] for line in shown.splitlines() if "pinned" in line] == [runs[3]]
    assert far.requests["head"] == 20
    assert far.requests["get"] <= 42


def test_a_run_by_its_whole_id_needs_no_listing(far: DistantArtifactStore, client: Client) -> None:
    run = recorded(far, 9 * DAY)
    far.forget_requests()

    assert client.run(run).id == run
    assert far.requests["list"] == 0


def test_a_run_by_its_tail_is_found_among_all(far: DistantArtifactStore, client: Client) -> None:
    recorded(far, 1.0)
    run = recorded(far, 999 * DAY)

    assert client.run(run[-9:]).id == run


def test_runs_of_a_pipeline_are_found_behind_those_of_others(
    far: DistantArtifactStore, client: Client
) -> None:
    run = recorded(far, 40 * DAY)
    for number in range(100):
        Ledger(far).begin(
            replace(
                Ledger(far).run(run), run=new_run_id(NOW - number * HOUR), pipeline="other"
            )
        )  # fmt: skip

    assert [each.id for each in client.runs(pipeline="training", limit=1)] == [run]


def test_a_run_that_has_no_seal_yet_is_listed_with_the_status_that_it_has(
    far: DistantArtifactStore, client: Client
) -> None:
    run = recorded(far, DAY, sealed=False)
    (found,) = client.runs()
    Ledger(far).end(End(run, Status.FAILED, NOW, {}))

    assert found.status is Status.FAILED


def test_a_seal_that_cannot_be_read_is_an_error_where_the_status_is_asked_for(
    far: DistantArtifactStore, client: Client
) -> None:
    run = recorded(far, 1.0)
    far.put(f"runs/{run}/end.json", [b"no seal"])

    (found,) = client.runs()

    with pytest.raises(CorruptArtifact, match=r"end\.json"):
        _ = found.status


def test_a_run_whose_clock_goes_ahead_is_the_newest(
    far: DistantArtifactStore, client: Client
) -> None:
    ids = [recorded(far, age) for age in (-DAY, 1.0, DAY)]

    assert [run.id for run in client.runs()] == ids


# One run.


@step
def given(value: int) -> int:
    return value


@step
def grown(value: int) -> int:
    return value + 1


@step
def broken(value: int) -> int:
    raise ValueError("no")


@pipeline(progress=False)
def wide(count: int) -> list[int]:
    return [grown(given(number)) for number in range(count)]


@pipeline(progress=False)
def mapped(count: int) -> list[int]:
    return grown.map(numbers(count))


@step
def numbers(count: int) -> list[int]:
    return list(range(count))


@pipeline(progress=False)
def failing(count: int) -> int:
    value = broken(given(count))
    for _ in range(count):
        value = grown(value)
    return value


def statuses(run: Any) -> dict[str, str]:
    return {view.id: view.status for view in run}


def on(store: DistantArtifactStore, what: Pipeline[Any, Any]) -> Pipeline[Any, Any]:
    return what.on(stack(store))


def told(run: str, store: Watched) -> tuple[dict[str, str], int]:
    """What a client says of the steps of a run, and how often it waits for that."""
    before = store.trips
    steps = statuses(Client(stack(store)).run(run))
    return steps, store.trips - before


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    store = Watched(name="far", path=str(tmp_path / "watched"))
    yield store
    store.clear()


def test_the_steps_of_a_run_are_read_at_once(watched: Watched) -> None:
    computed = on(watched, wide).run(50)
    cached = on(watched, wide).run(50)

    first, trips = told(computed.id, watched)
    again, trips_again = told(cached.id, watched)

    assert (first, again) == (statuses(computed), statuses(cached))
    assert set(first.values()) | set(again.values()) == {"completed", "cached"}
    assert max(trips, trips_again) <= 12


def test_the_items_of_a_map_are_read_at_once(watched: Watched) -> None:
    on(watched, mapped).run(50)
    run = on(watched, mapped).run(60)

    steps, trips = told(run.id, watched)

    assert len(steps) == 62
    assert sorted(steps.values()).count("cached") == 50
    assert trips <= 16


def test_steps_that_have_not_begun_are_not_asked_for_one_by_one(watched: Watched) -> None:
    with pytest.raises(RunFailed) as caught:
        on(watched, failing).run(50)

    steps, trips = told(caught.value.run.id, watched)

    assert (steps["given"], steps["broken"]) == ("completed", "failed")
    assert list(steps.values()).count("pending") == 50
    assert trips <= 16
