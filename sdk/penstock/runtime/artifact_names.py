"""What a user types for an artifact: `pipeline/artifact`, or `RUN/step[/output]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from penstock.errors import CorruptArtifact, NotFound, did_you_mean, listed
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.runtime.tags import name_of

_DEEP: Final = 100
"""Runs of a pipeline, the newest, among which an artifact is looked for."""


def of_run(run: Run[Any], typed: str) -> StoredArtifact:
    """An output by `RUN/step[/output]`. Raises `NotFound`."""
    head, _, rest = typed.partition("/")
    step, _, output = rest.partition("/")
    if not step:
        outputs = (f"{head}/{view.id}/{output}" for view in run for output in view.outputs)
        raise NotFound(f"{typed!r} names no step. Artifacts: {listed(outputs)}.")
    view: Any = run[step]
    if isinstance(view, list):
        raise NotFound(
            f"{step!r} is several steps: {listed(item.id for item in view)}.",
            hint=f"For example: {head}/{view[0].id}",
        )
    if not output:
        if len(view.outputs) > 1:
            several = (f"{head}/{step}/{each}" for each in view.outputs)
            raise NotFound(f"Step {step} has several outputs: {listed(several)}.")
        found: StoredArtifact = view.output
        return found
    if output not in view.outputs:
        raise NotFound(
            f"Step {step} of run {run.id} has no output {output!r}, but {listed(view.outputs)}.",
            hint=did_you_mean(output, view.outputs),
        )
    return view.outputs[output]  # type: ignore[no-any-return]


def newest(runs: Iterable[Run[Any]], typed: str) -> StoredArtifact:
    """The newest artifact by `pipeline/artifact`, where the artifact is an output's name, or its
    step's, or `step/output`. `runs` are the pipeline's, the newest first. Raises `NotFound`."""
    pipeline, _, name = typed.partition("/")
    known: dict[str, None] = {}
    for run in islice(runs, _DEEP):
        found = list(_outputs(run, name.partition("/")[0]))
        meant = [item for item in found if name in _names(item)]
        if len(meant) == 1:
            return meant[0]
        if meant:
            several = (f"{pipeline}/{item.step}/{item.name}" for item in meant)
            raise NotFound(f"{typed!r} is several artifacts: {listed(several)}.")
        known |= dict.fromkeys(f"{pipeline}/{name_of(item)}" for item in found)
    raise NotFound(
        f"The newest runs of {pipeline!r} have no artifact {name!r}. Artifacts: {listed(known)}.",
        hint=did_you_mean(typed, known) or f"Type: penstock artifact list --pipeline {pipeline}",
    )


def _names(artifact: StoredArtifact) -> tuple[str, ...]:
    return name_of(artifact), artifact.step, f"{artifact.step}/{artifact.name}"


def _outputs(run: Run[Any], step: str) -> Iterator[StoredArtifact]:
    """All outputs that a run has; if there is such a step, only those of it."""
    for call in run.named(step) or run.record.calls:
        try:
            view: StepView = run[call]
        except CorruptArtifact:  # `artifact list` says so
            continue
        if view.status.usable:
            yield from view.outputs.values()
