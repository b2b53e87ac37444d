"""penstock on Kubeflow Pipelines: the orchestrator of flavor `kubeflow`.

Names are found on first use: importing this package loads no kfp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazy import attach

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator as KubeflowOrchestrator

__all__ = ["KubeflowOrchestrator"]
__getattr__ = attach(__name__, {"KubeflowOrchestrator": "penstock_kubeflow.orchestrator"})
