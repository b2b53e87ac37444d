"""Components that raise what no component should: who it was is said, and the run is recorded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock import Client, LocalArtifactStore, RunFailed, Stack, Status, pipeline, step
from penstock.errors import RunError, StoreError
from penstock.stack import Job, Observer, Orchestrator
from penstock.stack.blame import blamed

Made = Callable[..., Stack]


@step
def fine() -> bytes:
    return b"x" * 10_000


@pipeline(progress=False)
def running() -> bytes:
    return fine()


@dataclass(frozen=True, kw_only=True)
class Stubborn(Orchestrator):
    flavor: ClassVar[str] = "stubborn"

    def submit(self, job: Job, observer: Observer) -> None:
        self.refuse({})

    def refuse(self, known: dict[str, int]) -> None:
        known["way"]


@dataclass(frozen=True, kw_only=True)
class Leaky(LocalArtifactStore):
    """Loses what is large, and everything whose key begins like this."""

    flavor: ClassVar[str] = "leaky"
    prefix: str = "large/"

    def put(self, key: str, buffers: Any, *, exclusive: bool = False) -> None:
        if key.startswith(self.prefix) or sum(map(len, buffers)) >= 10_000:
            raise ConnectionResetError("the pipe leaks")
        super().put(key, buffers, exclusive=exclusive)


def line(text: str) -> str:
    """Where this file says something first, as messages have it."""
    lines = Path(__file__).read_text("utf-8").splitlines()
    return f"{__file__}:{next(n for n, each in enumerate(lines, 1) if text in each)}"


def test_an_orchestrator_that_raises_is_named(stack: Made) -> None:
    broken = replace(stack(), orchestrator=Stubborn(name="mine"))
    with pytest.raises(RunError) as caught:
        running.on(broken).run()

    assert str(caught.value) == (
        f"The orchestrator 'mine' (flavor 'stubborn') failed: KeyError: 'way' ({line('known[')})"
    )
    assert isinstance(caught.value.__cause__, KeyError)
    assert Client(broken).run("last").status is Status.STOPPED


def test_a_store_that_raises_in_a_step_is_named(stack: Made, tmp_path: Path) -> None:
    broken = replace(stack(), artifact_store=Leaky(path=str(tmp_path / "store")))
    with pytest.raises(RunFailed) as caught:
        running.on(broken).run()

    failure = caught.value.run["fine"].record.failure
    assert failure.kind == "StoreError"
    assert failure.message == (
        "The artifact store 'leaky' (flavor 'leaky') failed: ConnectionResetError: the pipe leaks "
        f"({line('raise ConnectionResetError')})"
    )
    assert "ConnectionResetError: the pipe leaks" in failure.traceback


@pytest.mark.parametrize("prefix", ["store.json", "runs/"])
def test_a_store_that_raises_before_or_beside_the_steps_is_named(
    stack: Made, tmp_path: Path, prefix: str
) -> None:
    store = Leaky(path=str(tmp_path / "store"), prefix=prefix)
    with pytest.raises(StoreError, match=r"'leaky' \(flavor 'leaky'\) failed: ConnectionReset"):
        running.on(replace(stack(), artifact_store=store)).run()


def test_what_a_step_raises_is_no_components_fault(stack: Made) -> None:
    @step
    def broken() -> int:
        raise ConnectionResetError("mine")

    @pipeline(progress=False)
    def breaking() -> int:
        return broken()

    with pytest.raises(RunFailed) as caught:
        breaking.on(stack()).run()
    assert caught.value.run["broken"].record.failure.kind == "ConnectionResetError"


def test_an_error_of_penstocks_own_and_ctrl_c_stay_what_they_are() -> None:
    assert blamed(StoreError("no")) is None
    assert blamed(KeyboardInterrupt()) is None
    assert blamed(ValueError("never raised")) is None
