"""There: the stack of a plan, on a machine that only needs a part of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun, MissingReference, StackError
from penstock.model.component import Secret, StackComponent
from penstock.model.references import REFERENCE
from penstock.stack.assembling import assembled
from penstock.stack.component import ComponentSpec
from penstock.stack.orchestrator import Job, Observer, Orchestrator, Submitted
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.stack.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Absent(Orchestrator):
    """In the place of one that has handed its job over, and is not needed where the steps run."""

    flavor: ClassVar[str] = "absent"
    elsewhere: ClassVar[bool] = True

    def submit(self, job: Job, observer: Observer) -> Submitted | None:
        raise CannotRun("A run is not submitted by the processes that carry it out.")


def store(data: Mapping[str, Any]) -> ArtifactStore:
    """The artifact store, made here. Raises `MissingReference` for what this machine lacks."""
    spec = next(each for each in _specs(data) if each.category == ArtifactStore.category)
    project = Project.find()
    try:
        ((made, _),) = Registry(project).made([spec], f"The artifact store {spec.name!r}")
    except MissingReference as error:
        raise MissingReference(
            f"It is missing in the pod, where the step is to run: {error.message}",
            hint="Give it to the pods: as an environment variable from a secret, or as a file.",
        ) from error
    assert isinstance(made, ArtifactStore)
    return made


def stack(data: Mapping[str, Any], store: ArtifactStore) -> Stack:
    """The stack with this store. What else cannot be made here is left out: whoever submits a run
    needs more than its steps do."""
    registry = Registry(Project.find())
    made: list[tuple[StackComponent, ComponentSpec]] = []
    for spec in _specs(data):
        if spec.category == ArtifactStore.category:
            made.append((store, spec))
        elif spec.category == Orchestrator.category:
            made.append((_orchestrator(spec, registry), spec))
        else:
            made += _if_possible(spec, registry)
    secrets = {name: Secret(text) for name, text in data.get("secrets", {}).items()}
    return assembled(data["name"], made, data["steps"], "in the plan", secrets=secrets)


def _orchestrator(spec: ComponentSpec, registry: Registry) -> StackComponent:
    """Without what it reaches its engine by: that is told to nobody but who submits. What it says
    of pods is kept, for it says which of their variables are secrets."""
    found = _if_possible(_plain_only(spec), registry)
    return next((made for made, _ in found), Absent(name=spec.name))


def _if_possible(
    spec: ComponentSpec, registry: Registry
) -> Iterator[tuple[StackComponent, ComponentSpec]]:
    try:
        yield from registry.made([spec], spec.name)
    except StackError:  # a library is missing, or a secret; a step that needs it says so
        return


def _plain_only(spec: ComponentSpec) -> ComponentSpec:
    return replace(spec, options=_plain(spec.options))


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """What has no reference in it; of a mapping in them the part that has none."""
    return {
        name: _plain(value) if isinstance(value, Mapping) else value
        for name, value in options.items()
        if isinstance(value, Mapping) or not _leads_away(value)
    }


def _leads_away(value: object) -> bool:
    """Whether there is a reference in it."""
    if isinstance(value, Mapping):
        return any(map(_leads_away, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_leads_away, value))
    return isinstance(value, str) and REFERENCE.search(value) is not None


def _specs(data: Mapping[str, Any]) -> list[ComponentSpec]:
    return [ComponentSpec.from_data(item) for item in data["components"]]
