"""What Kubernetes or Kubeflow would refuse, or read as something else than what is meant."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from penstock.model.resources import quantity
from penstock_kubeflow import volumes
from penstock_kubeflow.references import key_of
from penstock_kubeflow.settings import ENVIRONMENT, MOUNTS

if TYPE_CHECKING:
    from penstock_kubeflow.settings import Settings

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""The name of a volume (RFC 1123, a label)."""
_PART: Final = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_PART}(\.{_PART})*")
"""The name of most things in Kubernetes (RFC 1123, a subdomain)."""
_KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,253}")
_VARIABLE: Final = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
_WORD: Final = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_META: Final = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_WORD}")
"""The key of a label, an annotation, a taint; the name of a device."""
_VALUE: Final = re.compile(rf"({_WORD})?")
"""The value of a label."""
_SCRATCH: Final = ("gcs", "s3", "minio", "dot-local", "dot-cache", "dot-config")
_VOLUMES: Final = frozenset({"kfp-launcher", *(f"{name}-scratch" for name in _SCRATCH)})
_FOLDERS: Final = frozenset(
    {"/kfp-launcher", *(f"/{name.replace('dot-', '.')}" for name in _SCRATCH)}
)
"""What each pod of Kubeflow's has already, and where."""
_RESERVED: Final = ("pipelines.kubeflow.org/v2_component", "pipeline/runid")
"""Labels by which Kubeflow knows its pods."""


def refused(made: Settings) -> Iterator[str]:
    """What is wrong with settings whose types are right, a sentence each."""
    yield from _placeholders(asdict(made))
    yield from _variables(made)
    yield from _mounts(made)
    yield from _amounts(made)
    yield from _labels(made)
    yield from _nodes(made)
    yield from _names("pull_secrets", made.pull_secrets)
    if made.service_account is not None:
        yield from _names("service_account", [made.service_account])
    if made.image is not None and not re.fullmatch(r"\S+", made.image):
        yield f"setting 'image': {made.image!r} is no name of an image."
    for each in made.requirements or ():
        if not each.strip() or each.startswith("-"):
            yield f"setting 'requirements': {each!r} is no requirement, as numpy>=2 is."


def _placeholders(value: Any, place: str = "") -> Iterator[str]:
    """`{{` begins what Kubeflow replaces, wherever it stands."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _placeholders(key, place or str(key))
            yield from _placeholders(item, place or str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _placeholders(item, place)
    elif isinstance(value, str) and "{{" in value:
        yield f"setting {place!r} holds '{{{{', which Kubeflow takes for a placeholder of its own."


def _variables(made: Settings) -> Iterator[str]:
    for group in ENVIRONMENT:
        for name, value in getattr(made, group).items():
            if not _VARIABLE.fullmatch(name):
                yield f"setting {group!r}: {name!r} is no name of an environment variable."
            if group in ("secret_env", "config_env"):
                yield from _key(group, name, value)
    yield from _twice("environment variable", made, ENVIRONMENT)


def _key(group: str, name: str, value: Any) -> Iterator[str]:
    key = key_of(value)
    if not _NAME.fullmatch(key.name) or not _KEY.fullmatch(key.key):
        of = "Secret" if group == "secret_env" else "ConfigMap"
        yield f"setting {group!r}: {name!r} needs 'name/key', the name of a {of} and a key of it."


def _mounts(made: Settings) -> Iterator[str]:
    for group in MOUNTS:
        for path in getattr(made, group):
            if not path.startswith("/") or ":" in path or path.rstrip("/") == "":
                yield f"setting {group!r}: {path!r} is no absolute path of a folder."
            elif path.rstrip("/") in _FOLDERS:
                yield f"setting {group!r}: at {path!r} Kubeflow mounts a folder of its own."
    yield from _twice("folder", made, MOUNTS)
    found = list(volumes.of(made))
    for volume, count in Counter(each.name for each in found).items():
        kinds = [each.setting for each in found if each.name == volume]
        if not _LABEL.fullmatch(volume) or volume in _VOLUMES:
            yield f"setting {kinds[0]!r}: {volume!r} cannot be the name of a volume of a pod."
        if count > 1:
            yield (
                f"setting {kinds[-1]!r}: {volume!r} is mounted {count} times. Kubeflow names a "
                "volume after what is in it, and a pod has each name once."
            )


def _twice(what: str, made: Settings, groups: tuple[str, ...]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for group in groups:
        for key in getattr(made, group):
            if key in seen:
                yield f"setting {group!r}: the {what} {key!r} is in {seen[key]!r} as well."
            seen[key] = group


def _amounts(made: Settings) -> Iterator[str]:
    for name in ("cpu", "cpu_limit", "deadline"):
        value = getattr(made, name)
        if value is not None and not (value > 0 and math.isfinite(value)):
            yield _unfit(name, value, "a positive number")
    for name in ("memory", "memory_limit", "shared_memory"):
        value = getattr(made, name)
        if value is not None and not quantity(value):
            yield _unfit(name, value, "for example '4Gi'")
    for each in volumes.of(made):
        said = each.size or each.setting == "ephemeral_volumes"
        if said and each.path != volumes.SHARED_MEMORY and not quantity(each.size):
            yield _unfit(each.setting, each.size, "for example '20Gi'")
    if made.pods < 1:
        yield _unfit("pods", made.pods, "1 or more")
    yield from _devices(made)
    for name in ("run_as_user", "run_as_group"):
        value = getattr(made.security_context, name, None)
        if value is not None and value < 0:
            yield _unfit(f"security_context.{name}", value, "0 or more")


def _devices(made: Settings) -> Iterator[str]:
    if made.accelerator_count is not None and made.accelerator_count < 0:
        yield _unfit("accelerator_count", made.accelerator_count, "0 or more")
    if made.accelerator is not None and not _META.fullmatch(made.accelerator):
        yield _unfit("accelerator", made.accelerator, "for example 'nvidia.com/gpu'")


def _unfit(setting: str, value: object, needed: str) -> str:
    return f"setting {setting!r}: {value!r} does not fit: {needed} is needed."


def _labels(made: Settings) -> Iterator[str]:
    for name in ("labels", "annotations", "node_selector"):
        for key, value in getattr(made, name).items():
            if not _META.fullmatch(key):
                yield f"setting {name!r}: {key!r} cannot be a key there."
            if name != "annotations" and not _VALUE.fullmatch(value):
                yield f"setting {name!r}: {value!r} of {key!r} cannot be a value there."
            if name == "labels" and key in _RESERVED:
                yield f"setting 'labels': by {key!r} Kubeflow knows its own pods."


def _nodes(made: Settings) -> Iterator[str]:
    for each in made.node_affinity:
        if not each.labels and not each.fields:
            yield "setting 'node_affinity': labels or fields are needed."
        if each.weight is not None and not 1 <= each.weight <= 100:
            yield f"setting 'node_affinity': the weight {each.weight} is not from 1 to 100."
        for match in (*each.labels, *each.fields):
            if (match.operator in ("Exists", "DoesNotExist")) == bool(match.values):
                needed = "no values" if match.values else "values"
                yield f"setting 'node_affinity': {match.operator} of {match.key!r} takes {needed}."
    for taint in made.tolerations:
        if not taint.key and taint.operator == "Equal":
            yield "setting 'tolerations': without a key, the operator must be 'Exists'."
        if taint.value and taint.operator == "Exists":
            yield f"setting 'tolerations': 'Exists' of {taint.key!r} takes no value."
        if taint.seconds is not None and taint.effect != "NoExecute":
            yield "setting 'tolerations': seconds are only for the effect 'NoExecute'."


def _names(setting: str, names: Any) -> Iterator[str]:
    for name in names:
        if not _NAME.fullmatch(name):
            yield f"setting {setting!r}: {name!r} is no name that Kubernetes has."
