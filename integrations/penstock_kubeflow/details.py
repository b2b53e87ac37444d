"""Details: what Kubeflow says of the tasks of a run.

It has a row for each part of its engine's tree. Those of our pods are named after the tasks of the
pipeline, and which step a task is stands in the pipeline, which comes with the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from penstock_kubeflow.within import Data, several, text, there

LONG: Final = 30.0
"""Seconds after which a pod that has not started waits for something that may never come."""

_YEAR: Final = 365 * 24 * 3600.0


def steps(run: Data) -> Mapping[str, str]:
    """The step that each task of a run is there for, as its pod is told: `train:0/4` is a share of
    the items of a map. Empty for the task that ends the run, and for DAGs in a DAG."""
    spec = there(run, "pipeline_spec", "pipeline_spec") or there(run, "pipeline_spec")
    dags = [there(spec, "root"), *there(spec, "components").values()]
    return {key: _step(task) for dag in dags for key, task in there(dag, "dag", "tasks").items()}


def failed(run: Data) -> Iterator[str]:
    """The tasks that have failed, those included that others failed in."""
    return (text(row, "display_name") for row in _rows(run) if row.get("state") == "FAILED")


def waits(run: Data, now: float) -> bool:
    """Whether a pod has not started for long."""
    waiting = (row for row in _rows(run) if row.get("state") == "PENDING")
    return any(now - (_since(row) or _since(run) or now) > LONG for row in waiting)


def _rows(run: Data) -> list[Data]:
    return several(run, "run_details", "task_details")


def _step(task: Data) -> str:
    return text(task, "inputs", "parameters", "call", "runtimeValue", "constant")


def _since(row: Data) -> float | None:
    """When it began, else when it was made. Kubeflow writes the year 1 or 1970 for never."""
    for key in ("start_time", "create_time", "created_at"):
        try:
            moment = datetime.fromisoformat(str(row.get(key))).timestamp()
        except (ValueError, OverflowError):
            continue
        if moment > _YEAR:
            return moment
    return None
