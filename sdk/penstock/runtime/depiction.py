"""A run as plain data for pictures and pages. What cannot be read of it is said in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from penstock.errors import PenstockError
from penstock.model.graph import SILENT
from penstock.model.records import Status
from penstock.pictures import markup
from penstock.pictures.markup import Markup
from penstock.pictures.node import Edge, Node
from penstock.pictures.notebook import counted
from penstock.pictures.svg import drawn
from penstock.quantities import duration
from penstock.runtime.map_view import MapView
from penstock.runtime.notation import MALFORMED
from penstock.runtime.run import Run
from penstock.runtime.step_view import StepView

T = TypeVar("T")

UNREADABLE: Final = (PenstockError, OSError, StopIteration, *MALFORMED)
"""What reading a record, a plan or a value can raise if it is gone, or not what it should be."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One step of a run, as far as it can be read."""

    id: str
    view: StepView | None
    problem: str = ""
    """Why there is no view of it."""

    @property
    def title(self) -> str:
        """What it is called in a picture: `train × 3` if it maps over a list known at run time."""
        if isinstance(self.view, MapView) and self.view.status is not Status.SKIPPED:
            return f"{self.id} × {len(self.view):,}"
        return self.id

    @property
    def node(self) -> Node:
        """How it is drawn."""
        if self.view is None:
            return Node(self.id, "unreadable", note=self.problem)
        record = self.view.record
        note = f"{record.failure.kind}: {record.failure.message}" if record.failure else ""
        if record.status is Status.SKIPPED:
            note = record.why
        if record.source:
            note = f"from {record.source[0]}"
        return Node(self.id, record.status, record.wall, record.attempt, note)


def seen(run: Run[Any]) -> list[Seen]:
    """Every step of the run: all at once, or one by one if one of them cannot be read."""
    return tried(
        lambda: [Seen(view.id, view) for view in run],
        lambda reason: [_seen(run, call) for call in run.record.calls],
    )


def tried(ask: Callable[[], T], instead: Callable[[str], T]) -> T:
    """What `ask` gives, or what is made of the reason why it cannot."""
    try:
        return ask()
    except UNREADABLE as error:
        return instead(_reason(error))


def picture(run: Run[Any], steps: Sequence[Seen]) -> Iterable[Markup]:
    """The graph of the run, with the states of its steps."""
    problems: list[str] = []
    names = {call: call for call in run.record.calls}
    names |= {step.id: step.title for step in steps if step.id in names}
    edges = tried(
        lambda: [Edge(names[up], names[down], of in SILENT) for up, down, of in run.edges()],
        _into(problems),
    )
    drawn_steps = [step for step in steps if step.id in names]  # not the items of those maps
    nodes = [replace(step.node, id=names[step.id]) for step in drawn_steps]
    yield markup.scrolled(drawn(counted(run.pipeline, nodes), nodes, edges))
    for problem in problems:
        yield markup.sentence(f"What waits for what is not known: {problem}")


def head(run: Run[Any]) -> dict[str, Markup]:
    """What is to be said of the run as a whole."""
    record = run.record
    return {
        "run": markup.text(run.id),
        "status": tried(lambda: markup.state(run.status, _because(run.reason)), markup.text),
        "stack": markup.text(f"{record.stack} ({record.stack_origin})"),
        "started": markup.text(f"{moment(run.started)} by {record.user} on {record.host}"),
        "took": markup.text(tried(lambda: duration(run.duration), str)),
    }


def moment(seconds: float) -> str:
    """A time that means the same to everybody who reads it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def failures(steps: Iterable[Seen]) -> list[StepView]:
    """The steps that say why they did not succeed."""
    return [step.view for step in steps if step.view is not None and step.view.record.failure]


def _seen(run: Run[Any], call: str) -> Seen:
    return tried(lambda: Seen(call, run[call]), lambda reason: Seen(call, None, reason))


def _because(why: str) -> str:
    return f" ({why})" if why else ""


def _into(problems: list[str]) -> Callable[[str], list[Edge]]:
    def note(reason: str) -> list[Edge]:
        problems.append(reason)
        return []

    return note


def _reason(error: BaseException) -> str:
    if isinstance(error, PenstockError):
        return error.message
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
