"""Tracebacks of errors: the user's frames, and what of Python is beside them."""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar

import pytest

from penstock import LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.store import Buffer
from penstock.errors import OURS, BadArguments, StoreUnavailable
from penstock.runtime import tracebacks
from penstock.testing.memory import MemoryArtifactStore


@dataclass(frozen=True, kw_only=True)
class Dead(MemoryArtifactStore):
    """A store that nobody reaches, from its first request on."""

    flavor: ClassVar[str] = "dead"

    def get(self, key: str) -> Buffer:
        raise StoreUnavailable("nobody answers there")


@step
def one() -> int:
    return 1


@pipeline(progress=False)
def single() -> int:
    return one()


def frames(start: TracebackType | None) -> list[str]:
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(start)]


def test_of_a_store_that_fails_a_script_shows_its_own_line_and_the_run() -> None:
    """And no frame of Python's, by way of which we have come to the store."""
    stack = Stack("dead", orchestrator=LocalOrchestrator(), artifact_store=Dead(path="dead"))
    with pytest.raises(StoreUnavailable) as caught:
        single.on(stack).run()
    assert frames(caught.value.__traceback__)[1:] == ["run"]


def module(file: str, *names: str) -> dict[str, Callable[..., None]]:
    """Functions of a file, each of which calls what it is given."""
    found: dict[str, Callable[..., None]] = {}
    for name in names:
        code = f"def {name}(first, *others): first(*others)"
        exec(compile(code, file, "exec"), found)
    return found


def fail() -> None:
    raise BadArguments("wrong")


ALL = (
    module(f"{OURS}some.py", "ours") | module(traceback.__file__, "python")
    | module("/home/you/train.py", "users")
)  # fmt: skip


@pytest.mark.parametrize(
    ("calls", "shown"),
    [
        (["ours", "python", "ours"], []),
        (["python", "python", "ours"], []),
        (["ours", "users", "python"], ["users", "python"]),
        (["ours", "python", "users"], ["python", "users"]),
        (["users", "ours", "python", "ours"], ["users"]),
    ],
    ids=" ".join,
)
def test_frames_of_python_are_shown_beside_those_of_users_only(
    calls: Sequence[str], shown: Sequence[str]
) -> None:
    bad = module(f"{OURS}end.py", "end")["end"]
    first, *others = [ALL[name] for name in calls]
    with pytest.raises(BadArguments) as caught:
        first(*others, bad, fail)
    error = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # as who is called has it
    tracebacks.trim(error)
    assert [name for name in frames(error.__traceback__) if name in calls] == shown
