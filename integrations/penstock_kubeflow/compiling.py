"""Compiling: a plan as a pipeline of Kubeflow Pipelines, as data. No network, no clock, no chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.stack.orchestrator import Job
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pipeline for Kubeflow, in the two documents that its compiler writes."""

    spec: Mapping[str, Any]
    """A `PipelineSpec` (kfp's pipeline_spec.proto)."""
    platform: Mapping[str, Any]
    """A `PlatformSpec`: what is of Kubernetes. Empty if nothing is."""
    service_account: str | None = None
    """That of its pods: it is told when a run is submitted, and stands in no spec."""


def compile(job: Job, orchestrator: KubeflowOrchestrator) -> Compiled:
    """The pending calls of a job. Raises `CannotRun`."""
    raise NotImplementedError
