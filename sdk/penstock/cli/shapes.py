"""What `--json` prints of runs, steps and artifacts. Keys may be added, and none is ever taken
away or changes its meaning. Times of day are UTC, durations seconds, sizes bytes."""

from __future__ import annotations

import json
from typing import Any, Final

from penstock.cli.output import iso
from penstock.model import plain
from penstock.model.records import Status
from penstock.runtime.map_view import MapView
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView
from penstock.runtime.stored_artifact import StoredArtifact
from penstock.runtime.tags import Tag

RUN: Final = (
    "run", "pipeline", "status", "stack", "stack_origin", "started", "seconds", "user", "host",
    "commit", "parameters", "versions", "why", "resumed", "part", "pinned",
)  # fmt: skip
"""`parameters` holds plain data as it is, and text about anything else. `why` is what stopped the
run, if something did. `resumed` is the run that it goes on with, `part` which steps were asked
for."""

STEP: Final = (
    "step", "status", "source", "key", "started", "wall", "cpu", "peak_memory", "read", "written",
    "attempt", "metadata", "outputs", "failure", "skipped", "items",
)  # fmt: skip
"""`metadata` is what the step said of itself with `context().log_metadata()`.
`source` is the run and step that computed the outputs, if they were taken from the cache.
`failure`, if there is one, has `kind`, `message`, `traceback` and `inputs`. `skipped` says why it
was. `items` is how many a map has whose list was only known at run time."""

ARTIFACT: Final = ("run", "step", "output", "format", "size", "digest", "store")

TAG: Final = (*ARTIFACT, "pipeline", "name", "tag", "user", "host", "set")


def of_run(run: Run[Any], pinned: bool | None = None) -> dict[str, Any]:
    """The store is asked whether it is `pinned`, unless somebody knows."""
    record = run.record
    return {
        "run": run.id,
        "pipeline": run.pipeline,
        "status": run.status,
        "stack": record.stack,
        "stack_origin": record.stack_origin,
        "started": iso(run.started),
        "seconds": round(run.duration, 6),
        "user": record.user,
        "host": record.host,
        "commit": record.commit,
        "parameters": {name: parsed(text) for name, text in record.parameters.items()},
        "versions": record.versions,
        "why": run.reason or None,
        "pinned": run.pinned if pinned is None else pinned,
        "resumed": record.resumed or None,
        "part": record.part or None,
    }


def of_step(run: Run[Any], view: StepView) -> dict[str, Any]:
    record = view.record
    failure = record.failure and {
        "kind": record.failure.kind,
        "message": record.failure.message,
        "traceback": record.failure.traceback,
        "inputs": {name: parsed(text) for name, text in run.inputs(view.id).items()},
    }
    return {
        "step": view.id,
        "status": view.status,
        "source": record.source and {"run": record.source[0], "step": record.source[1]},
        "key": record.key or None,
        "started": iso(record.started) if record.started else None,
        "wall": record.wall,
        "cpu": record.cpu,
        "peak_memory": record.peak_memory,
        "read": record.read,
        "written": record.written,
        "attempt": record.attempt,
        "metadata": {name: parsed(plain.encode(value)) for name, value in record.metadata.items()},
        "outputs": {
            name: {"format": item.format, "digest": item.digest, "size": item.total}
            for name, item in record.outputs.items()
        },
        "failure": failure or None,
        "skipped": record.why if view.status is Status.SKIPPED else None,
        "items": len(view) if isinstance(view, MapView) else None,
    }


def of_artifact(item: StoredArtifact) -> dict[str, Any]:
    return {
        "run": item.run,
        "step": item.step,
        "output": item.name,
        "format": item.artifact.format,
        "size": item.artifact.total,
        "digest": item.artifact.digest,
        "store": item.store,
    }


def of_tag(tag: Tag) -> dict[str, Any]:
    return {
        "run": tag.run,
        "step": tag.step,
        "output": tag.output,
        "format": tag.artifact.format,
        "size": tag.artifact.total,
        "digest": tag.artifact.digest,
        "store": tag.store,
        "pipeline": tag.pipeline,
        "name": tag.name,
        "tag": tag.tag,
        "user": tag.user,
        "host": tag.host,
        "set": iso(tag.set_at),
    }


def parsed(text: str) -> Any:
    """Plain data as it is, and text about anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
