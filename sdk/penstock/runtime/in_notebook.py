"""How a notebook shows a run: what became of it, its picture, and the first thing that failed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.pictures import markup, notebook
from penstock.pictures.markup import Markup
from penstock.runtime import depiction
from penstock.runtime.run import Run


def of_run(run: Run[Any]) -> str | None:
    """HTML, or nothing where the store cannot be read."""
    return notebook.shown(lambda: _parts(run))


def _parts(run: Run[Any]) -> Iterable[Markup]:
    steps = depiction.seen(run)
    yield markup.title(run.pipeline)
    yield markup.facts(depiction.head(run))
    yield from depiction.picture(run, steps)
    failed = depiction.failures(steps)
    for view in failed[:1]:
        failure = view.record.failure
        assert failure is not None
        others = f" And {len(failed) - 1:,} more." if failed[1:] else ""
        yield markup.verbatim(f"{view.id}: {failure.kind}: {failure.message}"[:2000] + others)
        yield markup.sentence(f"run[{view.id!r}].logs(), or: penstock run show {run.id}")
