"""The client: stacks, runs and artifacts from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from penstock.artifacts.values import Values
from penstock.errors import CorruptArtifact, NotFound, listed
from penstock.model.component import StackComponent
from penstock.runtime import fingerprint, provenance
from penstock.runtime.ledger import Ledger
from penstock.runtime.run import Run, StoredArtifact
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack


class Client:
    """A view of one stack, by default the active one, and of what lies in its store."""

    def __init__(self, stack: str | Stack | None = None) -> None:
        self._chosen = stack
        self._project = Project.find()

    @property
    def registry(self) -> Registry:
        """What is registered: in code, in the project's file, in the user's."""
        return Registry(self._project)

    @property
    def active_stack(self) -> Stack:
        """The stack that a run would use now. Raises `UnknownStack`."""
        return self.registry.stack(self._chosen)

    @property
    def stacks(self) -> Mapping[str, StackSpec]:
        """What is known of every stack, by name; nothing is imported or resolved."""
        return self.registry.stacks()

    def register(self, what: Stack | StackComponent) -> None:
        """Register a stack or component for this process. Equal again is silent.

        Raises `NameTaken` if something different has this name.
        """
        self.registry.register(what)

    def run(self, id: str) -> Run[Any]:
        """A run by its id, any unique tail of it, or `last`: the newest that this user started.

        Raises `NotFound`.
        """
        if id == "last":
            return self._last()
        found = [run for run in self._ids() if run == id or run.endswith(id)]
        if len(found) == 1 or id in found:
            return self._open(id if id in found else found[0])
        if found:
            raise NotFound(f"Several runs end in {id!r}: {listed(found[:8])}.")
        raise NotFound(
            f"There is no run {id!r} in {self._store}.",
            hint="penstock run list shows what there is.",
        )

    def runs(
        self, *, pipeline: str | None = None, user: str | None = None, limit: int | None = 20
    ) -> list[Run[Any]]:
        """The newest runs, the newest first."""
        found: list[Run[Any]] = []
        for run in self._all():
            if limit is not None and len(found) >= limit:
                break
            if pipeline in (None, run.pipeline) and user in (None, run.record.user):
                found.append(run)
        return found

    def artifacts(
        self,
        *,
        pipeline: str | None = None,
        step: str | None = None,
        run: str | None = None,
        limit: int | None = 100,
    ) -> list[StoredArtifact]:
        """Outputs of steps, of the newest runs first."""
        runs = [self.run(run)] if run else self.runs(pipeline=pipeline, limit=None)
        found: list[StoredArtifact] = []
        for each in runs:
            for view in each:
                if step is None or view.id == step:
                    found += view.outputs.values()
                if limit is not None and len(found) >= limit:
                    return found[:limit]
        return found

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self.active_stack.artifact_store)

    @cached_property
    def _values(self) -> Values:
        return Values(self._ledger.store, fingerprint.of_names)

    @property
    def _store(self) -> str:
        return self._ledger.store.path

    def _ids(self) -> list[str]:
        return self._ledger.runs()

    def _open(self, id: str) -> Run[Any]:
        return Run(self._ledger, self._values, self._ledger.run(id))

    def _all(self) -> Iterator[Run[Any]]:
        """Every run whose record can be read: one that is just being deleted cannot."""
        for id in self._ids():
            try:
                yield self._open(id)
            except (NotFound, CorruptArtifact):
                continue

    def _last(self) -> Run[Any]:
        mine = self.runs(user=provenance.user(), limit=1)
        if not mine:
            raise NotFound(
                f"{provenance.user()} has started no run in {self._store}.",
                hint="Run a pipeline, or choose another stack with PENSTOCK_STACK.",
            )
        return mine[0]
