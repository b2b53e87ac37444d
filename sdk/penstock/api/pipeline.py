"""Pipelines: plain functions whose step calls draw a graph, and `.run()`, which carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, update_wrapper
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeVar,
    overload,
)

from penstock.errors import RunFailed, UnknownOption
from penstock.lazy import lazy
from penstock.model.building import check_fit, draw
from penstock.model.graph import Graph
from penstock.model.names import reference
from penstock.model.options import Hook, PipelineOptions
from penstock.model.signature import Signature
from penstock.model.step import check_function

if TYPE_CHECKING:
    from penstock.api import commands
    from penstock.runtime import launch as launching
    from penstock.runtime.run import Run
    from penstock.stack.stack import Stack
else:
    commands = lazy("penstock.api.commands")
    launching = lazy("penstock.runtime.launch")

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

FOREIGN: Final = {
    "configure": "{name}.with_options(…)",
    "deploy": "{name}.on('stack').run()",
    "serve": "{name}.on('stack').run()",
    "submit": "{name}.run()",
    "execute": "{name}.run()",
    "execute_in_process": "{name}.run()",
    "entrypoint": "{name}.function is the plain function; {name}(…) calls it",
    "fn": "{name}.function is the plain function; {name}(…) calls it",
    "visualize": "{name}.graph().to_mermaid()",
}
"""Attributes of other tools' pipelines, and how the same is said here."""


class Pipeline(Generic[P, R_co]):
    """A function that calls steps. Calling it is an ordinary call; `.run()` makes it tracked."""

    function: Callable[P, R_co]
    """The function as it was written."""
    options: PipelineOptions

    def __init__(self, function: Callable[P, R_co], options: PipelineOptions) -> None:
        self.function = function
        self.options = options
        update_wrapper(self, function)

    @property
    def name(self) -> str:
        """The name that its runs are listed under."""
        return self.options.name or self.function.__name__

    @property
    def reference(self) -> str:
        """`module:qualname`, by which another process finds it."""
        return reference(self.function)

    @cached_property
    def signature(self) -> Signature:
        """Its parameters and their types."""
        return Signature(self.function)  # type: ignore[arg-type]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        return self.function(*args, **kwargs)

    def run(self, *args: P.args, **kwargs: P.kwargs) -> Run[R_co]:
        """Run it on the active stack, and wait.

        Raises `RunFailed`, which carries the run, if a step fails; `DeclarationError` or
        `StackError` before anything has run.
        """
        bound = self._bound(args, kwargs)
        outcome = launching.launch(
            self.name, self.reference, lambda: self.function(*args, **kwargs), bound, self.options
        )
        if not outcome.failed:
            return outcome.run
        first = outcome.failed[0]
        why = f"{first.failure.kind}: {first.failure.message}" if first.failure else first.status
        others = len(outcome.failed) - 1
        raise RunFailed(
            f"Step {first.call} of {self.name!r} failed: {why}"
            + (f" (and {others} more failed)" if others else ""),
            run=outcome.run,
            hint=f"penstock run show {outcome.run.id}",
        ) from outcome.errors.get(first.call)

    def graph(self, *args: P.args, **kwargs: P.kwargs) -> Graph:
        """The graph that a run with these arguments would have. Nothing runs."""
        self._bound(args, kwargs)
        return draw(self.name, lambda: self.function(*args, **kwargs))

    def on(self, stack: str | Stack) -> Pipeline[P, R_co]:
        """The same pipeline, to run on this stack: a name, or a `Stack`."""
        return self.with_options(stack=stack)

    def with_options(self, **options: Any) -> Pipeline[P, R_co]:
        """The same pipeline with some options changed; the original stays as it is."""
        return Pipeline(self.function, self.options.changed("pipeline", options))

    def cli(self, args: Sequence[str] | None = None) -> None:
        """A command line for this pipeline: a flag for each parameter, and ours.

        `args` are the words after the program's name, by default `sys.argv`'s. Ends the process
        with an exit code: 0 all done, 1 a step failed, 2 wrong usage, 3 configuration,
        4 not found, 5 store or remote.
        """
        commands.run(self, args)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, Any]:
        """Every parameter with its value, checked against its annotation."""
        bound = self.signature.bind(args, kwargs)
        for name, parameter in self.signature.parameters.items():
            check_fit(bound[name], parameter, f"Parameter {name!r} of pipeline {self.name}",
                      self.signature.where)  # fmt: skip
        return bound

    def __repr__(self) -> str:
        return f"<pipeline {self.name} ({self.signature.where})>"

    def __getattr__(self, name: str) -> NoReturn:
        if name in FOREIGN:
            own = self.function.__name__
            raise _ForeignAttribute(
                f"A pipeline has no {name!r}.",
                hint=f"Here that is: {FOREIGN[name].format(name=own)}.",
            )
        raise AttributeError(f"Pipeline {self.function.__name__!r} has no attribute {name!r}")


class _ForeignAttribute(UnknownOption, AttributeError):
    """An attribute that pipelines of another tool have."""


class PipelineDecorator(Protocol):
    """What `pipeline(...)` with options returns."""

    def __call__(self, function: Callable[P, R], /) -> Pipeline[P, R]: ...


@overload
def pipeline(function: Callable[P, R], /) -> Pipeline[P, R]: ...
@overload
def pipeline(
    *,
    name: str | None = None,
    cache: bool | None = None,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    on_start: Hook | None = None,
    on_success: Hook | None = None,
    on_failure: Hook | None = None,
    stack: str | Stack | None = None,
    progress: bool = True,
) -> PipelineDecorator: ...
def pipeline(function: Any = None, /, **options: Any) -> Any:
    """Make a function a pipeline.

    `@pipeline`, or with options `@pipeline(on_failure=notify)`. See `PipelineOptions` for what
    each means. Raises `BadStep` for a function that cannot be one.
    """
    checked = PipelineOptions().changed("pipeline", options)
    if function is not None:
        return Pipeline(check_function(function, "pipeline"), checked)
    return lambda function: Pipeline(check_function(function, "pipeline"), checked)
