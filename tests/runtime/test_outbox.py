"""Runs on a store that is far away: no step waits for what the last one has written."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import pytest

from penstock import (
    Client,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    context,
    pipeline,
    step,
)
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import ArtifactStore
from penstock.digest import of_buffers
from penstock.errors import NoSuchKey, StoreUnavailable
from penstock.runtime.ledger import Ledger
from penstock.testing import DistantArtifactStore

LONG = 30.0
"""Seconds after which a test that waits in vain fails."""

Told = Callable[[str], None]

_TOLD: Final[dict[str, Told]] = {}
_WRITTEN: Final[dict[str, list[str]]] = {}


@dataclass(frozen=True, kw_only=True)
class Watched(DistantArtifactStore):
    """Tells somebody before it writes, who may take their time, or raise."""

    flavor: ClassVar[str] = "watched"

    def put(self, key: str, buffers: Any, *, exclusive: bool = False) -> None:
        _TOLD[self.path](key)
        super().put(key, buffers, exclusive=exclusive)
        _WRITTEN[self.path].append(key)

    def told(self, told: Told) -> None:
        _TOLD[self.path] = told

    @property
    def written(self) -> list[str]:
        """Keys, in the order in which they were there."""
        return _WRITTEN[self.path]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(path=str(tmp_path))
    _TOLD[made.path], _WRITTEN[made.path] = (lambda key: None), []
    yield made
    made.clear()
    del _TOLD[made.path], _WRITTEN[made.path]


@pytest.fixture
def on(store: Watched) -> Callable[..., Stack]:
    def made(**options: Any) -> Stack:
        return Stack("far", orchestrator=LocalOrchestrator(**options), artifact_store=store)

    return made


@dataclass
class Held:
    """What goes to these keys is on its way until somebody lets it go."""

    names: tuple[str, ...]
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, key: str) -> None:
        if any(name in key for name in self.names):
            assert self.go.wait(LONG), key
            if self.error is not None:
                raise self.error


def failing(*names: str) -> Told:
    def told(key: str) -> None:
        if any(name in key for name in names):
            raise StoreUnavailable(f"The store refuses {key}.")

    return told


class Scene:
    """What some steps share with their test."""

    def __init__(self) -> None:
        self.held = Held(())
        self.looked: tuple[bool, list[str]] = False, []
        """What a hook has found."""
        self.digest = ""
        """Of an object that is to be lost."""
        self.begun, self.finish = threading.Event(), threading.Event()


scene = Scene()


@pytest.fixture(autouse=True)
def anew() -> None:
    scene.__init__()  # type: ignore[misc]


@step
def first(size: int) -> np.ndarray:
    return np.arange(size)


@step
def following(before: np.ndarray, name: str = "") -> np.ndarray:
    return before + 1


@step
def releasing(before: np.ndarray) -> int:
    scene.held.go.set()
    return int(before.sum())


@pytest.fixture
def held(store: Watched) -> Callable[..., Held]:
    def made(*names: str, error: Exception | None = None) -> Held:
        scene.held = Held(names, error)
        store.told(scene.held)
        return scene.held

    return made


@pipeline
def pair(size: int = 3) -> int:
    return releasing(first(size))


@pipeline
def chain(length: int = 6) -> np.ndarray:
    value = first(1000)
    for number in range(length - 1):
        value = following(value, str(number))
    return value


@pipeline
def branches(count: int = 10) -> list[np.ndarray]:
    return [following(first(1000 + number)) for number in range(count)]


def sealed(run_id: str, store: ArtifactStore) -> Any:
    return Ledger(store).sealed(run_id)


def stopped(store: ArtifactStore) -> Any:
    """How the only run that failed has ended."""
    ends = [sealed(run, store) for run in Ledger(store).runs()]
    (found,) = [end for end in ends if end and end.status is Status.STOPPED]
    return found


@pytest.mark.parametrize("names", [("cache/",), ("steps/first",), ("objects/",)])
def test_a_step_begins_before_what_the_last_one_gave_is_written(
    store: Watched, on: Any, held: Any, names: tuple[str, ...]
) -> None:
    run = pair.on(on()).run(size=1000)
    store.clear()
    held(*(names if names != ("objects/",) else _objects_of(run)[:1]))  # plans are objects, too
    assert pair.on(on()).run(size=1000).result() == 499_500
    assert scene.held.go.is_set()


def _objects_of(run: Run[Any]) -> tuple[str, ...]:
    """Digests of what its steps gave."""
    return tuple(item.digest for view in run for item in view.record.outputs.values())


def test_an_object_is_there_before_the_record_that_names_it(
    store: Watched, on: Any, held: Any
) -> None:
    run = pair.on(on()).run(size=1000)
    (digest,) = _objects_of(run)[:1]
    store.clear()
    store.written.clear()
    held(digest)
    run = pair.on(on()).run(size=1000)
    place = {key.rpartition("/")[2]: number for number, key in enumerate(store.written)}
    assert place[digest] < place["first.json"]
    assert place[digest] < place[run["first"].record.key]
    assert store.written[-1] == f"runs/{run.id}/end.json"


def test_a_record_is_in_the_cache_before_it_is_in_the_run(store: Watched, on: Any) -> None:
    run = pair.on(on()).run()
    place = {key.rpartition("/")[2]: number for number, key in enumerate(store.written)}
    assert place[run["first"].record.key] < place["first.json"]


def test_a_run_begins_after_its_plan_and_its_code_are_there(store: Watched, on: Any) -> None:
    store.told(lambda key: time.sleep(0.1 * key.startswith("objects/")))
    run = numbers.on(on()).run(length=1)
    place = {key: number for number, key in enumerate(store.written)}
    for digest in (run.record.plan, run.record.code):
        assert place[object_key(digest)] < place[f"runs/{run.id}/run.json"]


def test_the_end_of_a_run_is_written_after_everything_else(store: Watched, on: Any) -> None:
    run = branches.on(on()).run()
    assert store.written[-1] == f"runs/{run.id}/end.json"
    assert len([key for key in store.written if f"runs/{run.id}/steps/" in key]) == 20
    assert len(sealed(run.id, store).steps) == 20


def test_a_small_step_that_misses_costs_two_writes_and_a_look(store: Watched, on: Any) -> None:
    def asked(length: int) -> Counter[str]:
        store.clear()
        store.forget_requests()
        numbers.on(on()).run(length=length)
        return store.requests

    few, many = asked(10), asked(60)
    assert many["put"] - few["put"] <= 2 * 50
    assert many["get"] - few["get"] <= 50
    assert {kind for kind in many if many[kind] > few[kind]} <= {"put", "get"}


@step
def plus(value: int, name: str) -> int:
    return value + 1


@pipeline
def numbers(length: int) -> int:
    value = 0
    for number in range(length):
        value = plus(value, str(number))
    return value


def test_branches_write_side_by_side(store: Watched, on: Any) -> None:
    together = threading.Barrier(10)
    lock = threading.Lock()
    seen: list[str] = []

    def told(key: str) -> None:
        if "/steps/following" in key:
            with lock:
                seen.append(key)
            together.wait(LONG)

    store.told(told)
    branches.on(on(max_workers=1)).run(count=10)
    assert (len(seen), together.broken) == (10, False)


FAILURES = [
    ("the middle of a chain", chain, "steps/following-3"),
    ("the first of a chain", chain, "steps/first"),
    ("the last of a chain", chain, "steps/following-5"),
    ("a branch", branches, "steps/following-4"),
    ("the last branch", branches, "steps/following-10"),
]


@pytest.mark.parametrize(("made", "name"), [each[1:] for each in FAILURES], ids=str)
def test_a_record_that_cannot_be_written_ends_the_run_and_no_other_is_lost(
    store: Watched, on: Any, made: Any, name: str
) -> None:
    store.told(failing(name))
    with pytest.raises(StoreUnavailable, match=name) as raised:
        made.on(on()).run()
    assert raised.value.exit_code == 5
    end = stopped(store)
    failed = name.removeprefix("steps/")
    written = recorded(end.run, store)
    assert "StoreUnavailable" in end.why
    assert failed not in written
    assert end.steps.keys() <= written

    store.told(lambda key: None)
    again = made.on(on()).run()
    assert again.status is Status.COMPLETED
    assert written <= {view.id for view in again if view.status is Status.CACHED}


def recorded(run: str, store: Watched) -> set[str]:
    """The steps that a run has records of."""
    names = [key.rpartition("/")[2] for key in store.written if f"runs/{run}/steps/" in key]
    return {name.removesuffix(".json") for name in names}


def ran(run: Run[Any]) -> list[str]:
    """The steps that were not found in the cache."""
    return [view.id for view in run if view.status is Status.COMPLETED]


def test_an_object_that_cannot_be_written_ends_the_run_and_nothing_names_it(
    store: Watched, on: Any
) -> None:
    run = chain.on(on()).run()
    made = run["following-2"].output
    digest, total = made.artifact.digest, made.load().sum()
    store.clear()
    store.written.clear()
    store.told(failing(digest))
    with pytest.raises(StoreUnavailable, match=digest):
        chain.on(on()).run()
    end = stopped(store)
    named = [bytes(store.get(key)) for key in store.written if "/steps/" in key or "cache/" in key]
    assert not any(digest.encode() in each and b'"outputs"' in each and _gives(each, digest)
                   for each in named)  # fmt: skip
    assert "following-2" not in end.steps
    store.told(lambda key: None)
    again = chain.on(on()).run()
    assert again["following-2"].output.load().sum() == total


def _gives(record: bytes, digest: str) -> bool:
    """Whether a record has it among what the step gave."""
    return digest.encode() in record.partition(b'"outputs"')[2]


def test_a_store_that_fails_for_good_ends_the_run_in_which_no_step_begins_any_more(
    store: Watched, on: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    store.told(failing("cache/"))
    with pytest.raises(StoreUnavailable, match="cache/"):
        chain.on(on()).run(length=500)
    assert "following-499" not in capsys.readouterr().err
    assert not any("/steps/" in key for key in store.written)


def test_a_failing_step_fails_the_run_and_is_on_record(store: Watched, on: Any) -> None:
    with pytest.raises(RunFailed) as raised:
        failing_pair.on(on()).run()
    run = raised.value.run
    assert run.status is Status.FAILED
    assert [view.status for view in run] == [Status.COMPLETED, Status.FAILED]
    assert any("/attempts/broken/" in key for key in store.written)


@step
def broken(value: np.ndarray) -> int:
    raise ValueError("no such luck")


@pipeline
def failing_pair() -> int:
    return broken(first(3))


def test_what_is_printed_can_be_read_while_it_is_on_its_way(
    store: Watched, on: Any, held: Any
) -> None:
    held("/logs/")
    run = talking.on(on()).with_options(wait=False).run()
    threading.Timer(0.3, scene.held.go.set).start()
    assert "a word" in run.wait(LONG)["says"].logs()


@step
def says() -> int:
    print("a word")
    return 1


@pipeline
def talking() -> int:
    return says()


def test_a_log_that_cannot_be_written_stops_no_run(
    store: Watched, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store.told(failing("/logs/"))
    assert talking.on(on()).run().result() == 1
    assert "A log was not written" in caplog.text


def test_a_log_that_the_run_s_own_error_explains_is_no_message(
    store: Watched, on: Any, caplog: pytest.LogCaptureFixture
) -> None:
    store.told(failing("/logs/", "steps/says"))
    with pytest.raises(StoreUnavailable):
        talking.on(on()).run()
    assert "A log was not written" not in caplog.text


def test_a_run_that_nobody_waits_for_is_read_while_it_writes(
    store: Watched, on: Any, held: Any
) -> None:
    held("steps/first", "attempts/")
    run = waiting.on(on()).with_options(wait=False).run()
    assert scene.begun.wait(LONG)
    assert run["first"].output.load().sum() == 3
    assert run["first"].status is Status.COMPLETED
    with pytest.raises(NoSuchKey):
        store.get(f"runs/{run.id}/steps/first.json")
    scene.held.go.set()
    scene.finish.set()
    assert run.wait(LONG).status is Status.COMPLETED
    assert store.written[-1] == f"runs/{run.id}/end.json"


@step
def waits(value: np.ndarray) -> int:
    scene.begun.set()
    assert scene.finish.wait(LONG)
    return 1


@pipeline
def waiting() -> int:
    return waits(first(3))


def test_who_waits_for_a_run_is_told_that_a_write_has_failed(store: Watched, on: Any) -> None:
    store.told(failing("steps/first"))
    run = pair.on(on()).with_options(wait=False).run()
    with pytest.raises(StoreUnavailable, match="steps/first"):
        run.wait(LONG)


def look(record: Any) -> None:
    """With a client of its own, which knows of no outbox."""
    scene.looked = scene.held.go.is_set(), ran(Client().run(record.run))


@step
def soon(value: int) -> int:
    threading.Timer(0.3, scene.held.go.set).start()
    return value


@step(on_start=look)
def starting(value: int) -> int:
    return value


@step(on_success=look)
def ending(value: int) -> int:
    return soon(value)


@pipeline
def start_hook() -> int:
    return starting(soon(1))


@pipeline
def end_hook() -> int:
    return ending(1)


@pytest.mark.parametrize(("made", "name"), [(start_hook, "soon"), (end_hook, "ending")], ids=str)
def test_what_a_hook_looks_for_is_there(
    on: Any, held: Any, monkeypatch: pytest.MonkeyPatch, made: Any, name: str
) -> None:
    held(f"steps/{name}")
    stack = on()
    Client().register(stack)
    monkeypatch.setenv("PENSTOCK_STACK", stack.name)
    made.on(stack).run()
    assert scene.looked == (True, [name])


@step
def listing(count: int) -> list[int]:
    return list(range(count))


@step
def double(item: int) -> int:
    return item * 2


@step
def collected(items: list[int]) -> int:
    return sum(items)


@pipeline
def mapped(count: int) -> int:
    return collected(double.map(listing(count)))


def test_a_map_over_a_list_known_at_run_time_runs_and_is_found_again(
    store: Watched, on: Any
) -> None:
    assert mapped.on(on()).run(count=12).result() == 132
    run = mapped.on(on()).run(count=14)
    assert run.result() == 182
    assert [name for name in ran(run) if "." in name] == ["double.12", "double.13"]


def test_a_map_that_cannot_be_recorded_goes_on_in_the_next_run(store: Watched, on: Any) -> None:
    store.told(failing("steps/double.5"))
    with pytest.raises(StoreUnavailable):
        mapped.on(on()).run(count=12)
    store.told(lambda key: None)
    written = recorded(stopped(store).run, store)
    run = mapped.on(on()).run(count=12)
    assert run.result() == 132
    assert written.isdisjoint(ran(run))


@step
def rounded(value: float) -> int:
    return round(value)


@pipeline
def behind(value: float) -> np.ndarray:
    return following(following(first(rounded(value)), "a"), "b")


def test_a_hit_that_was_found_while_running_is_on_record(store: Watched, on: Any) -> None:
    behind.on(on()).run(value=3.1)
    run = behind.on(on()).run(value=3.2)
    assert ran(run) == ["rounded"]
    steps = {key for key in store.written if key.startswith(f"runs/{run.id}/steps/")}
    assert len(steps) == 4
    assert run.result().tolist() == [2, 3, 4]


def test_equal_steps_are_hits_while_the_first_is_on_its_way(
    store: Watched, on: Any, held: Any
) -> None:
    held("cache/")
    threading.Timer(0.3, scene.held.go.set).start()
    run = twice.on(on(max_workers=1)).run()
    assert run["following-2"].status is Status.CACHED


@pipeline
def twice() -> np.ndarray:
    value = first(1000)
    return following.after(following(value, "same"))(value, "same")


@step
def losing(value: np.ndarray, path: str) -> int:
    """Deletes what the first step gave, once it has arrived."""
    store = Watched(path=path)
    digest = scene.digest
    while digest not in {key.rpartition("/")[2] for key in store.written}:
        pass
    store.delete(f"objects/{digest[:2]}/{digest}")
    return 1


@step
def needing(value: np.ndarray, after: int) -> int:
    return int(value.sum())


@pipeline
def healed(path: str) -> int:
    value = first(1000)
    return needing(value, losing(value, path))


def test_what_is_lost_after_it_was_written_is_computed_again(
    store: Watched, on: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene.digest,) = _objects_of(chain.on(on()).run(length=1))
    store.clear()
    store.written.clear()
    assert healed.on(on()).run(path=store.path).result() == 499_500
    assert "first is computed again" in capsys.readouterr().err


@step
def on_its_way(name: str) -> int:
    Path(name).write_text("x" * 5000)
    context().checkpoint(name)
    return 1


@pipeline
def long_way(name: str) -> int:
    return on_its_way(name)


def test_a_checkpoint_names_nothing_that_is_not_there(
    store: Watched, on: Any, held: Any, tmp_path: Path
) -> None:
    digest = of_buffers([b"x" * 5000])
    held(digest)
    threading.Timer(0.3, scene.held.go.set).start()
    long_way.on(on()).run(name=str(tmp_path / "file"))
    place = {key: number for number, key in enumerate(store.written)}
    (kept,) = [key for key in place if key.startswith("checkpoints/")]
    assert place[object_key(digest)] < place[kept]


def test_a_resumed_run_takes_over_what_the_last_one_has(store: Watched, on: Any) -> None:
    store.told(failing("steps/following-3"))
    with pytest.raises(StoreUnavailable):
        chain.on(on()).with_options(cache=False).run()
    end = stopped(store)
    had = recorded(end.run, store)
    assert "first" in end.steps
    store.told(lambda key: None)
    run = chain.on(on()).with_options(cache=False, resume="last").run()
    assert run.status is Status.COMPLETED
    assert had.isdisjoint(ran(run))
    assert set(sealed(run.id, store).steps) == {view.id for view in run}
