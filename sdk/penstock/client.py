"""The client: stacks, runs and artifacts from Python."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, overload

from penstock.artifacts.store import ArtifactStore
from penstock.artifacts.values import Values
from penstock.errors import CorruptArtifact, NotFound
from penstock.lazy import lazy
from penstock.model.component import StackComponent
from penstock.orchestrators.machine import Machine
from penstock.runtime import provenance, run_names
from penstock.runtime.cleaning import limits
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger
from penstock.runtime.left_out import LeftOut
from penstock.runtime.newest import FEW, newest
from penstock.runtime.run import Run
from penstock.runtime.runid import PATTERN
from penstock.runtime.step_view import StepView
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.stack import categories
from penstock.stack.choice import StackChoice
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import StackSpec
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import artifact_names, engines, tags
    from penstock.runtime.bench import bench as benches
    from penstock.runtime.bench import room
    from penstock.runtime.bench.report import Report, Told
    from penstock.runtime.cleaning import cleaning, deletion, pins
    from penstock.runtime.cleaning.report import Cleaned
    from penstock.runtime.tags import Tag
    from penstock.stack import checked, misgiven
    from penstock.stack.changing import changes, saving
    from penstock.stack.changing.change import Change
    from penstock.stack.checked import Checked
else:
    benches = lazy("penstock.runtime.bench.bench")  # only for who measures
    room = lazy("penstock.runtime.bench.room")
    artifact_names = lazy("penstock.runtime.artifact_names")  # only for who asks for one
    engines = lazy("penstock.runtime.engines")  # only for runs that go on elsewhere
    tags = lazy("penstock.runtime.tags")
    cleaning = lazy("penstock.runtime.cleaning.cleaning")
    deletion = lazy("penstock.runtime.cleaning.deletion")
    pins = lazy("penstock.runtime.cleaning.pins")
    changes = lazy("penstock.stack.changing.changes")  # only for who changes a file
    checked = lazy("penstock.stack.checked")  # only for who checks a stack
    misgiven = lazy("penstock.stack.misgiven")  # only for an error
    saving = lazy("penstock.stack.changing.saving")

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

    def stack(self, name: str) -> Stack:
        """A stack by its name, ready to use. Raises `UnknownStack`."""
        return self.registry.stack(name, "asked for")

    def check(self) -> Checked:
        """Try out every component of the stack. All that is wrong is told at once, also of what
        cannot even be made: then `active_stack` raises. See `Stack.check`."""
        return checked.check(self.registry, self._chosen, self._chosen_by)

    def components(self, category: str) -> Mapping[str, ComponentSpec]:
        """What is known of every component of a category, `artifact-store` for example, by name;
        nothing is imported or resolved. Raises `BadConfiguration` if there is no such category."""
        found = {spec.name: spec for spec in self.registry.components(category)}
        if not found:  # a file may have some of a category that no package brings here
            categories.find(category)
        return found

    def register(
        self, what: Stack | StackComponent, *, save: bool = False, user: bool = False
    ) -> Change | None:
        """Register a stack or component for this process. Equal again is silent.

        With `save` it is written down: in the project's penstock.yaml if there is one, else, or for
        `user`, in the user's own. Raises `NameTaken` if something different has this name.
        """
        if not isinstance(what, Stack | StackComponent):
            raise misgiven.registered(what)
        if not save:
            self.registry.register(what)
            return None
        here = Registry(self._project, files=())
        here.lacks(what)
        change = saving.save(changes.Changes(self.registry, user=user), what)
        here.forget(what)  # from now on the file says it
        return change

    def update(
        self, what: Stack | StackComponent | StackSpec | ComponentSpec, /, **values: Any
    ) -> Change:
        """Change a stack or a component in the file that it is written in.

        The values are options of the component, or what the stack has; None takes away. A stack
        takes components as they are, too, and registers them.
        """
        if not isinstance(what, Stack | StackComponent | StackSpec | ComponentSpec):
            raise misgiven.updated(what, self.registry)
        change = changes.Changes(self.registry)
        if isinstance(what, Stack | StackSpec):
            return saving.update_stack(change, what.name, values)
        return saving.update_component(change, what, values)

    def set_active(self, name: str | None, *, project: bool = False) -> StackChoice:
        """Make a stack the active one of this checkout; with `project` the team's default, which
        the project's file says; with None, take that choice back. Returns what is active now, which
        may not exist, and who chose it."""
        if project:
            warnings = changes.Changes(self.registry).set_default(name).remarks
        else:
            warnings = tuple(filter(None, [self.registry.set_active(name)]))
        for warning in warnings:
            _log.warning("%s", warning)
        return self.registry.choice

    def run(self, id: str) -> Run[Any]:
        """A run by its id, any unique tail of it, or `last`: the newest that this user started.

        Raises `NotFound`.
        """
        if id == run_names.LAST:
            return self._last()
        return self._open(run_names.found(self._ledger, id))

    def runs(
        self, *, pipeline: str | None = None, user: str | None = None, limit: int | None = 20
    ) -> list[Run[Any]]:
        """The newest runs, the newest first."""
        likely = FEW if limit is None or pipeline or user else limit
        with _telling() as left_out:
            found = (
                run for run in self._all(left_out, likely)
                if pipeline in (None, run.pipeline) and user in (None, run.record.user)
            )  # fmt: skip
            return list(islice(found, limit))

    def pinned(self, runs: Iterable[Run[Any]]) -> set[str]:
        """The ids of those of these runs that no cleaning takes away."""
        return pins.pinned(self._ledger.store, [run.id for run in runs])

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
        with _telling() as left_out:
            for each in [self.run(run)] if run else self._all(left_out):
                if pipeline not in (None, each.pipeline):
                    continue
                for view in self._views(each, step):
                    found += view.outputs.values()
                    if limit is not None and len(found) >= limit:
                        return found[:limit]
        return found

    def artifact(self, name: str, tag: str | None = None) -> StoredArtifact:
        """The newest artifact `pipeline/artifact`, or the one that has a `tag`; or an output of one
        run by `RUN/step[/output]`. As an argument it is the value.

        An artifact is called by its output's name, or its step's if that has none. Raises
        `NotFound`.
        """
        head, _, rest = name.partition("/")
        if tag is not None:
            return tags.find(self._ledger, head, rest, tag).stored(self._ledger, self._values)
        with _telling() as left_out:
            if rest and self._is_pipeline(head, left_out):
                runs = (run for run in self._all(left_out) if run.pipeline == head)
                return artifact_names.newest(runs, name)
        return artifact_names.of_run(self.run(head), name)

    def tagged(self, tag: str | None = None, *, pipeline: str | None = None) -> list[Tag]:
        """All tags, or those of this name."""
        found = tags.all_of(self._ledger)
        return [
            each for each in found
            if tag in (None, each.tag) and pipeline in (None, each.pipeline)
        ]  # fmt: skip

    def tag(self, name: str | StoredArtifact, tag: str) -> Tag:
        """Set a tag on an artifact, or move it there: whole, or not at all.

        Cleaning keeps what is tagged. Raises `NotFound`, and `BadStep` for what is no name.
        """
        artifact = self.artifact(name) if isinstance(name, str) else name
        pipeline = self.run(artifact.run).pipeline
        return tags.put(self._writing, self._values, artifact, pipeline, tag)

    def untag(self, name: str, tag: str) -> Tag:
        """Take a tag off `pipeline/artifact`, and say where it was. Raises `NotFound`."""
        pipeline, _, rest = name.partition("/")
        return tags.remove(self._writing, pipeline, rest, tag)

    @overload
    def delete(self, what: str) -> str: ...
    @overload
    def delete(self, what: StackComponent | ComponentSpec) -> Change: ...
    @overload
    def delete(self, what: Stack | StackSpec, *, recursive: bool = False) -> list[Change]: ...
    def delete(
        self,
        what: str | Stack | StackComponent | StackSpec | ComponentSpec,
        *,
        recursive: bool = False,
    ) -> str | Change | list[Change]:
        """Delete a run by its id or a tail of it, and say its id. What it has stored goes with the
        next `gc`, unless somebody else needs it.

        Or take a stack or a component out of its file; of a stack with `recursive` also the
        components that no other stack has. What is in a store stays there.

        Raises `RunError` if a run is running or pinned, or if an output is tagged; `StackError` if
        a component is in use.
        """
        if isinstance(what, str):
            return self._delete_run(what)
        if not isinstance(what, Stack | StackComponent | StackSpec | ComponentSpec):
            raise misgiven.deleted(what)
        change = changes.Changes(self.registry)
        if isinstance(what, Stack | StackSpec):
            return change.delete_stack(what.name, recursive=recursive)
        return change.delete_component(what.category, what.name)

    def _delete_run(self, run: str) -> str:
        id = self.run(run).id if run == run_names.LAST else run_names.found(self._ledger, run)
        deletion.delete_run(self._ledger, id)
        return id

    def gc(
        self,
        *,
        delete: bool = False,
        grace: str | float = limits.GRACE,
        keep_runs: int = limits.KEEP_RUNS,
        keep_cache: str | float = limits.KEEP_CACHE,
        keep_compiled: str | float = limits.KEEP_COMPILED,
    ) -> Cleaned:
        """Say what of the store nobody needs any more; with `delete`, delete it.

        What stays: the newest `keep_runs` of each pipeline, runs that are pinned or running, what
        is tagged, results in the cache that were used within `keep_cache`, pipelines that were
        compiled, or begun as compiled, within `keep_compiled`, and whatever these need; and all
        that was written or used within the `grace`, also by runs that go on now.
        """
        asked = limits.Limits.of(grace, keep_runs, keep_cache, keep_compiled)
        # Not what this client has seen before: it may have been made before the store was.
        return cleaning.clean(Ledger(self._ledger.store, make=False), asked, delete=delete)

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
        return Values(self._ledger.store, Fingerprints(self._project.root).of_names)

    @cached_property
    def _writing(self) -> Ledger:
        """The ledger of somebody who writes, and so may be the first to need a key."""
        return Ledger(self._ledger.store)

    def _is_pipeline(self, name: str, left_out: LeftOut) -> bool:
        """Whether there is a run of this pipeline. What may as well be the tail of a run's id is
        looked for among the newest only."""
        if name == run_names.LAST or PATTERN.fullmatch(name):
            return False
        tail = any(run.endswith(name) for run in self._ledger.runs())
        looked_at = islice(self._all(left_out), 20 if tail else None)
        return any(run.pipeline == name for run in looked_at)

    @property
    def _store(self) -> str:
        return self._ledger.store.path

    def _open(self, id: str) -> Run[Any]:
        return self._asking(Run(self._ledger, self._values, self._ledger.run(id)))

    def _all(self, left_out: LeftOut, first: int = FEW) -> Iterator[Run[Any]]:
        """Every run whose record can be read, the newest first; `first` is how many are wanted,
        most likely."""
        for told in newest(self._ledger, left_out.add, first=first, ends=True):
            yield self._asking(Run(self._ledger, self._values, told.record, end=told.end))

    def _asking(self, run: Run[Any]) -> Run[Any]:
        """The same, which knows who can be asked if it goes on elsewhere."""
        run.asks(lambda record: engines.find(self.registry, lambda: self.active_stack, record))
        return run

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


@contextmanager
def _telling() -> Iterator[LeftOut]:
    """Warn at the end, once, of all runs that were left out meanwhile."""
    left_out = LeftOut()
    try:
        yield left_out
    finally:
        if left_out.said:
            _log.warning("%s", left_out.said)
