"""Compiling: a pipeline and its arguments as the text that an engine elsewhere is handed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun, StackError, listed
from penstock.lazy import lazy
from penstock.runtime import loading, observer
from penstock.runtime.beside import Beside
from penstock.runtime.cleaning import compilations
from penstock.runtime.ledger import Ledger
from penstock.runtime.masking import Mask
from penstock.runtime.preparing import Drawn, Prepared, Wanted
from penstock.runtime.secrets import Secrets
from penstock.stack import flavor
from penstock.stack.orchestrator import Compiles
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import withheld
else:
    withheld = lazy("penstock.runtime.withheld")  # only for who sends nothing


@dataclass(frozen=True, slots=True)
class Compilation:
    """What became of a pipeline that was compiled."""

    text: str
    """Empty if there is nothing to run."""
    stack: Stack
    calls: int
    """Steps of the pipeline, each item of a map by itself."""
    hits: int
    """Those that were left out, for the cache has their results."""
    notes: Sequence[str]
    """What one should know, a line each."""


def compiled(wanted: Wanted, *, everything: bool = False, upload: bool = True) -> Compilation:
    """Compile it on its stack. With `everything` no step is left out: each looks in the cache when
    it starts. What the text names goes into the store, as the last thing, unless nothing is to be
    uploaded. Raises `CannotRun`.
    """
    loading.refuse_while_importing(f"Compiling {wanted.name}")
    drawn = Drawn(wanted)
    orchestrator, store = drawn.stack.orchestrator, drawn.stack.artifact_store
    if not isinstance(orchestrator, Compiles):
        raise _unable(drawn.stack, drawn.project)
    drawn.check()
    prepared = Prepared(drawn, store if upload else _withheld(store), "")
    found = prepared.anew() if everything else prepared.found()
    calls, hits = len(prepared.plan.graph.calls), len(found.hits)
    notes = [*prepared.notes, *prepared.remarks]
    if hits == calls:
        return Compilation("", drawn.stack, calls, hits, notes)
    beside = Beside(prepared.values, later=True)
    record = prepared.record(found, beside.keep, 0.0)
    sent = prepared.sent(record, found, beside.keep)
    text = orchestrator.compile(prepared.executor(found, observer.Silent(), sent))
    _refuse_secrets(text, drawn.secrets)
    if upload:
        beside.kept()
        if sent is not None:
            compilations.note(store, record, sent.record, sent.code)
    notes += sent.remarks if sent else ()
    return Compilation(text, drawn.stack, calls, hits, notes)


def _withheld(store: ArtifactStore) -> ArtifactStore:
    """The store, which is only read. Raises `CannotRun` for one that has no id yet: a text is for
    one store."""
    if not Ledger(store, make=False).identity.id:
        raise CannotRun(
            f"The artifact store {store.name!r} ({store.path}) is new: nobody has written there, "
            "and the id that it will get belongs into what is compiled.",
            hint="Compile once without --no-upload, or run any pipeline there.",
        )
    return withheld.Withheld(store)


def _refuse_secrets(text: str, secrets: Secrets) -> None:
    """The last look before anybody gets the text: whatever has put it there, no secret is in it."""
    for name, value in secrets.known.items():
        if Mask([value]).text(text) != text:
            raise CannotRun(
                f"What was compiled has the secret {name!r} in it, and is kept back.",
                hint="Look for it in the settings of the pipeline and its steps, and in the "
                "options of the orchestrator.",
            )


def _unable(stack: Stack, project: Project) -> CannotRun:
    """The error for an orchestrator that carries runs out by itself."""
    registry = Registry(project)
    able = set(_flavors(registry))
    stacks = [
        name
        for name in registry.stacks()
        for spec in registry.specs(name)
        if spec.category == "orchestrator" and spec.flavor in able
    ]
    new = "".join(f" --flavor {name}" for name in sorted(able)[:1])
    return CannotRun(
        f"The orchestrator {stack.orchestrator.name!r} (flavor {stack.orchestrator.flavor}) of the "
        f"stack {stack.name!r} ({stack.origin}) compiles nothing: it runs pipelines itself. Stacks "
        f"whose orchestrators compile: {listed(stacks)}.",
        hint=f"Type it again, with --stack {stacks[0]}"
        if stacks
        else f"Type: penstock orchestrator register NAME{new}",
    )


def _flavors(registry: Registry) -> Iterator[str]:
    """Names of those that compile; of one that cannot be loaded nobody knows."""
    for each in flavor.flavors("orchestrator", registry.flavors):
        try:
            loaded = each.load()
        except StackError:
            continue
        if hasattr(loaded, "compile"):
            yield each.name
