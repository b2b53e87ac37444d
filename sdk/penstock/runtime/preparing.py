"""Preparing: what is to be known of a run before anything of it is recorded or carried out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.artifacts import trust
from penstock.artifacts.store import ArtifactStore
from penstock.artifacts.values import Values
from penstock.lazy import lazy
from penstock.model.building import draw
from penstock.model.graph import Graph
from penstock.model.options import PipelineOptions
from penstock.model.plan import Plan
from penstock.model.records import RunRecord
from penstock.runtime import (
    checks,
    environments,
    loading,
    notation,
    parameters,
    planner,
    processes,
    provenance,
    step_choices,
)
from penstock.runtime.cache import Cache
from penstock.runtime.earlier import NOBODY, Earlier
from penstock.runtime.executor import Executor
from penstock.runtime.fingerprints import code
from penstock.runtime.fingerprints.code import Keep
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.runtime.secrets import Secrets
from penstock.runtime.sent import Sent
from penstock.stack.orchestrator import Observer
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import bundle, last_time, resuming, selection, taking, travelling
    from penstock.runtime.bundle import Packed
else:
    bundle = lazy("penstock.runtime.bundle")  # only for steps that run on other machines
    last_time = lazy("penstock.runtime.last_time")  # only for stores that are far away
    resuming = lazy("penstock.runtime.resuming")  # only for runs that are not of all steps anew
    selection = lazy("penstock.runtime.selection")
    taking = lazy("penstock.runtime.taking")
    travelling = lazy("penstock.runtime.travelling")  # only for steps that run elsewhere


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pipeline, and what it is given."""

    name: str
    reference: str
    """`module:qualname` of the pipeline."""
    body: Callable[[], Any]
    """Calls its function with the arguments: that draws the graph."""
    parameters: Mapping[str, Any]
    options: PipelineOptions
    into: str = ""
    """The file that is made of it, if one is; absolute. It is no part of the project's code."""


class Drawn:
    """A pipeline, its arguments and its stack."""

    def __init__(self, wanted: Wanted) -> None:
        options = wanted.options
        graph = draw(wanted.name, wanted.body)
        self.wanted = wanted
        self.project = Project.find()
        registry = Registry(self.project)
        self.stack: Stack = registry.stack(options.stack, options.chosen_by)
        self._flavors = registry.flavors if self.stack.orchestrator.elsewhere else {}
        graph = step_choices.with_options(graph, self.stack.steps)
        if options.steps is not None:
            graph = options.steps.applied(graph)
        self.graph: Graph = graph
        self.part = selection.selected(graph, options) if options.is_part else None
        self.chosen: Graph = self.part.graph if self.part else graph
        """What is to be run of it."""
        self.secrets = Secrets(
            self.stack, self.chosen.calls.values(), self.project.root, options.settings
        )
        self.notes = [*self.stack.notes]
        """What one should know, a line each."""

    def check(self) -> None:
        """Raise `CannotRun` with all that the stack cannot do, as far as can be told by now."""
        wanted = self.wanted
        self.notes += checks.check(
            self.chosen, wanted.reference, self.stack, wanted.options, self.secrets, self._flavors
        )

    @property
    def ends(self) -> bool:
        """Whether somebody elsewhere tells the pipeline's hooks how the run has ended."""
        options = self.wanted.options
        waiting = options.on_success is not None or options.on_failure is not None
        return waiting and self.stack.orchestrator.elsewhere

    @property
    def starts(self) -> bool:
        """Whether somebody elsewhere tells a hook of the pipeline that a run has begun there."""
        return self.wanted.options.on_start is not None and self.stack.orchestrator.elsewhere


class Prepared:
    """A plan, and the store that it is for. What the plan holds is stored, and nothing else."""

    def __init__(self, drawn: Drawn, store: ArtifactStore, run: str) -> None:
        """`store` is that of the stack, or the way to it. `run` is empty if there will be none."""
        self._drawn = drawn
        self._options = options = drawn.wanted.options
        self.notes = drawn.notes
        """What one should know, a line each."""
        project = drawn.project
        if store.path == str(project.folder) and not project.folder.exists():
            project.prepared()
        self.ledger = Ledger(store)
        self.ledger.check()
        self._fingerprints = Fingerprints(project.root)
        self.values = Values(store, self._fingerprints.of_names)
        self._environments = environments.of(drawn.stack, options.settings)
        self.cache = Cache(self.ledger, self.values, self._fingerprints, self._environments)
        self.notes += store.remarks()
        if notice := trust.news(self.ledger.keys):
            self.notes.append(notice)
        self.plan: Plan = self._planned(run)
        checks.refuse_secrets(self.plan, drawn.stack, drawn.secrets)
        self.earlier: Earlier = NOBODY
        if options.resume is not None:
            self.earlier = resuming.Resumed(options.resume, self.ledger, self.cache)
        self._looking = self.cache.at_once()
        with drawn.secrets.provided():
            self._look_ahead()

    @property
    def elsewhere(self) -> bool:
        """Whether its steps run on other machines."""
        return self._drawn.stack.orchestrator.elsewhere

    @property
    def remarks(self) -> Iterator[str]:
        """What one should know once the plan was looked up, a line each."""
        if self.earlier.runs:
            yield self.earlier.said
        for text in self._environments.unknown:
            yield (
                f"what is installed in {text.splitlines()[0]!r} is not known yet, so that no step "
                "there is left out for a result in the cache: its first process writes it down"
            )

    @cached_property
    def written(self) -> bytes:
        """The plan as it is stored."""
        return self.plan.to_bytes()

    def found(self) -> Found:
        """What is there already. Raises `CannotRun` for what is not, and can never be computed."""
        with self._drawn.secrets.provided():
            found = planner.find(self.plan, self._looking, self.earlier)
        return self._checked(found)

    def anew(self) -> Found:
        """The same if nobody looks."""
        return self._checked(Found({}, {}))

    def record(self, found: Found, keep: Keep, started: float) -> RunRecord:
        """What the run begins with."""
        drawn, stack, plan = self._drawn, self._drawn.stack, self.plan
        wanted = drawn.wanted
        texts, described = parameters.written(wanted.parameters, drawn.secrets.mask)
        return RunRecord(
            run=plan.run,
            pipeline=wanted.name,
            reference=wanted.reference,
            plan=keep(self.written).digest,
            parameters=texts,
            described=described,
            stack=stack.name,
            stack_origin=stack.origin,
            orchestrator=stack.orchestrator.flavor,
            user=provenance.user(),
            host=provenance.host(),
            process=provenance.process(),
            machine=processes.machine(),
            process_started=processes.own_start(provenance.process()),
            started=started,
            code=self._code(keep),
            commit=provenance.commit(drawn.project.root),
            versions=provenance.versions(),
            calls=tuple(plan.graph.calls),
            maps=tuple(call.id for call in plan.graph.calls.values() if call.over),
            hits={call: hit.key for call, hit in found.hits.items() if call not in found.resumed},
            resumed=self.earlier.runs[0].run if self.earlier.runs else "",
            part=drawn.part.words if drawn.part else "",
            sources={call: "/".join(hit.source or ()) for call, hit in found.hits.items()},
            elsewhere=self.elsewhere,
        )

    def is_sent(self, found: Found) -> bool:
        """Whether something is to be run on other machines."""
        return self.elsewhere and not found.hits.keys() >= self.plan.graph.calls.keys()

    def sent(self, record: RunRecord, found: Found, keep: Keep) -> Sent | None:
        """What other machines need besides; None if nothing is to be run there."""
        if not self.is_sent(found):
            return None
        packed, store = self._packed(), self.ledger.identity.id
        copied = replace(
            record, run="", host="", process=0, machine="", process_started="", started=0.0,
            hits={call: hit.key for call, hit in found.hits.items()},
        )  # fmt: skip
        code = keep(packed.data).digest if packed else ""
        remarks = packed.remarks if packed else ()
        return Sent(keep(notation.written(copied, store)).digest, code, store, remarks)

    def executor(self, found: Found, told: Observer, sent: Sent | None) -> Executor:
        """The job that an orchestrator is given."""
        drawn = self._drawn
        return Executor(
            self.plan, drawn.stack, self.ledger, self.values, self.cache, told, found,
            drawn.secrets, earlier=self.earlier, sent=sent,
        )  # fmt: skip

    def _checked(self, found: Found) -> Found:
        if self.elsewhere:
            travelling.check_pickles(self.plan, self._drawn.stack, found.hits)
        return found

    def _planned(self, run: str) -> Plan:
        drawn, options = self._drawn, self._options
        return planner.plan(
            run, drawn.graph, drawn.wanted.reference, drawn.stack, options.controls, self.values,
            self._fingerprints.canonical, options.settings, drawn.ends, drawn.starts,
        )  # fmt: skip

    def _look_ahead(self) -> None:
        """Ask for what was asked for last time, and take what a part needs of other runs."""
        drawn = self._drawn
        if self.ledger.store.distant:
            self._looking.look_ahead(last_time.likely(self.plan, self.ledger, self.cache))
        if drawn.part is not None:
            taken = taking.Taking(
                self.plan, drawn.part, self.ledger, self.values, self._looking, self.earlier
            )
            self.plan = taken.plan()
            self.notes += taken.notes

    def _packed(self) -> Packed | None:
        """The project's code; None if it is there already."""
        drawn = self._drawn
        if not drawn.stack.orchestrator.ships_code:
            return None
        pipeline = loading.loaded(drawn.wanted.reference)  # where its hooks are
        declared = [*self.plan.steps, *([pipeline] if drawn.starts or drawn.ends else [])]
        files = self._fingerprints.files
        made = [drawn.wanted.into]
        return bundle.packed(drawn.project, declared, files, drawn.secrets.known, without=made)

    def _code(self, keep: Keep) -> str:
        """The digest of the object that has the code of all steps."""
        fingerprints, drawn = self._fingerprints, self._drawn
        for call in self.plan.graph.calls.values():
            fingerprints.of_step(call.step)
        hide = drawn.secrets.mask.shown
        root = drawn.project.root
        return code.write(fingerprints.surveyed, fingerprints.named, root, keep, hide)
