"""The port for step operators: they run one step somewhere else than its orchestrator would."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from penstock.model.component import StackComponent
from penstock.stack.orchestrator import Job


@dataclass(frozen=True, kw_only=True)
class StepOperator(StackComponent, ABC):
    """Runs single steps, for example on a machine with a GPU."""

    category: ClassVar[str] = "step-operator"

    @abstractmethod
    def run(self, job: Job, call_id: str) -> None:
        """Run `job.command(call_id)` and wait; what happened is in the store afterwards."""
