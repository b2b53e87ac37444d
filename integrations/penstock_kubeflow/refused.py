"""What Kubernetes or Kubeflow would refuse, or read as something else than what is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import did_you_mean, listed
from penstock.model import credentials
from penstock.stack.orchestrator import AGAIN
from penstock.stack.orchestrator import ENVIRONMENT as OURS
from penstock_kubeflow import amounts, mounts, sizes
from penstock_kubeflow.references import key_of
from penstock_kubeflow.settings import ENVIRONMENT
from penstock_kubeflow.shapes import FIELDS, is_field, is_image, is_name, is_requirement

if TYPE_CHECKING:
    from penstock_kubeflow.settings import Settings

_KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,253}")
_VARIABLE: Final = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
_WORD: Final = "[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_META: Final = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_WORD}")
"""The key of a label, an annotation, a taint; the name of a device."""
_VALUE: Final = re.compile(rf"({_WORD})?")
"""The value of a label."""
_RESERVED: Final = ("pipelines.kubeflow.org/v2_component", "pipeline/runid")
"""Labels by which Kubeflow knows its pods."""


def refused(made: Settings) -> Iterator[str]:
    """What is wrong with settings whose types are right, a sentence each."""
    yield from _placeholders(asdict(made))
    yield from _variables(made)
    yield from mounts.refused(made)
    yield from amounts.refused(made)
    yield from sizes.refused(made)
    yield from _labels(made)
    yield from _nodes(made)
    yield from _names("pull_secrets", made.pull_secrets)
    if made.service_account is not None:
        yield from _names("service_account", [made.service_account])
    yield from _what_runs(made)


def _what_runs(made: Settings) -> Iterator[str]:
    if made.image is not None and not is_image(made.image) and "{{" not in made.image:
        yield (
            f"setting 'image': {made.image!r} is no name of an image. Write for example "
            "ghcr.io/acme/ml:3: small letters, digits and '.', '_', '-' between them."
        )
    for each in made.requirements or ():
        if credentials.are_in(each):
            yield (
                f"setting 'requirements': {credentials.hidden(each)!r} has credentials in it, and "
                "would stand in the pipeline. Give pip an index by PIP_INDEX_URL in secret_env."
            )
            continue
        if not is_requirement(each):
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
            if name in (OURS, AGAIN):
                yield f"setting {group!r}: {name!r} is penstock's own: leave it out."
            yield from _value(group, name, value)
    yield from _twice("environment variable", made, ENVIRONMENT)


def _value(group: str, name: str, value: Any) -> Iterator[str]:
    if group == "env":
        if "\0" in value:
            yield f"setting 'env': {name!r} has a NUL in it, and no variable can have one."
    elif group != "field_env":
        yield from _key(group, name, value)
    elif not is_field(value) and "{{" not in value:
        hint = did_you_mean(value, FIELDS) or f"There are {listed(FIELDS)}."
        yield f"setting 'field_env': Kubernetes has no {value!r} for {name!r}. {hint}"


def _key(group: str, name: str, value: Any) -> Iterator[str]:
    """The value is not shown: it may be a secret that somebody has written there."""
    key, of = key_of(value), "Secret" if group == "secret_env" else "ConfigMap"
    if not key.name or not key.key:
        yield f"setting {group!r}: {name!r} needs 'name/key', the name of a {of} and a key of it."
    elif not is_name(key.name):
        yield (
            f"setting {group!r}: {name!r} has before the '/' what is no name of a {of}: small "
            "letters, digits, '-' and '.' are taken, and at both ends letters or digits."
        )
    elif not _KEY.fullmatch(key.key):
        yield (
            f"setting {group!r}: {name!r} has after the '/' what is no key of a {of}: letters, "
            "digits, '-', '_' and '.' are taken."
        )


def _twice(what: str, made: Settings, groups: tuple[str, ...]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for group in groups:
        for key in getattr(made, group):
            if key in seen:
                yield f"setting {group!r}: the {what} {key!r} is in {seen[key]!r} as well."
            seen[key] = group


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
            elif match.operator in ("Gt", "Lt") and not _is_one_number(match.values):
                yield (
                    f"setting 'node_affinity': {match.operator} of {match.key!r} takes one whole "
                    "number, for example values: ['8']."
                )
            if not _META.fullmatch(match.key):
                yield f"setting 'node_affinity': {match.key!r} cannot be a key there."
    for taint in made.tolerations:
        if taint.key and not _META.fullmatch(taint.key):
            yield f"setting 'tolerations': {taint.key!r} cannot be a key there."
        if not taint.key and taint.operator == "Equal":
            yield "setting 'tolerations': without a key, the operator must be 'Exists'."
        if taint.value and taint.operator == "Exists":
            yield f"setting 'tolerations': 'Exists' of {taint.key!r} takes no value."
        if taint.seconds is not None and taint.effect != "NoExecute":
            yield "setting 'tolerations': seconds are only for the effect 'NoExecute'."


def _is_one_number(values: Sequence[str]) -> bool:
    return len(values) == 1 and bool(re.fullmatch(r"[+-]?\d{1,18}", values[0]))


def _names(setting: str, names: Any) -> Iterator[str]:
    for name in names:
        if not is_name(name):
            yield f"setting {setting!r}: {name!r} is no name that Kubernetes has."
