"""penstock: write a pipeline once in plain Python, and let the active stack decide where it runs.

Names are found on first use: importing this package loads the standard library and next to
nothing of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazy import attach

if TYPE_CHECKING:
    from penstock._version import __version__ as __version__
    from penstock.api.pipeline import Pipeline as Pipeline
    from penstock.api.pipeline import pipeline as pipeline
    from penstock.artifacts.formats.registry import materializer as materializer
    from penstock.artifacts.local import LocalArtifactStore as LocalArtifactStore
    from penstock.artifacts.materializer import Materializer as Materializer
    from penstock.artifacts.materializer import NotThisFormat as NotThisFormat
    from penstock.artifacts.store import Buffer as Buffer
    from penstock.client import Client as Client
    from penstock.errors import PenstockError as PenstockError
    from penstock.errors import RunFailed as RunFailed
    from penstock.model.component import Secret as Secret
    from penstock.model.file import File as File
    from penstock.model.graph import Graph as Graph
    from penstock.model.records import Failure as Failure
    from penstock.model.records import Status as Status
    from penstock.model.records import StepRun as StepRun
    from penstock.model.resources import Resources as Resources
    from penstock.model.retry import Retry as Retry
    from penstock.model.step import Step as Step
    from penstock.model.step import step as step
    from penstock.orchestrators.local import LocalOrchestrator as LocalOrchestrator
    from penstock.runtime.context import Context as Context
    from penstock.runtime.context import context as context
    from penstock.runtime.run import Run as Run
    from penstock.runtime.stored_artifact import StoredArtifact as StoredArtifact
    from penstock.stack.stack import Stack as Stack
    from penstock.step_operators.subprocess import SubprocessStepOperator as SubprocessStepOperator

_HOMES = {
    "Buffer": "penstock.artifacts.store",
    "Client": "penstock.client",
    "Context": "penstock.runtime.context",
    "Failure": "penstock.model.records",
    "File": "penstock.model.file",
    "Graph": "penstock.model.graph",
    "LocalArtifactStore": "penstock.artifacts.local",
    "LocalOrchestrator": "penstock.orchestrators.local",
    "Materializer": "penstock.artifacts.materializer",
    "NotThisFormat": "penstock.artifacts.materializer",
    "PenstockError": "penstock.errors",
    "Pipeline": "penstock.api.pipeline",
    "Resources": "penstock.model.resources",
    "Retry": "penstock.model.retry",
    "Run": "penstock.runtime.run",
    "RunFailed": "penstock.errors",
    "Secret": "penstock.model.component",
    "Stack": "penstock.stack.stack",
    "Status": "penstock.model.records",
    "Step": "penstock.model.step",
    "StepRun": "penstock.model.records",
    "StoredArtifact": "penstock.runtime.stored_artifact",
    "SubprocessStepOperator": "penstock.step_operators.subprocess",
    "__version__": "penstock._version",
    "context": "penstock.runtime.context",
    "materializer": "penstock.artifacts.formats.registry",
    "pipeline": "penstock.api.pipeline",
    "step": "penstock.model.step",
}

__all__ = sorted(_HOMES.keys() - {"__version__"})  # noqa: PLE0605 - the keys are the one list
__getattr__ = attach(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
