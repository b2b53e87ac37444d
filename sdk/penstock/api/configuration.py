"""The configuration of a run: what a file says, as one pipeline understands it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from penstock.api import fields
from penstock.api.fields import Said, Unmade
from penstock.api.reading import Reading
from penstock.errors import BadArguments, listed
from penstock.runtime.step_choices import StepChoices
from penstock.stack import run_file
from penstock.stack.complaints import Complaints, shown
from penstock.stack.nodes import Node

if TYPE_CHECKING:
    from penstock.api.pipeline import Pipeline
    from penstock.model.options import PipelineOptions
    from penstock.model.signature import Signature

P = ParamSpec("P")
R = TypeVar("R")


class Configuration:
    """A file with parameters, a stack and options of steps."""

    def __init__(self, path: str | os.PathLike[str], signature: Signature) -> None:
        found = Path(os.path.abspath(path))
        self.name = shown(found)
        """The file, as one would type it."""
        self._complaints = Complaints(self.name)
        self._file = run_file.read(found, self._complaints)
        self._reading = Reading(self._complaints)
        self.said: Said = self._reading.parameters(self._file.parameters, signature)

    def options(self, options: PipelineOptions) -> PipelineOptions:
        """The options of the run: a stack that was asked for stays, and off anywhere is off."""
        file = self._file
        changed: dict[str, Any] = {"config": None}
        if options.stack is None and file.stack is not None:
            changed |= {"stack": file.stack, "chosen_by": self._complaints.where(file.stack_at)}
        changed |= options.changes(file.controls)
        if file.steps:
            changed["steps"] = StepChoices(file.steps, file.steps_at, self.name)
        return replace(options, **changed)

    def complain(self, error: Unmade) -> None:
        """Where the file says something of it, or of what it is a field of."""
        if error.error is not None:
            what = f"Parameter {'.'.join(error.path)!r}"
            self._reading.refused(self._node(error.path), what, error.error)
            return
        *outer, last = error.path
        node = self._node(outer)
        if not isinstance(node.value, dict) or last not in node.value:  # else it was complained of
            what = f"Parameter {'.'.join(outer)!r}"
            needs = f"{what}: {error.kind.__qualname__} needs {last!r}."
            self._complaints.add(node.key_at, needs)

    def tell(self) -> None:
        """Raise `BadConfiguration` with everything that is wrong with the file."""
        self._complaints.tell()

    def _node(self, path: Sequence[str]) -> Node:
        inside: Any = self._file.parameters
        node: Node = inside[path[0]]
        for part in path[1:]:
            if not isinstance(node.value, dict) or part not in node.value:
                break
            node = node.value[part]
        return node


def applied(
    pipeline: Pipeline[P, R], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Pipeline[P, R], tuple[Any, ...], dict[str, Any]]:
    """The pipeline as its configuration wants it, and its arguments with those that the file
    adds: what is given to `run()` wins.

    Raises `BadConfiguration` with everything that is wrong with the file, or `BadArguments`.
    """
    signature = pipeline.signature
    file = Configuration(pipeline.options.config, signature)
    given = {*signature.names[: len(args)], *kwargs}
    said = {path: value for path, value in file.said.items() if path[0] not in given}
    added, unmade = fields.arguments(signature, said)
    for error in unmade:
        file.complain(error)
    file.tell()
    missing = set(signature.names) - {*given, *added, *signature.defaults}
    if missing and given <= set(signature.names) and pipeline.options.resume is None:
        names = [name for name in signature.names if name in missing]
        raise BadArguments(
            f"{pipeline.name}() needs {listed(names)}, and {file.name} does not have it either "
            f"({signature.where}).",
            hint=f"Give it to run(), or write it there: parameters: {{{names[0]}: …}}",
        )
    told = type(pipeline)(pipeline.function, file.options(pipeline.options))
    return told, *signature.completed(args, kwargs, added)
