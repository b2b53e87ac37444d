"""Steps: plain functions that can be drawn into a pipeline."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeVar,
    overload,
)

from penstock.errors import BadArguments, BadStep, UnknownOption
from penstock.lazy import lazy
from penstock.model import drawing
from penstock.model.names import check_name, reference
from penstock.model.refs import Reference, StoredValue

if TYPE_CHECKING:
    from datetime import timedelta

    from penstock.model import options as optional
    from penstock.model import signature as signatures
    from penstock.model.options import StepOptions
    from penstock.model.records import StepRun
    from penstock.model.resources import Resources
    from penstock.model.retry import Retry
    from penstock.model.signature import Signature
else:  # an import of a file full of steps needs neither
    optional = lazy("penstock.model.options")
    signatures = lazy("penstock.model.signature")

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
A = TypeVar("A")
T = TypeVar("T")
R_co = TypeVar("R_co", covariant=True)

After = str | Reference | Sequence[Any]
"""What `after` takes: an output of another step, its name, or several."""

FOREIGN: Final = {
    "entrypoint": "{name}.function is the plain function; {name}(…) calls it",
    "fn": "{name}.function is the plain function; {name}(…) calls it",
    "submit": "call it, {name}(…), inside a @pipeline",
    "delay": "call it, {name}(…), inside a @pipeline",
    "expand": "{name}.map(items)",
    "partial": "{name}.map(items, other=value)",
    "configure": "{name}.with_options(…)",
    "override": "{name}.with_options(…)",
    "run": "only pipelines run: write a @pipeline that calls {name}(…)",
}
"""Attributes of other tools' steps, and how the same is said here."""

_VARIADIC: Final = 0x04 | 0x08
_GENERATOR: Final = 0x20 | 0x200
_COROUTINE: Final = 0x80


class Step(Generic[P, R_co]):
    """A function that a pipeline can call. Anywhere else, calling it is an ordinary call."""

    function: Callable[P, R_co]
    """The function as it was written."""
    after_calls: tuple[After, ...]
    conditions: tuple[tuple[Any, bool], ...]
    """What must be true for it to run, or, with False, must not be."""

    def __init__(
        self,
        function: Callable[P, R_co],
        options: StepOptions | None,
        after: tuple[After, ...] = (),
        conditions: tuple[tuple[Any, bool], ...] = (),
    ) -> None:
        # Without the function's own attributes, which would hide ours.
        update_wrapper(self, function, updated=())
        self.function = function
        self.after_calls = after
        self.conditions = conditions
        self._options = options

    @cached_property
    def options(self) -> StepOptions:
        """What it is told besides its arguments."""
        return self._options or optional.StepOptions()

    @property
    def name(self) -> str:
        """The name that its calls get in a graph."""
        return self.options.name or self.function.__name__

    @cached_property
    def reference(self) -> str:
        """`module:qualname`, by which another process finds it."""
        return reference(self.function)

    @cached_property
    def signature(self) -> Signature:
        """Parameters and outputs."""
        return signatures.Signature(self.function)  # type: ignore[arg-type]

    # Two deliberate fibs in the return types. Inside a pipeline the call returns references:
    # declaring the real type lets a checker see that one step's result fits the next step's
    # parameter, which is the mistake worth catching. And for an `async def` step, R is what
    # awaiting gives, for the same reason.
    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R_co:
        draft = drawing.current()
        if draft is None:
            if self.conditions and not self._holds():
                return None  # type: ignore[return-value] # `when` has said so
            return self.function(*args, **kwargs)
        where = _where()
        bound = _bind(self.signature, args, kwargs, where)
        return draft.add(self, bound, where)  # type: ignore[no-any-return]

    # `self: Callable[Concatenate[A, Q], T]` is the one way to name the first parameter that
    # mypy and pyright both understand.
    def map(
        self: Callable[Concatenate[A, Q], T],
        items: Iterable[A],
        /,
        *args: Q.args,
        **kwargs: Q.kwargs,
    ) -> list[T]:
        """One call for each item, which becomes the first argument; the rest is for all.

        Inside a pipeline the results are a list of references, in the order of the items; if these
        are an output of another step, known at run time, one reference to the list of results.
        Outside, a list of what the function returned.
        """
        assert isinstance(self, Step)
        draft = drawing.current()
        if draft is None:
            if self.conditions and not self._holds():
                return [None for _ in items]  # type: ignore[misc] # `when` has said so
            return [self.function(item, *args, **kwargs) for item in items]
        where = _where()
        signature: Signature = self.signature
        if isinstance(items, Reference | StoredValue):
            bound = _bind(signature, (items, *args), kwargs, where)
            return draft.add_over(self, bound, where)  # type: ignore[no-any-return]
        return draft.add_each(
            self,
            _listed(items, self.name, where),
            lambda item: _bind(signature, (item, *args), kwargs, where),
            where,
        )

    def told(self, options: StepOptions) -> Step[P, R_co]:
        """The same function with these options, as a plan has them."""
        return Step(self.function, options)

    def with_options(self, **options: Any) -> Step[P, R_co]:
        """The same step with some options changed; the original stays as it is."""
        changed = self.options.changed("step", options)
        return Step(self.function, changed, self.after_calls, self.conditions)

    def after(self, *others: object) -> Step[P, R_co]:
        """The same step, to run when the others are done: their outputs, or their names."""
        after: Any = (*self.after_calls, *others)
        return Step(self.function, self.options, after, self.conditions)

    def when(self, condition: object) -> Step[P, R_co | None]:
        """The same step, to run only if this is true: an output of another step, or a value.

        Otherwise it is skipped. Then a step whose parameter may be None gets None in the place of
        what it would have given, and any other step that needs it is skipped, too.
        """
        return self._conditional(condition, True)

    def unless(self, condition: object) -> Step[P, R_co | None]:
        """The same step, to run only if this is not true. See `when`."""
        return self._conditional(condition, False)

    def _conditional(self, condition: object, wanted: bool) -> Step[P, R_co | None]:
        conditions = (*self.conditions, (condition, wanted))
        return Step(self.function, self.options, self.after_calls, conditions)

    def _holds(self) -> bool:
        """Whether its conditions are met, outside of a pipeline, where they are values."""
        return all(bool(condition) is wanted for condition, wanted in self.conditions)

    def __repr__(self) -> str:
        return f"<step {self.name} ({self.signature.where})>"

    # Hidden from type checkers: for them an unknown attribute is an error, not a NoReturn after
    # which they look at nothing any more.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            # By way of the dict: a step that `copy` is just making has no attributes yet.
            function = self.__dict__.get("function")
            if name in FOREIGN and function is not None:
                raise _foreign_attribute(name, function.__name__)
            own = getattr(function, "__name__", "?")
            raise AttributeError(f"Step {own!r} has no attribute {name!r}")

    def __get__(self, instance: object, owner: type | None = None) -> NoReturn:
        raise BadStep(
            f"Step {self.name!r} is read from a class ({self.signature.where}): a method cannot be "
            "a step.",
            hint="Make it a function of the module.",
        )


class _ForeignAttribute(UnknownOption, AttributeError):
    """An attribute that steps of another tool have."""


def _foreign_attribute(name: str, step: str) -> _ForeignAttribute:
    return _ForeignAttribute(
        f"A step has no {name!r}.", hint=f"Here that is: {FOREIGN[name].format(name=step)}."
    )


class StepDecorator(Protocol):
    """What `step(...)` with options returns."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Step[P, R]: ...


@overload
def step(function: Callable[P, Coroutine[Any, Any, R]], /) -> Step[P, R]: ...
@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    name: str | None = None,
    cache: bool | None = None,
    cache_for: timedelta | None = None,
    refresh: bool = False,
    version: str | None = None,
    cache_env: Sequence[str] = (),
    retries: int | Retry = 0,
    timeout: float | None = None,
    resources: Resources | None = None,
    step_operator: str | None = None,
    secrets: Sequence[str] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    on_start: Callable[[StepRun], object] | None = None,
    on_success: Callable[[StepRun], object] | None = None,
    on_failure: Callable[[StepRun], object] | None = None,
) -> StepDecorator: ...
def step(function: Any = None, /, **options: Any) -> Any:
    """Make a function a step.

    `@step`, or with options `@step(retries=3)`. See `StepOptions` for what each means. Raises
    `BadStep` for a function that cannot be a step and `UnknownOption` for other tools' words.
    """
    checked = optional.StepOptions().changed("step", options) if options else None
    name = checked.name if checked else None
    if function is not None:
        return Step(check_function(function, "step", name), checked)
    return lambda function: Step(check_function(function, "step", name), checked)


def check_function(function: Any, what: str, name: str | None = None) -> Any:
    """The function if it can be a step or a pipeline (of this name), else `BadStep`."""
    if isinstance(function, Step):
        raise BadStep(f"{function!r} is a step already.", hint=f"Remove one @{what}.")
    if not isinstance(function, FunctionType):
        raise BadStep(
            f"@{what} is for functions; {function!r} is a {type(function).__name__}.",
            hint=f"Write `def` and put @{what} on top of it.",
        )
    code = function.__code__
    inner: Any = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    own = inner.__code__ if isinstance(inner, FunctionType) else code
    where = f"{own.co_filename}:{own.co_firstlineno}"
    reason = None
    if not isinstance(inner, FunctionType):
        reason = f"it wraps {inner!r}, which is no function with named parameters"
    elif function.__name__ == "<lambda>":
        reason = "a lambda has no name to know it by"
    elif own.co_flags & _VARIADIC:
        reason = "*args and **kwargs have no names to know the inputs by"
    elif code.co_flags & _GENERATOR:
        reason = "a generator has no result to store"
    elif what == "pipeline" and own.co_flags & _COROUTINE:
        reason = "its steps may be async, but the pipeline only draws them and awaits nothing"
    elif "." in function.__qualname__.rpartition("<locals>.")[2]:
        reason = "a method needs an object, which no other process has"
    if reason:
        raise BadStep(
            f"{function.__qualname__} cannot be a {what}: {reason} ({where}).",
            hint="Write a plain function with named parameters that returns its result.",
        )
    check_name(name or function.__name__, what)
    return function


def _bind(
    signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any], where: str
) -> dict[str, Any]:
    try:
        return signature.bind(args, kwargs)
    except BadArguments as error:
        raise BadArguments(f"{error.message} Called at {where}.", hint=error.hint) from None


def _listed(items: Any, name: str, where: str) -> list[Any]:
    """The items of a map that are there while the pipeline is drawn."""
    if not isinstance(items, Iterable):
        raise BadArguments(
            f"{name}.map() is given {items!r}, which has no items ({where}).",
            hint="Give it a list: one call for each of its items.",
        )
    return list(items)


def _where() -> str:
    """`file:line` of whoever called our caller."""
    frame = sys._getframe(2)
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
