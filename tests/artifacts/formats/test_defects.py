"""Materializers that raise: which step, which output, which format, and where."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from penstock import Buffer, Materializer, RunFailed, materializer, pipeline, step
from penstock.artifacts.values import Code, Values
from penstock.errors import UnsupportedValue
from penstock.testing import MemoryArtifactStore


class Undumpable: ...


class Unloadable: ...


@materializer(Undumpable)
class AsNothing(Materializer[Undumpable]):
    format: ClassVar[str] = "defect-nothing/1"

    def dump(self, value: Undumpable) -> Sequence[Buffer]:
        return [self.written(value)]

    def written(self, value: Undumpable) -> bytes:
        raise KeyError("pixels")

    def load(self, data: Buffer) -> Undumpable:
        return Undumpable()


@materializer(Unloadable)
class AsSomething(Materializer[Unloadable]):
    format: ClassVar[str] = "defect-something/1"

    def dump(self, value: Unloadable) -> Sequence[Buffer]:
        return [b"something"]

    def load(self, data: Buffer) -> Unloadable:
        return self.read(bytes(data))

    def read(self, data: bytes) -> Unloadable:
        return [Unloadable()][len(data)]


@step
def make_undumpable() -> Undumpable:
    return Undumpable()


@step
def make_unloadable() -> Unloadable:
    return Unloadable()


@step
def use(given: Unloadable) -> int:
    return 1


@pipeline(progress=False)
def dumping() -> Undumpable:
    return make_undumpable()


@pipeline(progress=False)
def loading() -> int:
    return use(make_unloadable())


def line(text: str) -> str:
    """Where this file says something first, as messages have it."""
    lines = Path(__file__).read_text("utf-8").splitlines()
    return f"{__file__}:{next(n for n, each in enumerate(lines, 1) if text in each)}"


def test_a_format_that_fails_to_take_a_value_is_named() -> None:
    with pytest.raises(RunFailed) as caught:
        dumping.run()

    failure = caught.value.run["make_undumpable"].record.failure
    assert (failure.kind, failure.message) == (
        "UnsupportedValue",
        (
            "Output 'output' of step make_undumpable: the format defect-nothing/1 failed to take a "
            f"Undumpable: KeyError: 'pixels' ({line('raise KeyError')})"
        ),
    )
    assert "in written" in failure.traceback


def test_a_format_that_fails_to_load_a_value_is_named() -> None:
    with pytest.raises(RunFailed) as caught:
        loading.run()

    run = caught.value.run
    failure = run["use"].record.failure
    assert (failure.kind, failure.message) == (
        "UnsupportedValue",
        (
            f"Output 'output' of step make_unloadable in run {run.id} (an input of step use): the "
            "format defect-something/1 failed to load it: IndexError: list index out of range "
            f"({line('][len(data)]')})"
        ),
    )


def test_a_value_of_a_format_that_fails_is_no_other_error_for_its_reader() -> None:
    with pytest.raises(RunFailed) as caught:
        loading.run()

    with pytest.raises(UnsupportedValue, match="defect-something/1 failed to load it: IndexError"):
        caught.value.run["make_unloadable"].output.load()


def test_a_buffer_of_wide_items_has_a_digest(tmp_path: Path) -> None:
    import array

    wide = array.array("d", range(1000))
    values = Values(MemoryArtifactStore(path=str(tmp_path)), lambda names: Code())
    artifact = values.stored("wide/1", [memoryview(wide)])

    assert bytes(values.buffer(artifact, "it")) == wide.tobytes()
