"""What watching costs a store that is far away: a listing a look, and each record once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, LocalOrchestrator, Run, Stack, Status, pipeline, step
from penstock.artifacts.store import Entry
from penstock.errors import StoreUnavailable
from penstock.runtime import watching
from penstock.runtime.observer import Silent
from penstock.testing.distant import DistantArtifactStore


@step
def square(x: int) -> int:
    print("square of", x)
    return x * x


@pipeline(progress=False)
def squaring(count: int) -> list[int]:
    return [square(x) for x in range(count)]


class Cut(DistantArtifactStore):
    """Nobody reaches it as long as there is a certain file."""

    @property
    def silent(self) -> Path:
        return Path(self.path.removeprefix("memory://")) / "silent"

    def tree(self, folder: str) -> Iterator[Entry]:
        if self.silent.exists():
            raise StoreUnavailable("There is no answer.")
        return super().tree(folder)


class Told(Silent):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


class Far:
    """A run in such a store."""

    def __init__(self, folder: Path) -> None:
        self.store = Cut(name="far", path=f"memory://{folder}")
        here = LocalOrchestrator(max_workers=1)
        self.stack = Stack("here", orchestrator=here, artifact_store=self.store)

    def run(self, count: int) -> Run[Any]:
        run = squaring.on(self.stack).run(count)
        return Client(self.stack).run(run.id)

    def running(self, count: int) -> Run[Any]:
        """One of which this process has not done all."""
        run = self.run(count)
        self.store.delete(f"runs/{run.id}/end.json")
        self.store.delete(f"runs/{run.id}/steps/square-{count}.json")
        return run


@pytest.fixture
def far(tmp_path: Path) -> Far:
    return Far(tmp_path)


def test_a_look_at_nothing_new_is_one_request(far: Far) -> None:
    watch = far.running(20).watching(Silent(), lambda *_: None)
    watch.look()
    far.store.forget_requests()
    assert watch.look() is Status.RUNNING
    assert far.store.requests == {"list": 1}


def test_every_record_and_every_piece_of_a_log_is_read_once(far: Far) -> None:
    run = far.run(20)
    far.store.forget_requests()
    heard: list[str] = []
    watch = run.watching(Silent(), lambda call, text: heard.append(text))
    for _ in range(5):
        assert watch.look() is Status.COMPLETED
    assert sorted(heard) == sorted(f"square of {x}\n" for x in range(20))
    assert far.store.requests["list"] == 5
    # The seal, the records, the pieces; and once whose store it is.
    assert far.store.requests["get"] == 1 + 20 + 20 + 1


def test_there_is_no_more_than_one_request_a_second(far: Far) -> None:
    watch = far.running(3).watching(Silent())
    watch.look()
    far.store.forget_requests()
    assert watch.until_over(2.5) is None
    assert sum(far.store.requests.values()) <= 4


def test_whoever_has_read_much_waits_longer(far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = far.running(30).watching(Silent())
    monkeypatch.setattr(watching, "LONGEST", 1.5)
    far.store.forget_requests()
    assert watch.until_over(1.3) is None
    assert far.store.requests["list"] == 2  # the second one as the time is up, and none after 1 s


def test_a_store_that_does_not_answer_is_said_once(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it has not for very long."""
    run = far.running(2)
    monkeypatch.setattr(watching, "BLIND", 1.5)
    told = Told()
    far.store.silent.touch()
    with pytest.raises(StoreUnavailable):
        run.watching(told).until_over()
    assert told.notes == ["There is no answer. The run is watched as soon as that is over."]
    assert run.watching(told).until_over(0.1) is None
    far.store.silent.unlink()
