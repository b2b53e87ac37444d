"""The step operator `subprocess`: a step in a process of its own on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from penstock.errors import PenstockError
from penstock.lazy import lazy
from penstock.model.component import Finding
from penstock.model.graph import Call
from penstock.stack.orchestrator import Job
from penstock.stack.step_operator import StepOperator

if TYPE_CHECKING:
    from penstock.runtime.elsewhere import apart, interpreters
else:  # what starts processes is heavy, and only for runs that do
    apart = lazy("penstock.runtime.elsewhere.apart")
    interpreters = lazy("penstock.runtime.elsewhere.interpreters")


@dataclass(frozen=True, kw_only=True)
class SubprocessStepOperator(StepOperator):
    """Runs a step in a process of its own, also with another Python than this one."""

    flavor: ClassVar[str] = "subprocess"

    python: str | None = None
    """An interpreter, or the folder of a virtual environment; by default the one that runs the
    pipeline. penstock must be installed there."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment that the step has besides."""
    directory: str | None = None
    """The step's working directory; by default that of the pipeline."""

    def placed(self, root: Path) -> Self:
        python = self.python and interpreters.placed(self.python, root)
        directory = self.directory and os.path.join(root, os.path.expanduser(self.directory))
        return replace(self, python=python, directory=directory)

    @property
    def own_environment(self) -> bool:
        return self.python is not None and not interpreters.is_ours(self.python)

    def check(self) -> Iterator[Finding]:
        if self.python is not None:
            yield self._python(self.python)
        if self.directory is not None:
            there = os.path.isdir(self.directory)
            yield Finding("directory", there, "" if there else f"There is no {self.directory!r}.")

    def problems(self, calls: Sequence[Call]) -> Iterator[str]:
        who = f"the step operator {self.name!r}"
        yield from apart.problems(calls, who)
        asking = f" (step {calls[0].id} asks for it)"
        if self.python is not None and (text := interpreters.complaint(self.python)):
            yield f"{who}: python: {text}{asking}"
        if self.directory is not None and not os.path.isdir(self.directory):
            yield f"{who}: directory: there is no folder {self.directory!r}{asking}"

    def run(self, job: Job, call_id: str) -> None:
        apart.run(job, call_id, python=self.python, directory=self.directory, env=self.env)

    def _python(self, python: str) -> Finding:
        """Whether it is there, and has the same penstock."""
        if text := interpreters.complaint(python):
            return Finding("python", False, f"{text[0].upper()}{text[1:]}.")
        try:
            interpreters.check(python, {**os.environ, **self.env})
        except PenstockError as error:
            return Finding.of("python", error)
        return Finding("python", True)
