"""Ours: values on the way that the outputs of steps take, records apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from penstock.artifacts.compression import ENDING
from penstock.artifacts.hashed import Hashed
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import ArtifactStore
from penstock.artifacts.values import Code, Trust, Values
from penstock.digest import Buffer
from penstock.errors import NoSuchKey
from penstock.model.records import Artifact
from penstock.runtime.bench.side import Handle, Value
from penstock.runtime.scratch import until_exit


class Ours:
    """The values of a store. Each of these starts without anything that was seen before, and
    leaves nothing to what the user has seen."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._values = self._fresh()

    def write(self, value: Value) -> Artifact:
        return self._values.save(memoryview(value), memoryview, "A value of the bench")

    def read(self, handle: Handle) -> Buffer:
        assert isinstance(handle, Artifact)
        found: Buffer = self._values.load(
            handle, memoryview, "A value of the bench", until_exit, Trust(given=True)
        )
        return found

    def remove(self, handles: Sequence[Handle]) -> None:
        for handle in handles:
            assert isinstance(handle, Artifact)
            key = object_key(handle.digest)
            for name in (key, f"{key}{ENDING}"):  # compressed or not, as the store has it
                with suppress(NoSuchKey):
                    self._store.delete(name)

    def forget(self) -> None:
        """Nothing was written or read by this machine, as far as is known."""
        self._values = self._fresh()

    def remembers(self, handle: Handle) -> bool:
        """Whether the store lets a machine trust what it has hashed before."""
        assert isinstance(handle, Artifact)
        return self._store.stamp(object_key(handle.digest)) is not None

    def _fresh(self) -> Values:
        return Values(self._store, _no_code, Hashed(None))


def _no_code(names: Iterable[object]) -> Code:
    """Plain bytes need none."""
    return Code()
