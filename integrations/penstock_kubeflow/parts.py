"""What settings consist of: the small things that a pod is told in more than one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

STRICT: Final = {"extra": "forbid"}
"""For pydantic: no word that is not known here."""

AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a Kubernetes Secret or ConfigMap. As text: `name/key`."""

    __pydantic_config__: ClassVar[Any] = STRICT

    name: str
    """That of the Secret or ConfigMap."""
    key: str
    optional: bool = False
    """Whether the pod starts without it, too."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """A whole Secret or ConfigMap, a file for each key. As text: its name."""

    __pydantic_config__: ClassVar[Any] = STRICT

    name: str
    optional: bool = False
    """Whether the pod starts without it, too."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A persistent volume claim that exists. As text: its name, or `name/folder/in/it`."""

    __pydantic_config__: ClassVar[Any] = STRICT

    name: str
    sub_path: str = ""
    """A folder in the volume; by default all of it."""


@dataclass(frozen=True, kw_only=True)
class EmptyDir:
    """A folder that lives as long as the pod. As text: its size."""

    __pydantic_config__: ClassVar[Any] = STRICT

    size: str = ""
    """The most that it holds, for example 5Gi; by default what the node has."""
    medium: Literal["", "Memory"] = ""


@dataclass(frozen=True, kw_only=True)
class Ephemeral:
    """A volume that is made for the pod and goes with it. As text: its size."""

    __pydantic_config__: ClassVar[Any] = STRICT

    size: str
    """For example 100Gi."""
    access_modes: Sequence[AccessMode] = ("ReadWriteOnce",)
    storage_class: str = ""
    """By default the cluster's own."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Toleration:
    """A taint of nodes that the pod puts up with."""

    __pydantic_config__: ClassVar[Any] = STRICT

    key: str = ""
    """By default every taint; then the operator is Exists."""
    operator: Literal["Equal", "Exists"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    """By default all three."""
    seconds: int | None = None
    """How long it stays once the taint is there; by default for ever. Only for NoExecute."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """What must hold for one label or field of a node."""

    __pydantic_config__: ClassVar[Any] = STRICT

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = "In"
    values: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class NodeAffinity:
    """Nodes that the pod must have; with a weight, those that it would rather have."""

    __pydantic_config__: ClassVar[Any] = STRICT

    labels: Sequence[Match] = ()
    """All of them must hold. Of several affinities without a weight, one is enough."""
    fields: Sequence[Match] = ()
    """The same for fields of the node, such as metadata.name."""
    weight: int | None = None
    """1 to 100."""


@dataclass(frozen=True, kw_only=True)
class SecurityContext:
    """Whom the container runs as. That all capabilities are dropped is Kubeflow's own doing."""

    __pydantic_config__: ClassVar[Any] = STRICT

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
