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

from penstock.errors import UnknownOption
from penstock.lazy import lazy
from penstock.model import drawing
from penstock.model.names import reference
from penstock.model.step import check_function

if TYPE_CHECKING:
    import os
    from datetime import timedelta

    from penstock.api import commands, configuration, ending, in_notebook, resumption
    from penstock.model import building
    from penstock.model import options as optional
    from penstock.model import signature as signatures
    from penstock.model.graph import Graph
    from penstock.model.options import PipelineOptions
    from penstock.model.signature import Signature
    from penstock.runtime import compiling, preparing
    from penstock.runtime import launch as launching
    from penstock.runtime import outcome as outcomes
    from penstock.runtime.preparing import Wanted
    from penstock.runtime.run import Run
    from penstock.stack.stack import Stack
else:  # an import of a file full of pipelines needs none of them
    building = lazy("penstock.model.building")
    commands = lazy("penstock.api.commands")
    compiling = lazy("penstock.runtime.compiling")
    configuration = lazy("penstock.api.configuration")
    ending = lazy("penstock.api.ending")
    in_notebook = lazy("penstock.api.in_notebook")
    launching = lazy("penstock.runtime.launch")
    optional = lazy("penstock.model.options")
    outcomes = lazy("penstock.runtime.outcome")
    preparing = lazy("penstock.runtime.preparing")
    resumption = lazy("penstock.api.resumption")
    signatures = lazy("penstock.model.signature")

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

    def __init__(self, function: Callable[P, R_co], options: PipelineOptions | None) -> None:
        # Without the function's own attributes, which would hide ours.
        update_wrapper(self, function, updated=())
        self.function = function
        self._options = options

    @cached_property
    def options(self) -> PipelineOptions:
        """What it is told besides its arguments."""
        return self._options or optional.PipelineOptions()

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
        return signatures.Signature(self.function)  # type: ignore[arg-type]

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """An ordinary call; inside another pipeline, its steps become steps of that one.

        The other pipeline's options count then, and of ours only what we say of the cache.
        """
        draft = drawing.current()
        if draft is None or not self.options.controls:
            return self.function(*args, **kwargs)
        with draft.controlled(self.options.controls):
            return self.function(*args, **kwargs)

    def run(self, /, *args: P.args, **kwargs: P.kwargs) -> Run[R_co]:
        """Run it on the active stack, and wait for its end unless told `wait=False`.

        Raises `RunFailed`, which carries the run, if a step fails; `DeclarationError` or
        `StackError` before anything has run.
        """
        __tracebackhide__ = True  # pytest shows the user's frames only
        self, args, kwargs = self._told(args, kwargs)  # type: ignore[assignment] # noqa: PLW0642
        try:
            launched = launching.begin(self._wanted(args, kwargs))
            if not self.options.wait:
                return launched.in_background()
            outcome = launched.carried_out()
            if (failed := outcome.error) is None:
                return outcome.run
            error: BaseException = failed
        except BaseException as caught:
            error = outcomes.raised(caught, self.function)
        raise error  # from here, so that of all our frames there is this one

    def graph(self, /, *args: P.args, **kwargs: P.kwargs) -> Graph:
        """The graph that a run with these arguments would have. Nothing runs."""
        self, args, kwargs = self._told(args, kwargs)  # type: ignore[assignment] # noqa: PLW0642
        self._bound(args, kwargs)
        graph = building.draw(self.name, lambda: self.function(*args, **kwargs))
        return self.options.steps.applied(graph) if self.options.steps else graph

    def compile(self, /, *args: P.args, **kwargs: P.kwargs) -> str:
        """The file that the engine of its stack is handed for a run with these arguments.

        Nothing runs. What the text names goes into the artifact store. Steps whose results are in
        the cache are left out; without any step the text is empty. Raises `CannotRun` for a stack
        whose orchestrator compiles nothing.
        """
        made = compiling.compiled(wanted(self, args, kwargs))
        for note in made.notes if self.options.progress else ():
            ending.remark(f"note: {note}")
        return made.text

    def on(self, stack: str | Stack) -> Pipeline[P, R_co]:
        """The same pipeline, to run on this stack: a name, or a `Stack`."""
        return self.with_options(stack=stack)

    # A run that is resumed has all parameters: none needs to be given again.
    @overload
    def with_options(self, *, resume: Run[Any] | str, **options: Any) -> Pipeline[..., R_co]: ...
    @overload
    def with_options(self, **options: Any) -> Pipeline[P, R_co]: ...
    def with_options(self, **options: Any) -> Pipeline[..., R_co]:
        """The same pipeline with some options changed; the original stays as it is."""
        return Pipeline(self.function, self.options.changed("pipeline", options))

    def cli(self, args: Sequence[str] | None = None) -> None:
        """A command line for this pipeline: a flag for each parameter, and ours.

        `args` are the words after the program's name, by default `sys.argv`'s. Ends the process
        with an exit code: 0 all done, 1 a step failed, 2 wrong usage, 3 configuration,
        4 not found, 5 store or remote.
        """
        commands.run(self, args)

    def _wanted(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Wanted:
        """What is to be run, with these arguments."""
        bound = self._bound(args, kwargs)
        return preparing.Wanted(
            self.name, self.reference, lambda: self.function(*args, **kwargs), bound, self.options
        )

    def _told(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Pipeline[P, R_co], tuple[Any, ...], dict[str, Any]]:
        """The same pipeline, and its arguments, with what a file or an earlier run adds."""
        if self.options.config is not None:
            self, args, kwargs = configuration.applied(self, args, kwargs)  # noqa: PLW0642
        if self.options.resume is not None:
            self, args, kwargs = resumption.applied(self, args, kwargs)  # noqa: PLW0642
        return self, args, kwargs

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, Any]:
        """Every parameter with its value, checked against its annotation."""
        bound = self.signature.bind(args, kwargs)
        for name, parameter in self.signature.parameters.items():
            who = f"Parameter {name!r} of pipeline {self.name}"
            building.check_fit(bound[name], parameter, who, self.signature.where)
        return bound

    def __repr__(self) -> str:
        return f"<pipeline {self.name} ({self.signature.where})>"

    def _repr_html_(self) -> str | None:
        return in_notebook.of_pipeline(self)

    if not TYPE_CHECKING:  # for a checker an unknown attribute is an error, as for steps

        def __getattr__(self, name: str) -> NoReturn:
            # By way of the dict: a pipeline that `copy` is just making has no attributes yet.
            own = getattr(self.__dict__.get("function"), "__name__", "?")
            if name in FOREIGN:
                raise _ForeignAttribute(
                    f"A pipeline has no {name!r}.",
                    hint=f"Here that is: {FOREIGN[name].format(name=own)}.",
                )
            raise AttributeError(f"Pipeline {own!r} has no attribute {name!r}")


class _ForeignAttribute(UnknownOption, AttributeError):
    """An attribute that pipelines of another tool have."""


def wanted(pipeline: Pipeline[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Wanted:
    """What `run()` with these arguments would run."""
    pipeline, args, kwargs = pipeline._told(args, kwargs)
    return pipeline._wanted(args, kwargs)


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
    cache_for: timedelta | None = None,
    refresh: bool = False,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    on_start: Callable[[Run[Any]], object] | None = None,
    on_success: Callable[[Run[Any]], object] | None = None,
    on_failure: Callable[[Run[Any]], object] | None = None,
    stack: str | Stack | None = None,
    wait: bool = True,
    resume: Run[Any] | str | None = None,
    from_step: str | None = None,
    to_step: str | None = None,
    only: str | None = None,
    config: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> PipelineDecorator: ...
def pipeline(function: Any = None, /, **options: Any) -> Any:
    """Make a function a pipeline.

    `@pipeline`, or with options `@pipeline(on_failure=notify)`. See `PipelineOptions` for what
    each means. Raises `BadStep` for a function that cannot be one.
    """
    checked = optional.PipelineOptions().changed("pipeline", options) if options else None
    name = checked.name if checked else None
    if function is not None:
        return Pipeline(check_function(function, "pipeline", name), checked)
    return lambda function: Pipeline(check_function(function, "pipeline", name), checked)
