"""What every materializer must do."""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import pytest

from penstock.api.pipeline import pipeline
from penstock.artifacts.formats import registry
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.model.records import Status
from penstock.model.step import step
from penstock.orchestrators.local import LocalOrchestrator
from penstock.stack.stack import Stack

T = TypeVar("T")

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*/[0-9]+")


class MaterializerTests(Generic[T]):
    """Inherit from this and give it a `materializer` and `values`.

    The materializer must be known to penstock: by `@materializer(…)` in a module that the tests
    import, or by the entry points of a package that is installed.
    """

    @pytest.fixture
    def materializer(self) -> type[Materializer[T]]:
        """The class."""
        raise NotImplementedError("A suite needs its own `materializer` fixture.")

    @pytest.fixture
    def values(self) -> Sequence[T]:
        """Values that the format takes: the usual, the empty, the large, the odd."""
        raise NotImplementedError("A suite needs its own `values` fixture.")

    def same(self, one: T, other: T) -> bool:
        """Whether a value came back as it was. Override it where `==` says something else."""
        return type(one) is type(other) and one == other

    def test_its_id_is_a_name_and_a_version(self, materializer: type[Materializer[T]]) -> None:
        assert _ID.fullmatch(materializer.format)

    def test_it_is_the_first_that_is_asked_for_its_values(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        for value in values:
            assert type(next(registry.candidates(value, type(value)))) is materializer

    def test_it_is_found_by_its_id(self, materializer: type[Materializer[T]]) -> None:
        assert type(registry.for_format(materializer.format, None)) is materializer

    @pytest.mark.parametrize("kind", ["bytearray", "bytes", "mapping"])
    def test_what_was_dumped_comes_back(
        self, materializer: type[Materializer[T]], values: Sequence[T], kind: str
    ) -> None:
        """Whether the buffer may be written to or not, and where it lies."""
        for value in values:
            data = _dumped(materializer, value)
            assert self.same(value, _loaded(materializer, value, _BUFFERS[kind](data)))

    def test_buffers_are_bytes_and_views(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        for value in values:
            for buffer in materializer(type(value)).dump(value):
                assert memoryview(buffer).c_contiguous

    def test_equal_values_give_equal_bytes(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        """Else what needs them runs again each time."""
        for value in values:
            data = _dumped(materializer, value)
            assert _dumped(materializer, value) == data
            assert _dumped(materializer, _loaded(materializer, value, bytearray(data))) == data

    def test_a_dump_changes_nothing(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        for value in values:
            before = _loaded(materializer, value, bytearray(_dumped(materializer, value)))
            _dumped(materializer, value)
            assert self.same(value, before)

    def test_loaded_values_share_nothing(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        """A value may be a view of its own buffer, and of no other."""
        for value in values:
            data = _dumped(materializer, value)
            buffers = [bytearray(data), bytearray(data)]
            one, other = (_loaded(materializer, value, buffer) for buffer in buffers)
            buffers[1][:] = bytes(len(data))
            del other
            assert self.same(value, one)

    def test_bytes_that_are_cut_short_or_flipped_never_crash(
        self, materializer: type[Materializer[T]], values: Sequence[T]
    ) -> None:
        """penstock checks a digest first, so this takes a defect; then it is an error like any
        other, and no loop without end, no memory used up, no end of the process."""
        for value in values:
            for damaged in _damaged(_dumped(materializer, value)):
                try:
                    _loaded(materializer, value, damaged)
                except (MemoryError, RecursionError):
                    raise
                except Exception:
                    continue

    def test_a_run_hands_its_values_on_and_remembers_them(
        self, materializer: type[Materializer[T]], values: Sequence[T], tmp_path: Path
    ) -> None:
        stack = Stack(
            "tested",
            orchestrator=LocalOrchestrator(),
            artifact_store=LocalArtifactStore(path=str(tmp_path / "store")),
        )
        for value in values:
            make, hand_on = _steps(value)

            @pipeline(progress=False)
            def handing_on(make: Any = make, hand_on: Any = hand_on) -> Any:
                return hand_on(make())

            first, second = handing_on.on(stack).run(), handing_on.on(stack).run()

            assert [view.output.artifact.format for view in first] == [materializer.format] * 2
            assert self.same(value, first.result())
            assert [view.status for view in second] == [Status.CACHED] * 2
            assert self.same(value, second.result())


def _mapping(data: bytes) -> Buffer:
    mapped = mmap.mmap(-1, max(len(data), 1), flags=mmap.MAP_PRIVATE)
    mapped[: len(data)] = data
    return memoryview(mapped)[: len(data)]


_BUFFERS: Final[dict[str, Callable[[bytes], Any]]] = {
    "bytearray": bytearray,
    "bytes": bytes,
    "mapping": _mapping,
}


def _dumped(materializer: type[Materializer[T]], value: T) -> bytes:
    try:
        buffers = materializer(type(value)).dump(value)
    except NotThisFormat:
        pytest.fail(f"{materializer.__qualname__} does not take {value!r:.200}.")
    return b"".join(buffers)


def _loaded(materializer: type[Materializer[T]], value: T, data: Buffer) -> T:
    return materializer(type(value)).load(data)


def _damaged(data: bytes) -> list[bytearray]:
    """The bytes cut short, and with a bit or a byte changed here and there."""
    found = [bytearray(data[:length]) for length in {0, 1, len(data) // 2, max(len(data) - 1, 0)}]
    places = {*range(min(len(data), 64)), *range(0, len(data), max(len(data) // 32, 1))}
    for place in sorted(places):
        for mask in (1, 0x80, 0xFF):
            found.append(bytearray(data))
            found[-1][place] ^= mask
    return found


def _steps(value: Any) -> tuple[Any, Any]:
    """A step that gives the value, and one that hands it on. Both are annotated with its class."""

    def make() -> Any:
        return value

    def hand_on(given: Any) -> Any:
        return given

    make.__annotations__ = {"return": type(value)}
    hand_on.__annotations__ = {"given": type(value), "return": type(value)}
    return step(version=str(id(value)))(make), step(hand_on)
