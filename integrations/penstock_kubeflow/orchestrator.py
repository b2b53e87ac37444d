"""Kubeflow Pipelines as an orchestrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from penstock.errors import CannotRun
from penstock.stack.orchestrator import Job, Observer, Orchestrator, Submitted


@dataclass(frozen=True, kw_only=True)
class KubeflowOrchestrator(Orchestrator):
    """Runs every step as a container on Kubeflow Pipelines."""

    flavor: ClassVar[str] = "kubeflow"
    elsewhere: ClassVar[bool] = True

    image: str = ""
    """The container image of the steps: with Python, penstock and the libraries that they use."""

    def submit(self, job: Job, observer: Observer) -> Submitted | None:
        raise CannotRun("not yet")
