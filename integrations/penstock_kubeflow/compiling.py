"""Compiling: a plan as a pipeline of Kubeflow Pipelines, as data. No network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import CannotRun
from penstock.model import plain
from penstock_kubeflow import settings
from penstock_kubeflow.dags import Dags
from penstock_kubeflow.names import dashed
from penstock_kubeflow.nesting import LIMIT
from penstock_kubeflow.pods import Pods
from penstock_kubeflow.settings import Settings
from penstock_kubeflow.tasks import tasks

if TYPE_CHECKING:
    from penstock.stack.orchestrator import Job
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

SCHEMA: Final = "2.1.0"
SDK: Final = "kfp-2.15.0"
"""What Kubeflow is told of who has written it: the oldest release whose words are used. Not the one
that is installed here, for the same pipeline is to be the same text everywhere."""

LONGEST_NAME: Final = 50
"""Letters of a pipeline's name. Kubeflow names what it starts after it, and adds its own."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A pipeline for Kubeflow, in the two documents that its compiler writes."""

    spec: Mapping[str, Any]
    """A `PipelineSpec` (kfp's pipeline_spec.proto)."""
    platform: Mapping[str, Any]
    """A `PlatformSpec`: what is of Kubernetes. Empty if nothing is."""
    service_account: str | None = None
    """That of its pods: it is told when a run is submitted, and stands in no spec."""


def compile(job: Job, orchestrator: KubeflowOrchestrator, *, limit: int = LIMIT) -> Compiled:
    """The pending calls of a job, in DAGs of at most so many bytes. Raises `CannotRun`."""
    plan = job.plan
    if not job.pending:
        raise CannotRun(f"Pipeline {plan.graph.name!r} has nothing left to do: all of it is there.")
    said = plan.settings.get(orchestrator.flavor, {})
    of_run = settings.joined(orchestrator.defaults, said, {})
    made = _by_step(job, orchestrator, said, of_run)
    pods = Pods(job, orchestrator)
    dags = Dags(pods, made, limit)
    root = dags.root(tasks(plan, job.pending, made), of_run if plan.ends else None)
    spec = {
        "components": {**pods.components, **dags.components},
        "deploymentSpec": {"executors": pods.executors},
        "pipelineInfo": {"name": dashed(plan.graph.name, LONGEST_NAME)},
        "root": root,
        "schemaVersion": SCHEMA,
        "sdkVersion": SDK,
    }
    return Compiled(spec, pods.platform, of_run.service_account or orchestrator.service_account)


def _by_step(
    job: Job, orchestrator: KubeflowOrchestrator, pipeline: settings.Values, of_run: Settings
) -> Mapping[int, Settings]:
    """What counts for each step. Those that say the same share it, and so their pods."""
    made: dict[str, Settings] = {"": of_run}
    found: dict[int, Settings] = {}
    for id_ in job.pending:
        step = job.plan.graph.calls[id_].step
        if id(step) in found:
            continue
        own = (step.options.settings or {}).get(orchestrator.flavor)
        text = plain.encode(dict(own)) if own else ""
        if own and text not in made:
            made[text] = settings.joined(orchestrator.defaults, pipeline, own)
        found[id(step)] = made[text]
    return found
