"""Compiling: a pipeline and its arguments as the text that an engine elsewhere is handed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun
from penstock.lazy import lazy
from penstock.runtime import loading
from penstock.runtime.ledger import Ledger
from penstock.runtime.preparing import Drawn, Wanted
from penstock.runtime.ready import Ready
from penstock.stack.orchestrator import Compiles
from penstock.stack.stack import Stack

if TYPE_CHECKING:
    from penstock.runtime import abilities, withheld
else:
    abilities = lazy("penstock.runtime.abilities")  # only where one is missing
    withheld = lazy("penstock.runtime.withheld")  # only for who sends nothing

_UNABLE: Final = "compiles nothing: it runs pipelines itself. Stacks whose orchestrators compile"


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
        raise abilities.lacking("compile", _UNABLE, drawn.stack, drawn.project)
    drawn.check()
    ready = Ready(drawn, store if upload else _withheld(store), everything=everything)
    calls, hits = ready.calls, ready.hits
    if hits == calls:
        return Compilation("", drawn.stack, calls, hits, ready.notes)
    text = ready.text(orchestrator)
    if upload:
        ready.upload()
    return Compilation(text, drawn.stack, calls, hits, ready.notes)


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
