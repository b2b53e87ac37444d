"""The client: stacks, runs and artifacts from Python."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.store import ArtifactStore
from penstock.artifacts.values import Values
from penstock.errors import CorruptArtifact, NotFound, did_you_mean, listed
from penstock.lazy import lazy
from penstock.model.component import StackComponent
from penstock.orchestrators.machine import Machine
from penstock.runtime import fingerprint, provenance
from penstock.runtime.ledger import Ledger
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime.bench import bench as benches
    from penstock.runtime.bench import room
    from penstock.runtime.bench.report import Report, Told
else:
    benches = lazy("penstock.runtime.bench.bench")  # only for who measures
    room = lazy("penstock.runtime.bench.room")

_log: Final = logging.getLogger("penstock.client")


class Client:
    """A view of one stack, by default the active one, and of what lies in its store.

    Looking writes nothing. What cannot be read is left out of listings, with a warning.
    """

    def __init__(
        self, stack: str | Stack | None = None, *, chosen_by: str = "given to Client()"
    ) -> None:
        self._chosen = stack
        self._chosen_by = chosen_by
        self._project = Project.find()

    @property
    def registry(self) -> Registry:
        """What is registered: in code, in the project's file, in the user's."""
        return Registry(self._project)

    @property
    def active_stack(self) -> Stack:
        """The stack that a run would use now. Raises `UnknownStack`."""
        return self.registry.stack(self._chosen, self._chosen_by)

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
        known = self._ledger.runs()
        found = [run for run in known if run.endswith(id)] if id else []
        if len(found) == 1 or id in found:
            return self._open(id if id in found else found[0])
        if found:
            raise NotFound(
                f"{len(found)} runs end in {id!r}: {listed(found)}.",
                hint="Type more of the one that you mean.",
            )
        tails = [run[-len(id) :] for run in known[:1000]] if id else []
        raise NotFound(
            f"There is no run {id!r} in {self._store}.",
            hint=did_you_mean(id, [*tails, "last"]) or "Type: penstock run list",
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
        found: list[StoredArtifact] = []
        for each in [self.run(run)] if run else self._all():
            if pipeline not in (None, each.pipeline):
                continue
            for view in self._views(each, step):
                found += view.outputs.values()
                if limit is not None and len(found) >= limit:
                    return found[:limit]
        return found

    def bench(
        self,
        artifact_store: str | None = None,
        *,
        size: str = "512MiB",
        objects: int = 1000,
        told: Told | None = None,
    ) -> Report:
        """Measure an artifact store, by default the stack's: a large object of this size and so
        many small ones, written and read, beside the bare place. Nothing is left there.

        `told` hears how far it is: a number from 0 to 1, and what is done now. Raises
        `BadArguments` for a size that cannot be, and `StoreUnavailable` where there is no room.
        """
        store = self._artifact_store(artifact_store)
        memory = Machine().memory()
        return benches.bench(store, room.parsed(size), objects, memory, told or benches.nobody)

    def _artifact_store(self, name: str | None) -> ArtifactStore:
        """The one of this name, or the stack's."""
        if name is None:
            return self.active_stack.artifact_store
        found = self.registry.ready(ArtifactStore.category, name)
        assert isinstance(found, ArtifactStore)
        return found

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self.active_stack.artifact_store, make=False)

    @cached_property
    def _values(self) -> Values:
        return Values(self._ledger.store, fingerprint.of_names)

    @property
    def _store(self) -> str:
        return self._ledger.store.path

    def _open(self, id: str) -> Run[Any]:
        return Run(self._ledger, self._values, self._ledger.run(id))

    def _all(self) -> Iterator[Run[Any]]:
        """Every run whose record can be read, the newest first."""
        for id in self._ledger.runs():
            try:
                yield self._open(id)
            except NotFound:  # it is just being deleted, or its first record is on its way
                continue
            except CorruptArtifact as error:
                _log.warning("Run %s is left out: %s", id, error.message)

    def _views(self, run: Run[Any], step: str | None) -> Iterator[StepView]:
        """The steps of a run that can be read: all, or those that `step` names."""
        for call in run.named(step) if step else run.record.calls:
            try:
                yield run[call]
            except CorruptArtifact as error:
                _log.warning("Step %s of run %s is left out: %s", call, run.id, error.message)

    def _last(self) -> Run[Any]:
        mine = self.runs(user=provenance.user(), limit=1)
        if not mine:
            raise NotFound(
                f"{provenance.user()} has started no run in {self._store}.",
                hint="Run a pipeline, or look in another stack: penstock stack list",
            )
        return mine[0]
