"""One step of a run as users see it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from penstock.artifacts.values import Values
from penstock.errors import NotFound, listed
from penstock.model.records import Status, StepRun
from penstock.runtime import logs
from penstock.runtime.ledger import Ledger
from penstock.runtime.stored_artifact import StoredArtifact


class StepView:
    """One step of a run."""

    def __init__(
        self, ledger: Ledger, values: Values, record: StepRun, hints: Mapping[str, Any]
    ) -> None:
        self._ledger = ledger
        self._values = values
        self._hints = hints
        self.record = record
        """What is written down."""

    @property
    def id(self) -> str:
        """The step's id in its run."""
        return self.record.call

    @property
    def status(self) -> Status:
        """What became of it."""
        return self.record.status

    @cached_property
    def outputs(self) -> Mapping[str, StoredArtifact]:
        """By name; empty if the step gave none."""
        return {
            name: StoredArtifact(
                self._ledger, self._values, self.record, name, self._hints.get(name)
            )
            for name in self.record.outputs
        }

    @property
    def output(self) -> StoredArtifact:
        """The only output. Raises `NotFound` if there are several, or none."""
        if len(self.outputs) == 1:
            return next(iter(self.outputs.values()))
        if self.outputs:
            raise NotFound(
                f"Step {self.id} has several outputs: {listed(self.outputs)}.",
                hint=f"Write run[{self.id!r}].outputs[{next(iter(self.outputs))!r}].",
            )
        raise NotFound(
            f"Step {self.id} of run {self.record.run} has no output: it is {self.status}."
        )

    def logs(self) -> str:
        """What it printed and logged, in all its attempts."""
        run, call = self.record.source or (self.record.run, self.record.call)
        return logs.read(self._ledger.store, run, call)

    def __repr__(self) -> str:
        return f"<step {self.id} {self.status}>"
