"""Stacks: what flavors there are, how they are configured, and which stack is active."""

from typing import TYPE_CHECKING

from penstock.lazy import attach

if TYPE_CHECKING:
    from penstock.artifacts.store import ArtifactStore
    from penstock.model.component import Left, Secret, StackComponent
    from penstock.stack.component import ComponentSpec
    from penstock.stack.flavor import Flavor
    from penstock.stack.install import library
    from penstock.stack.orchestrator import Job, Observer, Orchestrator, Submitted
    from penstock.stack.project import Project
    from penstock.stack.registry import Registry
    from penstock.stack.stack import Stack
    from penstock.stack.step_operator import StepOperator

__all__ = [
    "ArtifactStore",
    "ComponentSpec",
    "Flavor",
    "Job",
    "Left",
    "Observer",
    "Orchestrator",
    "Project",
    "Registry",
    "Secret",
    "Stack",
    "StackComponent",
    "StepOperator",
    "Submitted",
    "library",
]

__getattr__ = attach(
    __name__,
    {
        "ArtifactStore": "penstock.artifacts.store",
        "ComponentSpec": "penstock.stack.component",
        "Flavor": "penstock.stack.flavor",
        "Job": "penstock.stack.orchestrator",
        "Left": "penstock.model.component",
        "Observer": "penstock.stack.orchestrator",
        "Orchestrator": "penstock.stack.orchestrator",
        "Project": "penstock.stack.project",
        "Registry": "penstock.stack.registry",
        "Secret": "penstock.model.component",
        "Stack": "penstock.stack.stack",
        "StackComponent": "penstock.model.component",
        "StepOperator": "penstock.stack.step_operator",
        "Submitted": "penstock.stack.orchestrator",
        "library": "penstock.stack.install",
    },
)
