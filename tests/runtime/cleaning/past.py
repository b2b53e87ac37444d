"""Pipelines whose values are objects of their own, and a store in which time can pass."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import ArtifactStore
from penstock.artifacts.values import NOTHING, Values
from penstock.errors import NoSuchKey
from penstock.model.records import Artifact, Part
from penstock.runtime.cleaning.report import Cleaned
from penstock.runtime.ledger import Ledger
from penstock.runtime.run import Run

HOUR = 3600.0
DAY = 24 * HOUR


@step
def make(text: str) -> str:
    return text * 5000


@step
def join(one: str, other: str) -> Annotated[str, "joined"]:
    return one + other


@step(cache=False)
def uncached(text: str) -> str:
    return f"{text[:1]} not kept" * 1000


@step
def broken(text: str) -> str:
    raise ValueError(text[:1])


@step
def pickled(text: str) -> Any:
    return {text: {1, 2, 3}, "path": Path, "data": b"x" * 5000}


@pipeline(progress=False)
def chain(text: str) -> str:
    return join(make(text), make(text[::-1]))


@pipeline(progress=False)
def single(text: str) -> str:
    return make(text)


@pipeline(progress=False)
def loose(text: str) -> str:
    return uncached(make(text))


@pipeline(progress=False)
def failing(text: str) -> str:
    return broken(make(text))


@pipeline(progress=False)
def pickling(text: str) -> Any:
    return pickled(text)


@pipeline(progress=False)
def using(text: str) -> str:
    return join(text, "!")


def expected(text: str, of: Any) -> str:
    """What one of these pipelines gives."""
    if of is loose:
        return f"{text[0]} not kept" * 1000
    return text * 5000 + (text[::-1] * 5000 if of is chain else "")


class Past:
    """A store, and what a user does with it."""

    def __init__(self, path: Path, store: ArtifactStore | None = None) -> None:
        self.path = path
        self.store = store or LocalArtifactStore(path=str(path))
        self.stack = Stack("here", orchestrator=LocalOrchestrator(), artifact_store=self.store)
        self.client = Client(self.stack)
        self.ledger = Ledger(self.store)

    def run(self, text: str, of: Any = chain, **options: Any) -> Run[Any]:
        return of.on(self.stack).with_options(**options).run(text)  # type: ignore[no-any-return]

    def failed(self, text: str) -> Run[Any]:
        with pytest.raises(RunFailed) as caught:
            self.run(text, failing)
        return caught.value.run  # type: ignore[no-any-return]

    def passes(self, seconds: float) -> None:
        """Everything in the store is so much older. A file with two names ages once."""
        seen = set()
        for file in self.files():
            status = file.stat()
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                os.utime(file, (status.st_atime - seconds, status.st_mtime - seconds))

    def gc(self, **options: Any) -> Cleaned:
        return self.client.gc(**{"delete": True, **options})

    def computed(self, run: Run[Any]) -> list[str]:
        """The steps that were not taken from the cache."""
        return [view.id for view in run if view.status == "completed"]

    def gc_hard(self, **options: Any) -> Cleaned:
        """As much as can ever go."""
        self.passes(1)
        return self.gc(grace=0, keep_cache=0, **options)

    @property
    def runs(self) -> list[str]:
        return self.ledger.runs()

    def files(self) -> list[Path]:
        return [file for file in self.path.rglob("*") if file.is_file()]

    def objects(self) -> set[str]:
        return {file.name for file in self.files() if file.parent.parent.name == "objects"}

    def entries(self) -> Iterator[str]:
        yield from (file.name for file in self.files() if file.parent.parent.name == "cache")

    def dangling(self) -> list[str]:
        """What is named by a record that counts, and is not there."""
        found = []
        values = Values(self.store, lambda _: NOTHING)
        for run in self.client.runs(limit=None):
            for view in run:
                for name, output in view.outputs.items():
                    if not values.is_there(output.artifact):
                        found.append(f"{run.id}/{view.id}/{name}")
        for key in self.entries():
            record = self.ledger.cached(key)
            assert record is not None
            if not all(map(values.is_there, record.outputs.values())):
                found.append(f"cache {key}")
        return found + [
            str(tag) for tag in self.client.tagged() if not values.is_there(tag.artifact)
        ]

    def has(self, artifact: Artifact) -> bool:
        parts = [Part(artifact.digest, artifact.size), *artifact.parts]
        return all(self._is_there(part) for part in parts)

    def has_plan(self, run: Run[Any]) -> bool:
        return run.record.plan in self.objects()

    def _is_there(self, part: Part) -> bool:
        try:
            self.store.stat(object_key(part.digest))
        except NoSuchKey:
            return False
        return True
