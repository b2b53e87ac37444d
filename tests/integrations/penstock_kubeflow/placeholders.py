"""Placeholders in a pipeline for Kubeflow: which ones the real backend resolves, and where.

* Its driver (`backend/src/v2/driver/resolver/parameters.go`) compares a constant among a task's
  inputs with five texts, as a whole: `{{$.pipeline_job_uuid}}` becomes the id of the run, and
  `run-{{$.pipeline_job_uuid}}` stays what it is.
* Its launcher (`backend/src/v2/component/launcher_v2.go`) replaces in the command and the arguments
  of a container what its task was given: `{{$.inputs.parameters['call']}}`, anywhere in a word.
* Nothing is resolved anywhere else: not in variables, images, names or labels. Argo, which carries
  it all, takes `{{` for a placeholder of its own and may refuse the workflow.

kfp's local runner resolves all of them anywhere in a command, so it must be given nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

WHOLE: Final = frozenset(
    f"{{{{$.pipeline_{each}}}}}"
    for each in ("job_name", "job_resource_name", "job_uuid", "task_name", "task_uuid")
)
"""What a constant may be, as a whole."""

_INPUT: Final = re.compile(r"\{\{\$\.inputs\.parameters\['([^'\]]*)'\]\}\}")

Place = tuple[str, ...]


def unresolved(spec: Mapping[str, Any], platform: Mapping[str, Any]) -> Iterator[str]:
    """Each text with a placeholder that the backend would leave as it is, and where it stands."""
    given = _given(spec)
    for name, text in (*_texts(spec, ("spec",)), *_texts(platform, ("platform",))):
        if "{{" in text and not _is_resolved(name, text, given):
            yield f"{'/'.join(name)}: {text}"


def _is_resolved(place: Place, text: str, given: Mapping[str, frozenset[str]]) -> bool:
    match place:
        case (*_, "tasks", _, "inputs", "parameters", _, "runtimeValue", "constant"):
            return text in WHOLE
        case ("spec", "deploymentSpec", "executors", label, "container", "command" | "args", _):
            names = set(_INPUT.findall(text))
            return "{{" not in _INPUT.sub("", text) and names <= given.get(label, frozenset())
    return False


def _given(spec: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """By executor: the inputs that each component has which it carries out."""
    found: dict[str, frozenset[str]] = {}
    for component in spec.get("components", {}).values():
        if label := component.get("executorLabel"):
            inputs = frozenset(component.get("inputDefinitions", {}).get("parameters", {}))
            found[label] = found.get(label, inputs) & inputs
    return found


def _texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    """All texts, names included, each with the names on the way to it."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield (*place, "a name"), str(name)
            yield from _texts(item, (*place, str(name)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _texts(item, (*place, str(number)))
