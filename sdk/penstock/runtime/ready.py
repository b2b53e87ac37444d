"""Ready: a pipeline as a job that an engine elsewhere may start again and again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun
from penstock.model.records import RunRecord
from penstock.runtime import observer
from penstock.runtime.beside import Beside
from penstock.runtime.cleaning import compilations
from penstock.runtime.masking import Mask
from penstock.runtime.preparing import Drawn, Prepared
from penstock.runtime.secrets import Secrets
from penstock.runtime.sent import Sent
from penstock.stack.orchestrator import Compiles, Job


class Ready:
    """Nothing of it is in the store before it is uploaded, but for the values of its plan."""

    def __init__(self, drawn: Drawn, store: ArtifactStore, *, everything: bool) -> None:
        """It is checked. `store` is that of the stack, or the way to it. With `everything` no step
        is left out. Raises `CannotRun`."""
        self._drawn = drawn
        self._prepared = prepared = Prepared(drawn, store, "")
        found = prepared.anew() if everything else prepared.found()
        self._found = found
        self.calls, self.hits = len(prepared.plan.graph.calls), len(found.hits)
        self._beside = Beside(prepared.values, later=True)

    @property
    def notes(self) -> Sequence[str]:
        """What one should know, a line each."""
        of_code = self.sent.remarks if self.sent else ()
        return [*self._prepared.notes, *self._prepared.remarks, *of_code]

    @cached_property
    def record(self) -> RunRecord:
        """What each of its runs begins with, but for what makes it that run."""
        return self._prepared.record(self._found, self._beside.keep, 0.0)

    @cached_property
    def sent(self) -> Sent | None:
        """What its steps need; None if none of them is to run elsewhere."""
        return self._prepared.sent(self.record, self._found, self._beside.keep)

    @cached_property
    def job(self) -> Job:
        """As an orchestrator takes it."""
        return self._prepared.executor(self._found, observer.Silent(), self.sent)

    def text(self, orchestrator: Compiles) -> str:
        """What the engine is handed. Raises `CannotRun`, also if a secret is in it."""
        made = orchestrator.compile(self.job)
        _refuse_secrets(made, self._drawn.secrets)
        return made

    def upload(self) -> None:
        """Store what it needs, and say that it is in use."""
        store, record, sent = self._prepared.ledger.store, self.record, self.sent
        self._beside.kept()
        if sent is not None:
            compilations.note(store, record, sent.record, sent.code)


def _refuse_secrets(text: str, secrets: Secrets) -> None:
    """The last look before anybody gets the text: whatever has put it there, no secret is in it."""
    for name, value in secrets.known.items():
        if Mask([value]).text(text) != text:
            raise CannotRun(
                f"What was compiled has the secret {name!r} in it, and is kept back.",
                hint="Look for it in the settings of the pipeline and its steps, and in the "
                "options of the orchestrator.",
            )
