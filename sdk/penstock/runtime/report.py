"""The report of a run: one HTML file with all there is to see of it. Nothing is unpickled, and
however large the run, logs and values are shown in part."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from penstock.artifacts.formats import registry
from penstock.errors import PenstockError
from penstock.model.records import Status, StepRun
from penstock.pictures import markup
from penstock.pictures.lettering import colourless
from penstock.pictures.markup import Markup, text
from penstock.quantities import duration, size
from penstock.runtime import depiction, whole_file
from penstock.runtime.depiction import Seen, tried
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView
from penstock.runtime.stored_artifact import StoredArtifact

EDGE: Final = 100_000
"""Characters of a log that are shown, from its beginning and from its end each."""

ALL: Final = 20_000_000
"""Characters of all logs together, after which the others are only named."""

LOOKED_INTO: Final = 64 * 2**20
"""Bytes up to which an output is read for its preview."""

SPOKEN: Final = 2000
"""Characters of an input, and of a preview."""


def write(run: Run[Any], path: Path) -> Path:
    """Write the report, whole or not at all, over an earlier one if there is any."""
    pieces = markup.document(f"{run.pipeline} · {run.id}", _Report(run).parts())
    try:
        _write(path, pieces)
    except OSError as error:
        folder = path.parent
        hint = None if folder.is_dir() else f"Type: mkdir -p {folder}"
        raise PenstockError(
            f"The report {path} cannot be written: {error.strerror or error}.", hint=hint
        ) from error
    return path


def _write(path: Path, pieces: Iterable[str]) -> None:
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():  # a device would be replaced by a file
        raise OSError(errno.EINVAL, "it is something else than a file")
    whole_file.write(path, pieces)


class _Report:
    """The parts of one report."""

    def __init__(self, run: Run[Any]) -> None:
        self._run = run
        self._room = ALL

    def parts(self) -> Iterator[Markup]:
        run, steps = self._run, depiction.seen(self._run)
        yield markup.title(run.pipeline)
        yield markup.facts({**depiction.head(run), **_more(run)})
        yield from depiction.picture(run, steps)
        yield markup.section("Steps")
        yield _table(steps)
        for step in steps:
            yield self._step(step)
        if log := self._log(run.logs, "run"):
            yield markup.section("Printed and logged by no known step")
            yield log
        yield markup.section("Made with")
        yield markup.facts({name: text(of) for name, of in run.record.versions.items()})

    def _step(self, step: Seen) -> Markup:
        """One step: what it was given, what it left, what it said."""
        node = step.node
        summary = Markup(f"{text(step.id)} · {markup.state(node.status)}")
        view = step.view
        if view is None:
            return markup.opened(summary, [markup.sentence(step.problem)], open=True)
        inside = [
            _inputs(self._run, view),
            *([_outputs(view)] if view.outputs else []),
            *_metadata(view.record),
            *self._said(view),
        ]
        return markup.opened(summary, inside, open=view.record.failure is not None)

    def _said(self, view: StepView) -> Iterator[Markup]:
        """Why it failed, unless its log says so, too; and the log."""
        log = self._log(view.logs, view.id)
        if view.record.failure:
            why = _ends(colourless(view.record.failure.traceback)).strip()
            if text(why) not in log:
                yield markup.verbatim(why)
        yield log

    def _log(self, read: Callable[[], str], whose: str) -> Markup:
        log = tried(read, lambda reason: f"[The log cannot be read: {reason}]")
        if not log:
            return Markup("")
        if self._room <= 0:
            words = f"penstock run logs {self._run.id}" + ("" if whose == "run" else f" {whose}")
            return markup.sentence(f"There is no more room here for the log. Type: {words}")
        shown = _ends(colourless(log))
        self._room -= len(shown)
        return markup.verbatim(shown)


def _more(run: Run[Any]) -> dict[str, Markup]:
    record = run.record
    commit = {"commit": text(record.commit)} if record.commit else {}
    given = {f"  {name}": text(value[:SPOKEN]) for name, value in record.parameters.items()}
    return {"orchestrator": text(record.orchestrator), **commit, **given}


def _table(steps: Sequence[Seen]) -> Markup:
    headings = ["step", "status", "wall", "CPU", "memory", "read", "written"]
    return markup.table(headings, ([text(step.id), *_row(step)] for step in steps))


def _row(step: Seen) -> list[Markup]:
    node = step.node
    more = f" (attempt {node.attempt})" if node.attempt > 1 else ""
    if step.view is None or step.view.status is Status.PENDING:
        return [markup.state(node.status), *[text("")] * 5]
    record = step.view.record
    if record.source:
        more += f" from {record.source[0]}"
    if step.view.status is Status.RUNNING:
        return [markup.state(node.status, more), text(duration(record.wall)), *[text("")] * 4]
    memory = size(record.peak_memory) if record.peak_memory else ""
    said = [duration(record.wall), duration(record.cpu), memory, size(record.read),
            size(record.written)]  # fmt: skip
    return [markup.state(node.status, more), *map(text, said)]


def _inputs(run: Run[Any], view: StepView) -> Markup:
    given = tried(lambda: run.inputs(view.id), lambda reason: {"?": f"not known: {reason}"})
    if not given:
        return markup.sentence("It was given nothing.")
    cut = (
        (name, f"{value[:SPOKEN]}…" if value[SPOKEN:] else value) for name, value in given.items()
    )
    return markup.table(["input", "value"], ([text(name), text(value)] for name, value in cut))


def _outputs(view: StepView) -> Markup:
    headings = ["output", "format", "size", "preview"]
    return markup.table(headings, map(_output, view.outputs.values()))


def _output(item: StoredArtifact) -> list[Markup]:
    artifact = item.artifact
    told = [item.name, artifact.format, size(artifact.total), _preview(item)]
    return [*map(text, told)]


def _preview(item: StoredArtifact) -> str:
    artifact = item.artifact
    if registry.runs_code(artifact.format):
        return "not opened: loading it could run code"
    if artifact.size > LOOKED_INTO:
        return f"Type: penstock artifact show {item.run}/{item.step}/{item.name}"
    return tried(lambda: item.preview(SPOKEN) or "", lambda reason: reason)


def _metadata(record: StepRun) -> Iterator[Markup]:
    """What the step said of itself."""
    if record.metadata:
        said = {name: text(str(value)[:SPOKEN]) for name, value in record.metadata.items()}
        yield markup.facts(said)


def _ends(said: str) -> str:
    """A text, or its beginning and its end."""
    if len(said) <= 2 * EDGE:
        return said
    return f"{said[:EDGE]}\n[{len(said) - 2 * EDGE:,} characters are left out]\n{said[-EDGE:]}"
