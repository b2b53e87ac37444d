"""What can be foreseen of pods before any has started: what they surely lack, and what they may."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from penstock.stack.settings import ByFlavor, given
from penstock_kubeflow import settings as pods
from penstock_kubeflow.open_secrets import open_secrets

if TYPE_CHECKING:
    from penstock.model.graph import Call
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

_WITHOUT_GPU: Final = r"(.*/)?(python|debian|ubuntu|alpine|busybox|slim)(:.*|@.*)?"
_WITH_GPU: Final = r"(?i)cuda|gpu|nvidia|rocm|torch|tensorflow|jax|triton|vllm"
"""What images for accelerators have in their names. The others may have one, or not."""


def settings_of(kubeflow: KubeflowOrchestrator, call: Call, settings: ByFlavor) -> dict[str, Any]:
    """What counts for a step: its own before the pipeline's before the stack's."""
    own = (call.step.options.settings or {}).get(kubeflow.flavor, {})
    return pods.merged(kubeflow.defaults, settings.get(kubeflow.flavor, {}), own)


def image_of(kubeflow: KubeflowOrchestrator, call: Call, settings: ByFlavor) -> str:
    """The image of a step; empty if there is none."""
    return str(settings_of(kubeflow, call, settings).get("image") or kubeflow.image)


def problems(
    kubeflow: KubeflowOrchestrator, pipeline: str, settings: ByFlavor, calls: Sequence[Call]
) -> Iterator[str]:
    """What cannot be carried out, a sentence each."""
    said = [*given(kubeflow.flavor, pipeline, settings, calls)]
    wrong = [text for who, values in said for text in _wrong(who, values)]
    together = () if wrong else _together(kubeflow, settings, calls)
    if wrong := wrong or [*together]:
        yield from wrong
        return
    said = [(f"orchestrator {kubeflow.name!r}, defaults", kubeflow.defaults), *said]
    for who, values in said:
        yield from open_secrets(who, values.get("env") or {})
    yield from _imageless(kubeflow, settings, calls)


def secret_variables(
    kubeflow: KubeflowOrchestrator, settings: ByFlavor, calls: Sequence[Call]
) -> set[str]:
    """Variables from Kubernetes Secrets, whoever says so. One that a step gives another value is
    still secret for the others."""
    said = [values for _, values in given(kubeflow.flavor, "", settings, calls)]
    variables = [values.get("secret_env") for values in [kubeflow.defaults, *said]]
    return {name for each in variables if isinstance(each, Mapping) for name in each}


def notes(
    kubeflow: KubeflowOrchestrator,
    settings: ByFlavor,
    calls: Sequence[Call],
    needed: Callable[[Call], Mapping[str, str]],
) -> Iterator[str]:
    """What may be missing in pods: an image can have more than anybody here knows."""
    missing = _missing(kubeflow, settings, calls, needed)
    if missing:
        first = next(iter(missing))
        named = ", ".join(f"{name} ({who})" for name, who in missing.items())
        yield (
            f"pods are not given {named}: unless the image has it, say "
            f"secret_env: {{{first}: SECRET/KEY}} in defaults of the orchestrator {kubeflow.name!r}"
        )
    for call in _each_step(calls):
        image = image_of(kubeflow, call, settings)
        if _wants_gpu(settings_of(kubeflow, call, settings), call) and _lacks_gpu(image):
            yield (
                f"step {call.id} asks for an accelerator, and its image {image} does not look as "
                "if it could use one: settings={'kubeflow': {'image': …}} gives it another"
            )


def _wrong(who: str, values: Mapping[str, Any]) -> Iterator[str]:
    return pods.problems(who, values, of_step=who.startswith("step "))


def _together(
    kubeflow: KubeflowOrchestrator, settings: ByFlavor, calls: Sequence[Call]
) -> Iterator[str]:
    """What is wrong only with what several say of one step."""
    for call in _each_step(calls):
        said = settings_of(kubeflow, call, settings)
        who, asked = f"step {call.id} ({call.where})", call.step.options.resources
        yield from pods.problems(who, said, of_step=False, resources=asked)


def _imageless(
    kubeflow: KubeflowOrchestrator, settings: ByFlavor, calls: Sequence[Call]
) -> Iterator[str]:
    if kubeflow.image:
        return
    without = [call for call in _each_step(calls) if not image_of(kubeflow, call, settings)]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        yield (
            f"step {without[0].id} ({without[0].where}){more}: there is no image to run in. Type: "
            f"penstock orchestrator update {kubeflow.name} --image=…; penstock pipeline compile "
            "FILE:NAME --dockerfile prints what is to be in it"
        )


def _missing(
    kubeflow: KubeflowOrchestrator,
    settings: ByFlavor,
    calls: Sequence[Call],
    needed: Callable[[Call], Mapping[str, str]],
) -> dict[str, str]:
    """Variables that some pod needs and is not told, and who needs each."""
    found: dict[str, str] = {}
    for call in _each_step(calls):
        told = settings_of(kubeflow, call, settings)
        there = {name for kind in pods.ENVIRONMENT for name in told.get(kind) or ()}
        for name, who in needed(call).items():
            if name not in there:
                found.setdefault(name, who)
    return found


def _wants_gpu(told: Mapping[str, Any], call: Call) -> bool:
    resources = call.step.options.resources
    asked = told.get("accelerator_count", resources.gpu if resources else None)
    return bool(asked) or (asked is None and bool(told.get("accelerator")))


def _lacks_gpu(image: str) -> bool:
    return bool(re.fullmatch(_WITHOUT_GPU, image)) or not re.search(_WITH_GPU, image)


def _each_step(calls: Iterable[Call]) -> list[Call]:
    found: dict[int, Call] = {}
    for call in calls:
        found.setdefault(id(call.step), call)
    return list(found.values())
