"""What goes into a step and what comes out, read from the function's own signature."""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, UnionType
from typing import Annotated, Any, Final

from penstock.errors import BadArguments, BadStep, WrongOutputs, did_you_mean, listed
from penstock.model.names import check_name

REQUIRED: Final = inspect.Parameter.empty
"""The default of a parameter that has none."""

UNKNOWN: Final = Any
"""The type of what is not annotated, or annotated with a name that is not there at run time."""

_NAMES_OUTPUTS: Final = re.compile(r"(\w+\.)*([Tt]uple|Annotated)\[", re.ASCII)


@dataclass(frozen=True, slots=True)
class Output:
    """One thing that a step returns."""

    name: str
    hint: Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that a step or a pipeline takes."""

    name: str
    hint: Any
    default: Any = REQUIRED


class Signature:
    """The parameters and outputs of one function. Annotations are read when first asked for."""

    def __init__(self, function: FunctionType) -> None:
        self._function = function
        self._inner: FunctionType = inspect.unwrap(function)
        code = self._inner.__code__
        positional = code.co_argcount
        total = positional + code.co_kwonlyargcount
        self.names: tuple[str, ...] = code.co_varnames[:total]
        self._only_by_position = code.co_posonlyargcount
        self._by_position = self.names[:positional]
        self._index = {name: i for i, name in enumerate(self.names)}
        defaults = self._inner.__defaults__ or ()
        self.defaults: dict[str, Any] = dict(
            zip(self._by_position[positional - len(defaults) :], defaults, strict=True)
        )
        self.defaults.update(self._inner.__kwdefaults__ or {})

    @property
    def hints(self) -> Mapping[str, Any]:
        """The annotations as they read here, also those that are written as text."""
        return {name: self._hint(name) for name in self._inner.__annotations__}

    @property
    def where(self) -> str:
        """`file:line` of the function."""
        code = self._inner.__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """By name, in the order of the signature."""
        return {
            name: Parameter(name, self._hint(name), self.defaults.get(name, REQUIRED))
            for name in self.names
        }

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """At least one; a function without a return annotation has one output, `output`."""
        outputs = self._read_outputs()
        names = [output.name for output in outputs]
        for name in names:
            try:
                check_name(name, "output")
            except BadStep as error:
                raise BadStep(
                    f"{self._function.__name__}: {error.message} ({self.where})",
                    hint="The str in Annotated[…] is the name; a description goes elsewhere.",
                ) from None
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise BadStep(
                f"{self._function.__name__} declares two outputs named {listed(twice)} "
                f"({self.where})."
            )
        return outputs

    @cached_property
    def tuple_type(self) -> type[tuple[Any, ...]] | None:
        """`tuple` or a NamedTuple if the function returns several outputs, else nothing."""
        hint = _several(self._hint("return"))
        if is_named_tuple(hint):
            return hint  # type: ignore[no-any-return]
        return None if hint is None else tuple

    @cached_property
    def list_output(self) -> Output:
        """What a map gives whose items are known at run time: the list of what each gives."""
        if self.tuple_type is None:
            only = self.outputs[0]
            return Output(only.name, list[only.hint])  # type: ignore[name-defined]
        return Output("output", list[self._hint("return")])  # type: ignore[misc]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Every parameter with its value, defaults filled in. Raises `BadArguments`."""
        bound = dict(zip(self._by_position, args, strict=False))
        if len(args) > len(self._by_position) or any(
            name in bound or self._index.get(name, -1) < self._only_by_position for name in kwargs
        ):
            self._refuse(args, kwargs)
        bound.update(kwargs)
        if len(bound) < len(self.names):
            for name, default in self.defaults.items():
                bound.setdefault(name, default)
            if len(bound) < len(self.names):
                self._refuse(args, kwargs)
        return bound

    def completed(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], rest: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with `rest` for parameters that are not given, as the function takes
        them. Whether that is enough, and nothing is wrong, only `bind` says."""
        given = {*self._by_position[: len(args)], *kwargs}
        values = {name: value for name, value in rest.items() if name not in given}
        first = list(args)
        for name in self.names[len(args) : self._only_by_position]:
            if name not in values and name not in self.defaults:
                break
            first.append(values.pop(name) if name in values else self.defaults[name])
        return tuple(first), {**kwargs, **values}

    def arguments(self, bound: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Bound values as the function takes them: by position what only goes there."""
        first = self.names[: self._only_by_position]
        rest = {name: value for name, value in bound.items() if name not in first}
        return [bound[name] for name in first], rest

    def split(self, value: Any, who: str) -> tuple[Any, ...]:
        """What the function returned, one value for each output. Raises `WrongOutputs`."""
        if self.tuple_type is None:
            return (value,)
        wanted = f"{len(self.outputs)} outputs ({', '.join(out.name for out in self.outputs)})"
        if not isinstance(value, tuple):
            raise WrongOutputs(
                f"Step {who} declares {wanted} and returned one {type(value).__name__} "
                f"({self.where}).",
                hint="Return a tuple, or change the return annotation.",
            )
        if len(value) != len(self.outputs):
            raise WrongOutputs(
                f"Step {who} declares {wanted} and returned {len(value)} ({self.where}).",
                hint="Return as many values as the annotation names.",
            )
        return value

    def join(self, values: list[Any]) -> Any:
        """The outputs in the shape that the function returns them."""
        if self.tuple_type is None:
            return values[0]
        return tuple(values) if self.tuple_type is tuple else self.tuple_type(*values)

    def _refuse(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> typing.NoReturn:
        name = self._function.__name__
        unknown = [key for key in kwargs if key not in self.names]
        hint = did_you_mean(unknown[0], self.names) if unknown else None
        signature = inspect.signature(self._inner)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise BadArguments(
                f"{name}(): {error}. Its parameters: {', '.join(self.names) or 'none'} "
                f"({self.where}).",
                hint=hint,
            ) from None
        raise AssertionError(f"{name}{signature} refused arguments that Python takes")

    def _hint(self, name: str) -> Any:
        """One annotation, alone, so that one that cannot be read does not hide the others."""
        written = self._inner.__annotations__.get(name, UNKNOWN)
        if written is None:
            return type(None)
        if not isinstance(written, str):
            return written
        try:
            return _evaluated(written, {**self._inner.__globals__, **_closure(self._inner)})
        except Exception as error:
            # A name imported under TYPE_CHECKING: nothing is known, so nothing is checked. The
            # number and the names of outputs must be known, though.
            if name == "return" and _NAMES_OUTPUTS.match(written):
                raise BadStep(
                    f"The return annotation {written!r} of {self._function.__name__} cannot be "
                    f"read at run time: {error} ({self.where}).",
                    hint="Import its names outside `if TYPE_CHECKING:`.",
                ) from error
            return UNKNOWN

    def _read_outputs(self) -> tuple[Output, ...]:
        return outputs_in(self._hint("return"))


def outputs_in(hint: Any) -> tuple[Output, ...]:
    """What a function with this return annotation gives."""
    several = _several(hint)
    if several is None:
        return (Output(_given_name(hint) or "output", hint),)
    if is_named_tuple(several):
        return tuple(Output(field, _field_hint(several, field)) for field in several._fields)
    return tuple(
        Output(_given_name(item) or f"output_{i}", item)
        for i, item in enumerate(typing.get_args(several))
    )


class _Holder:
    """What `typing.get_type_hints` is asked about: one annotation and nothing else."""

    def __init__(self, annotations: dict[str, Any]) -> None:
        self.__annotations__ = annotations


def is_named_tuple(hint: Any) -> bool:
    """Whether this is a class made by `NamedTuple` or `namedtuple`."""
    return isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields")


def _evaluated(written: Any, scope: dict[str, Any]) -> Any:
    holder = _Holder({"it": written})
    return typing.get_type_hints(holder, scope, scope, include_extras=True)["it"]


def _field_hint(named: Any, field: str) -> Any:
    for owner in named.__mro__:
        if field in getattr(owner, "__annotations__", ()):
            try:
                return _evaluated(owner.__annotations__[field], vars(sys.modules[owner.__module__]))
            except Exception:  # a name imported under TYPE_CHECKING
                return UNKNOWN
    return UNKNOWN


def _several(hint: Any) -> Any:
    """The tuple type if the annotation names several outputs; a tuple with a name is one."""
    if typing.get_origin(hint) is Annotated:
        return None if _given_name(hint) else _several(typing.get_args(hint)[0])
    named = typing.get_origin(hint) or hint
    if is_named_tuple(named):
        return named
    return hint if _is_fixed_tuple(hint) else None


def _given_name(hint: Any) -> str | None:
    if typing.get_origin(hint) is not Annotated:
        return None
    return next((item for item in hint.__metadata__ if isinstance(item, str)), None)


def _is_fixed_tuple(hint: Any) -> bool:
    items = typing.get_args(hint)
    return typing.get_origin(hint) is tuple and bool(items) and Ellipsis not in items


def _closure(function: FunctionType) -> dict[str, Any]:
    """Names of enclosing functions that the annotations may use."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    found = {}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return found


def bare(hint: Any) -> Any:
    """The annotation without `Annotated` and `Optional` around it."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return bare(typing.get_args(hint)[0])
    if origin is typing.Union or origin is UnionType:
        inside = [item for item in typing.get_args(hint) if item is not type(None)]
        return bare(inside[0]) if len(inside) == 1 else hint
    return hint


def class_in(hint: Any) -> type[Any] | None:
    """The one class that an annotation names: `Annotated` and `Optional` are looked through."""
    inside = bare(hint)
    found = typing.get_origin(inside) or inside
    return found if isinstance(found, type) and found is not UnionType else None
