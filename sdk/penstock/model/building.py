"""Drawing: the calls that a pipeline makes while its function runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, get_args, get_origin

from penstock.errors import BadArguments, BadGraph, DeclarationError, TypeMismatch, listed
from penstock.model import drawing
from penstock.model.binding import Binding, Given, Group, Use
from penstock.model.fit import shown, surely_wrong
from penstock.model.graph import Call, Graph, in_order
from penstock.model.refs import Reference, StoredValue
from penstock.model.signature import Parameter, is_named_tuple
from penstock.model.step import After, Step


class Draft:
    """A graph in the making."""

    def __init__(self, pipeline: str) -> None:
        self.pipeline = pipeline
        self._calls: dict[str, Call] = {}
        self._folded: dict[str, str] = {}
        self._used: dict[str, int] = {}
        self._explicit: dict[str, str] = {}
        self._forward = False

    def add(self, step: Step[..., Any], bound: dict[str, Any], where: str) -> Any:
        """Draw one call; its outputs come back as references, in the shape of the real ones."""
        return self._draw(step, self._new_id(step, where), bound, where)

    def add_each(
        self, step: Step[..., Any], items: Sequence[Any], rest: Callable[[Any], dict[str, Any]],
        where: str,
    ) -> list[Any]:  # fmt: skip
        """Draw one call for each item: `train.0`, `train.1`, …"""
        name = self._new_id(step, where)
        return [
            self._draw(step, self._take(f"{name}.{i}", where), rest(item), where)
            for i, item in enumerate(items)
        ]

    def graph(self, result: Any) -> Graph:
        """The finished graph. Raises `BadGraph` for a cycle or an unknown name in `after`."""
        calls = self._with_forward_after() if self._forward else self._calls
        binding = None if result is None else self.binding(result, "the pipeline's return value")
        return Graph(self.pipeline, calls, binding)

    def binding(self, value: Any, who: str) -> Binding:
        """How a parameter gets this value."""
        kind = type(value)
        if kind is Reference:
            if value._draft is not self:
                raise BadGraph(
                    f"{who} is given an output of step {value._call} of another drawing, of "
                    f"pipeline {value._pipeline!r} ({value._where}).",
                    hint="Pass run['step'].output of a finished run instead.",
                )
            return Use(value._call, value._output)
        named = isinstance(value, tuple) and is_named_tuple(kind)
        if kind is list or kind is tuple or named:
            items = tuple(self.binding(item, who) for item in value)
            if all(map(_is_bare, items)):
                return Given(value)
            if named:
                return Group("named", items, (kind.__name__, *value._fields))
            return Group("list" if kind is list else "tuple", items)
        if kind is dict:
            items = tuple(self.binding(item, who) for item in value.values())
            if all(map(_is_bare, items)):
                return Given(value)
            return Group("dict", items, tuple(value))
        return Given(value)

    def _draw(self, step: Step[..., Any], id: str, bound: dict[str, Any], where: str) -> Any:
        signature = step.signature
        bindings = {}
        for name, parameter in signature.parameters.items():
            value = bound[name]
            who = f"Parameter {name!r} of step {id}"
            check_fit(value, parameter, who, where)
            bindings[name] = self.binding(value, who)
        after = tuple(self._after(item, id, where) for item in step.after_calls)
        self._calls[id] = Call(
            id, step, bindings, tuple(name for some in after for name in some), where
        )
        refs = [
            Reference(self, self.pipeline, id, output.name, output.hint, where)
            for output in signature.outputs
        ]
        return signature.join(refs)

    def _new_id(self, step: Step[..., Any], where: str) -> str:
        """The step's name, or `name-2` and so on when it is used again."""
        name = step.name
        if step.options.name is not None:
            if name in self._explicit or name.lower() in self._folded:
                first = self._explicit.get(name) or self._folded[name.lower()]
                raise BadGraph(
                    f"Two steps of pipeline {self.pipeline!r} are named {name!r}: {first} and "
                    f"{where}.",
                    hint=f"Leave the name to penstock, or write with_options(name='{name}-2').",
                )
            self._explicit[name] = where
            return self._take(name, where)
        number = self._used.get(name, 0) + 1
        id = name if number == 1 else f"{name}-{number}"
        while id.lower() in self._folded and self._same_case(id):
            number += 1
            id = f"{name}-{number}"
        self._used[name] = number
        return self._take(id, where)

    def _same_case(self, id: str) -> bool:
        """Whether the name in the way is this very name, not one of another case."""
        return id in self._calls or id in self._explicit or id in self._used

    def _take(self, id: str, where: str) -> str:
        folded = id.lower()
        if folded in self._folded:
            raise BadGraph(
                f"Step {id} ({where}) is named like the one at {self._folded[folded]}, but for "
                "upper and lower case: some file systems cannot tell them apart.",
                hint="Write with_options(name=…) on one of them.",
            )
        self._folded[folded] = where
        return id

    def _after(self, item: After, id: str, where: str) -> tuple[str, ...]:
        if isinstance(item, Reference):
            return (item._call,)
        if isinstance(item, str):
            self._forward = True
            return (item,)
        if isinstance(item, list | tuple):
            return tuple(name for part in item for name in self._after(part, id, where))
        raise BadArguments(
            f"after() of step {id} is given {item!r} ({where}).",
            hint="Give it outputs of other steps, or their names.",
        )

    def _with_forward_after(self) -> dict[str, Call]:
        for call in self._calls.values():
            for name in call.after:
                if name not in self._calls:
                    raise BadGraph(
                        f"Step {call.id} is to run after step {name!r}, which pipeline "
                        f"{self.pipeline!r} does not have ({call.where}). "
                        f"Its steps: {listed(self._calls)}."
                    )
        return in_order(self.pipeline, self._calls)


def _is_bare(binding: Binding) -> bool:
    """Whether there is nothing but a value of the user's here, no reference and no artifact."""
    return type(binding) is Given and not isinstance(binding.value, StoredValue)


def check_fit(value: Any, parameter: Parameter, who: str, where: str) -> None:
    """Raise `TypeMismatch` if the value surely does not fit the parameter's annotation."""
    if value is parameter.default:
        return  # `x: int = None` is the author's business
    wanted = parameter.hint
    if type(value) is Reference:
        given, what = value._hint, f"output {value._output!r} of step {value._call}"
    elif isinstance(value, StoredValue):
        return
    else:
        given, what = type(value), "a value"
    if surely_wrong(given, wanted):
        raise TypeMismatch(
            f"{who} is {shown(wanted)}, but is given {what}, which is {shown(given)} ({where}).",
            hint="Change the annotation on one side, or convert the value in a @step.",
        )
    if type(value) in (list, tuple) and value and any(type(item) is Reference for item in value):
        _check_items(value, wanted, parameter.name, who, where)


def _check_items(value: Any, wanted: Any, name: str, who: str, where: str) -> None:
    """A fan-in: each reference against the type of what is inside."""
    inside = get_args(wanted)
    if get_origin(wanted) is dict or not inside:
        return
    if get_origin(wanted) is tuple and Ellipsis not in inside:
        hints = inside if len(inside) == len(value) else ()
    else:
        hints = (inside[0],) * len(value)
    for item, hint in zip(value, hints, strict=False):
        if type(item) is Reference:
            check_fit(item, Parameter(name, hint), f"An item of {who[0].lower()}{who[1:]}", where)


def draw(name: str, body: Callable[[], Any]) -> Graph:
    """Run a pipeline's function and return what it drew."""
    if (outer := drawing.current()) is not None:
        raise DeclarationError(
            f"Pipeline {name!r} is asked to run while pipeline {outer.pipeline!r} is drawn.",
            hint=f"Call it, {name}(…), to make its steps part of this pipeline.",
        )
    draft = Draft(name)
    with drawing.into(draft):
        result = body()
    return draft.graph(result)
