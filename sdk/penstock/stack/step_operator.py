"""The port for step operators: they run one step somewhere else than its orchestrator would."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from penstock.model.component import StackComponent

if TYPE_CHECKING:
    from penstock.model.graph import Call
    from penstock.stack.orchestrator import Job


@dataclass(frozen=True, kw_only=True)
class StepOperator(StackComponent, ABC):
    """Runs single steps, for example on a machine with a GPU."""

    category: ClassVar[str] = "step-operator"

    @property
    def own_environment(self) -> bool:
        """Whether its steps run with other packages than this process has. Then what the cache has
        for them is looked for there."""
        return False

    def problems(self, calls: Sequence[Call]) -> Iterator[str]:
        """What can never be carried out, a sentence each; asked with its calls before anything
        runs."""
        yield from ()

    @abstractmethod
    def run(self, job: Job, call_id: str) -> None:
        """Run `job.command(call_id)` and wait; what happened is in the store afterwards."""
