"""Environments: what decides which packages a pod has, in words that compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator


def text(
    orchestrator: KubeflowOrchestrator, image: str | None, requirements: Sequence[str] | None
) -> str:
    """The image, its Python, and what is installed into it; None is the orchestrator's own."""
    wanted = orchestrator.requirements if requirements is None else requirements
    return "\n".join([image or orchestrator.image, orchestrator.python, *wanted])
