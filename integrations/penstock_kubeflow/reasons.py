"""Reasons: why a run of Kubeflow's has failed or does not get on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from penstock_kubeflow import details
from penstock_kubeflow.within import Data
from penstock_kubeflow.workflow import Pod, Workflow, workflow

if TYPE_CHECKING:
    from penstock_kubeflow.api import Api

_SILENT: Final = "its pod has failed"
"""What is said of a step if nobody says more."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """What is known beyond the state."""

    why: str = ""
    """What is of no step."""
    calls: Mapping[str, str] = field(default_factory=dict)
    was_ended: bool = False
    """Whether somebody had it ended."""
    is_over: bool = False
    """Whether nothing of it runs any more, whatever its state says."""


def reasons(api: Api, run: Data) -> Reasons:
    """Why the steps of a run have failed, or wait. Costs a request, and the answer is long."""
    steps = details.steps(run)
    calls = {step: _SILENT for task in details.failed(run) if (step := steps.get(task))}
    found = workflow(api, str(run["run_id"]))
    if found is None:
        return Reasons(calls=calls)
    rest = []
    for pod, said in _unwell(found):
        if step := steps.get(pod.task):
            calls[step] = f"its driver: {said}" if pod.is_driver else said
        else:
            rest.append(f"{pod.name}: {said}")
    why = "; ".join(rest) or ("" if calls else found.message)
    return Reasons(why, calls, found.was_ended, found.is_over)


def _unwell(found: Workflow) -> Iterator[tuple[Pod, str]]:
    """The pods that have failed or wait, and why. Drivers come first: what a step's own pod says
    is the better reason, and counts."""
    for pod in sorted(found.pods, key=lambda pod: not pod.is_driver):
        said = pod.message or (_SILENT if pod.has_failed else "")
        if said and (pod.has_failed or pod.phase == "Pending"):
            yield pod, said
