"""Settings: what a step or a pipeline may say of its pods. Plain data, until it is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from penstock.errors import CannotRun
from penstock.lazy import lazy
from penstock_kubeflow.parts import (
    STRICT,
    Claim,
    EmptyDir,
    Ephemeral,
    Files,
    Key,
    NodeAffinity,
    SecurityContext,
    Toleration,
)

if TYPE_CHECKING:
    from penstock.model.resources import Resources
    from penstock_kubeflow import reading
else:
    reading = lazy("penstock_kubeflow.reading")  # brings pydantic: only where something is said

PODS: Final = 4
"""How many pods share the items of a map."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a step may say of the pod that it runs in. A pipeline says it of all its steps."""

    __pydantic_config__: ClassVar[Any] = STRICT

    image: str | None = None
    """The container image; by default the orchestrator's."""
    requirements: Sequence[str] | None = None
    """What pip installs when the pod starts; by default the orchestrator's."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables. Everybody who sees the pipeline sees them: no place for secrets."""
    secret_env: Mapping[str, str | Key] = field(default_factory=dict)
    """Environment variables from Kubernetes Secrets, for example {"DB_URL": "database/url"}."""
    config_env: Mapping[str, str | Key] = field(default_factory=dict)
    """Environment variables from Kubernetes ConfigMaps, for example {"TZ": "site/timezone"}."""
    field_env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables from the pod itself, for example {"NODE": "spec.nodeName"}."""
    secret_files: Mapping[str, str | Files] = field(default_factory=dict)
    """Folders with the keys of Kubernetes Secrets, for example {"/etc/tls": "certificates"}."""
    config_files: Mapping[str, str | Files] = field(default_factory=dict)
    """Folders with the keys of Kubernetes ConfigMaps, for example {"/etc/site": "site"}."""
    cpu: float | None = None
    """Cores; by default what `Resources` says."""
    cpu_limit: float | None = None
    """The most cores; by default as many as it asks for."""
    memory: str | None = None
    """Memory, for example 4Gi; by default what `Resources` says."""
    memory_limit: str | None = None
    """The most memory; by default as much as it asks for."""
    accelerator: str | None = None
    """What kind of device: the name that the cluster has for it; by default nvidia.com/gpu."""
    accelerator_count: int | None = None
    """How many devices; by default what `Resources(gpu=…)` says, else 1 if a kind is given."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that the node must have."""
    node_affinity: Sequence[NodeAffinity] = ()
    """Which nodes the pod must have, or would rather have."""
    tolerations: Sequence[Toleration] = ()
    """Taints of nodes that it puts up with."""
    claims: Mapping[str, str | Claim] = field(default_factory=dict)
    """Persistent volume claims that exist, for example {"/data": "images"}."""
    empty_dirs: Mapping[str, str | EmptyDir] = field(default_factory=dict)
    """Folders that live as long as the pod, for example {"/scratch": "20Gi"}."""
    ephemeral_volumes: Mapping[str, str | Ephemeral] = field(default_factory=dict)
    """Volumes that are made for the pod, for example {"/big": "500Gi"}."""
    shared_memory: str | None = None
    """The size of /dev/shm, for example 2Gi; a part of the memory. By default 64Mi."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the pod."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the pod."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is fetched; by default as Kubernetes does it."""
    pull_secrets: Sequence[str] = ()
    """Kubernetes Secrets with which the image is fetched."""
    security_context: SecurityContext | None = None
    """Whom the container runs as."""
    deadline: float | None = None
    """Seconds that the pod may live; by default the `timeout` and some minutes for its start."""
    pods: int = PODS
    """How many pods share the items of a `map`."""
    service_account: str | None = None
    """That of all pods of a run; by default the orchestrator's. Only a pipeline can say it."""


NAMES: Final = tuple(item.name for item in fields(Settings))

ENVIRONMENT: Final = ("env", "secret_env", "config_env", "field_env")
"""Settings whose keys are environment variables."""
MOUNTS: Final = ("secret_files", "config_files", "claims", "empty_dirs", "ephemeral_volumes")
"""Settings whose keys are places in the container."""
_MERGED: Final = (*ENVIRONMENT, *MOUNTS, "node_selector", "labels", "annotations")
_ALIKE: Final = {name: group for group in (ENVIRONMENT, MOUNTS) for name in group}

Values = Mapping[str, Any]


def read(values: Values, who: str = "the settings of 'kubeflow'") -> Settings:
    """Plain data as settings. Raises `CannotRun` with everything that is wrong with it."""
    if not values:
        return Settings()
    made, wrong = reading.read(values)
    if made is None or wrong:
        raise CannotRun("\n".join(f"{who}: {text}" for text in wrong))
    return made


def problems(
    who: str, values: Values, *, of_step: bool = True, resources: Resources | None = None
) -> Iterator[str]:
    """What is wrong with them, a sentence each. `of_step`: and not of a pipeline or a stack.
    `resources`: what the step says for every stack."""
    if values:
        _, wrong = reading.read(values, resources)
        yield from (f"{who}: {text}" for text in wrong)
        if of_step and values.get("service_account") is not None:
            yield (
                f"{who}: setting 'service_account' is for all pods of a run. Give it to the "
                "pipeline or to the orchestrator."
            )


def merged(*layers: Values) -> dict[str, Any]:
    """Of several layers the last that says something counts; mappings are taken together."""
    found: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            if name in _MERGED and isinstance(value, Mapping):
                _drop(found, name, value)
                value = {**(found.get(name) or {}), **value}
            found[name] = value
    return {name: value for name, value in found.items() if value is not None}


def _drop(found: dict[str, Any], name: str, keys: Values) -> None:
    """A variable that came from a Secret and is now plain is not both, nor is a folder."""
    for other in _ALIKE.get(name, ()):
        if other != name and isinstance(found.get(other), Mapping):
            found[other] = {key: of for key, of in found[other].items() if key not in keys}


def joined(defaults: Values, pipeline: Values, step: Values) -> Settings:
    """What counts for a step. Raises `CannotRun`."""
    return read(merged(defaults, pipeline, step))
