"""A stack, as `--json` prints it. Keys may be added, and none is ever taken away."""

from __future__ import annotations

from typing import Any, Final

from penstock.stack import secrets
from penstock.stack.configuration import StackSpec

KEYS: Final = (
    "stack", "orchestrator", "artifact_store", "step_operators", "experiment_trackers",
    "model_deployers", "more", "steps", "secrets", "written_in",
)  # fmt: skip
"""What it has. `more` holds the components of categories that packages bring."""


def of_stack(spec: StackSpec) -> dict[str, Any]:
    return {
        "stack": spec.name,
        "orchestrator": spec.orchestrator,
        "artifact_store": spec.artifact_store,
        "step_operators": list(spec.step_operators),
        "experiment_trackers": list(spec.experiment_trackers),
        "model_deployers": list(spec.model_deployers),
        "more": {category: list(names) for category, names in spec.more.items()},
        "steps": spec.steps,
        "secrets": secrets.masked(spec.secrets),
        "written_in": spec.where,
    }
