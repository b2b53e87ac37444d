"""Drawing: the calls that a pipeline makes while its function runs."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import is_
from types import NoneType
from typing import Any, Final

from penstock.errors import (
    BadArguments,
    BadGraph,
    DeclarationError,
    TypeMismatch,
    did_you_mean,
    listed,
)
from penstock.model import drawing, plain
from penstock.model.binding import Binding, Condition, Given, Group, Literally, Use
from penstock.model.controls import ANYTHING, Controls
from penstock.model.fit import hints_inside, shown, surely_wrong
from penstock.model.graph import Call, Graph, in_order
from penstock.model.over import check_condition, check_items, check_over, items_of
from penstock.model.refs import Reference, StoredValue
from penstock.model.signature import Parameter, is_named_tuple
from penstock.model.step import After, Step

_FAN_IN: Final = frozenset({Reference, list, tuple, dict})
_SCALARS: Final = frozenset({int, float, bool, str, bytes, NoneType})
_SHORT: Final = frozenset({int, float, complex, bool, str, bytes, list, tuple, dict, set})


class Draft:
    """A graph in the making."""

    def __init__(self, pipeline: str) -> None:
        self.pipeline = pipeline
        self._calls: dict[str, Call] = {}
        self._folded: dict[str, tuple[str, str]] = {}
        self._used: dict[str, int] = {}
        self._named_by: dict[str, Step[..., Any]] = {}
        """Whose name it is, for names that were given with `name=`."""
        self._mapped: dict[str, tuple[str, ...]] = {}
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._forward = False
        self._controls = ANYTHING
        """What the pipelines around the steps that are drawn now say of the cache."""
        self._controlled: dict[tuple[int, Controls], tuple[Step[..., Any], Step[..., Any]]] = {}

    def add(self, step: Step[..., Any], bound: dict[str, Any], where: str) -> Any:
        """Draw one call; its outputs come back as references, in the shape of the real ones."""
        return self._draw(self._told(step), self._new_id(step, where), bound, where)

    def add_each(
        self, step: Step[..., Any], items: Sequence[Any], rest: Callable[[Any], dict[str, Any]],
        where: str,
    ) -> list[Any]:  # fmt: skip
        """Draw one call for each item: `train.0`, `train.1`, …"""
        name = self._new_id(step, where)
        ids = tuple(self._take(f"{name}.{i}", where) for i in range(len(items)))
        self._mapped[name] = ids
        step = self._told(step)
        return [
            self._draw(step, id, rest(item), where, item=True)
            for id, item in zip(ids, items, strict=True)
        ]

    def add_over(self, step: Step[..., Any], bound: dict[str, Any], where: str) -> Any:
        """Draw a map over an output of another step: one call, and a reference to the list of what
        its items will give."""
        id = self._new_id(step, where)
        over = next(iter(bound))
        items = bound[over]
        check_over(items, f"{step.name}.map()", where)
        if type(items) is Reference:
            use = self._binding(items, f"{step.name}.map()")
            assert isinstance(use, Use)
            self._tell_items(use)
        return self._draw(self._told(step), id, bound, where, over=over)

    def _tell_items(self, use: Use) -> None:
        """Its output is to be stored so that its items can be told apart."""
        call = self._calls[use.call]
        if not call.over:  # a map's output always is
            mapped = call.mapped | {use.output}
            self._calls[use.call] = replace(call, mapped=mapped)

    @contextmanager
    def controlled(self, controls: Controls) -> Iterator[None]:
        """Of the steps drawn in here, `controls` count as well as what they say themselves."""
        before, self._controls = self._controls, self._controls.joined(controls)
        try:
            yield
        finally:
            self._controls = before

    def graph(self, result: Any) -> Graph:
        """The finished graph. Raises `BadGraph` for a cycle or an unknown name in `after`."""
        calls = self._with_forward_after() if self._forward else self._calls
        who = f"The return value of pipeline {self.pipeline!r}"
        binding = None if result is None else self.binding(result, who)
        check_items(self.pipeline, calls)
        return Graph(self.pipeline, calls, binding)

    def binding(self, value: Any, who: str) -> Binding:
        """How a parameter gets this value. Raises `BadGraph` or `BadArguments`."""
        try:
            return self._binding(value, who)
        except RecursionError:
            raise BadArguments(
                f"{who} is given a value that contains itself, or is nested too deeply.",
                hint="Make that value in a @step.",
            ) from None

    def _binding(self, value: Any, who: str) -> Binding:
        kind = type(value)
        if kind in _SCALARS:
            return Given(value)
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
            items = tuple(self._binding(item, who) for item in value)
            if all(map(_is_bare, items)):
                make = value._make if named else kind
                return self._kept(value, make(item.value for item in items))  # type: ignore[union-attr]
            if named:
                return Group("named", items, (kind.__name__, *value._fields))
            return Group("list" if kind is list else "tuple", items)
        if kind is dict:
            items = tuple(self._binding(item, who) for item in value.values())
            if all(map(_is_bare, items)):
                values = (item.value for item in items)  # type: ignore[union-attr]
                return self._kept(value, dict(zip(value, values, strict=True)))
            _check_keys(value, who)
            return Group("dict", items, tuple(value))
        _check_attributes(value, who)
        return Given(value.copy() if kind is set or kind is bytearray else value)

    def _kept(self, value: Any, copy: Any) -> Given:
        """A copy: the pipeline may change the value after the call. The same one as long as it
        does not, so that what is given to many steps is stored once."""
        known = self._copies.get(id(value))
        if known is None or not _same(known[1], copy):
            known = self._copies[id(value)] = (value, copy)
        return Given(known[1])

    def _told(self, step: Step[..., Any]) -> Step[..., Any]:
        """The step as the pipelines around it want it. One and the same each time, so that its
        code is looked at once."""
        if not self._controls:
            return step
        key = (id(step), self._controls)
        if key not in self._controlled:
            changes = step.options.changes(self._controls)
            self._controlled[key] = (step, step.with_options(**changes) if changes else step)
        return self._controlled[key][1]

    def _draw(
        self, step: Step[..., Any], id: str, bound: dict[str, Any], where: str, item: bool = False,
        over: str = "",
    ) -> Any:  # fmt: skip
        signature = step.signature
        bindings = {}
        for name, parameter in signature.parameters.items():
            value = bound[name]
            who = f"Parameter {name!r} of step {id}"
            if name == over:
                check_fit(items_of(value), parameter, f"Each item of p{who[1:]}", where)
            else:
                check_fit(value, parameter, who, where)
            bindings[name] = self.binding(value, who)
        after = tuple(self._after(item, id, where) for item in step.after_calls)
        when = tuple(self._condition(value, wanted, id, where) for value, wanted in step.conditions)
        call = self._calls[id] = Call(
            id, step, bindings, tuple(name for some in after for name in some), where, item,
            over=over, when=when,
        )  # fmt: skip
        refs = [
            Reference(self, self.pipeline, id, output.name, output.hint, where)
            for output in call.outputs
        ]
        return refs[0] if over else signature.join(refs)

    def _condition(self, value: Any, wanted: bool, id: str, where: str) -> Condition:
        who = f"{'when' if wanted else 'unless'}() of step {id}"
        check_condition(value, who, where)
        if type(value) is not Reference:
            return Condition(Literally(*2 * (plain.encode(bool(value)),)), wanted)
        use = self._binding(value, who)
        assert isinstance(use, Use)
        if self._calls[use.call].over:
            raise BadArguments(
                f"{who} is given the outputs of all items of the map {use.call} ({where}): which "
                "of them decides is not known.",
                hint="Decide in a @step that takes the list and returns True or False.",
            )
        return Condition(use, wanted)

    def _new_id(self, step: Step[..., Any], where: str) -> str:
        """The step's name, or `name-2` and so on when it is used again."""
        name = step.name
        if step.options.name is not None:
            first = name not in self._named_by
            if self._named_by.setdefault(name, step) is not step or first:
                self._used[name] = 1
                return self._take(name, where)  # refused if another step has it
        number = self._used.get(name, 0) + 1
        id = name if number == 1 else f"{name}-{number}"
        while self._folded.get(id.lower(), ("",))[0] == id:
            number += 1
            id = f"{name}-{number}"
        self._used[name] = number
        return self._take(id, where)

    def _take(self, id: str, where: str) -> str:
        first, there = self._folded.setdefault(id.lower(), (id, where))
        if there is where and first is id:
            return id
        if first == id:
            raise BadGraph(
                f"Two steps of pipeline {self.pipeline!r} are named {id!r}: {there} and {where}.",
                hint=f"Leave the name to penstock, or write with_options(name='{id}-2').",
            )
        raise BadGraph(
            f"Step {id} ({where}) is named like step {first} ({there}), but for upper and lower "
            "case: some file systems cannot tell them apart.",
            hint="Write with_options(name=…) on one of them.",
        )

    def _after(self, item: After, id: str, where: str) -> tuple[str, ...]:
        if isinstance(item, Reference):
            used = self._binding(item, f"after() of step {id}")
            assert isinstance(used, Use)
            return (used.call,)
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
        calls = {}
        for call in self._calls.values():
            after = tuple(id for name in call.after for id in self._named(name, call))
            calls[call.id] = replace(call, after=after)
        return in_order(self.pipeline, calls)

    def _named(self, name: str, call: Call) -> tuple[str, ...]:
        """The calls that a name in `after` means: one, or all of a map."""
        if name in self._calls:
            return (name,)
        if name in self._mapped:
            return self._mapped[name]
        known = [*self._calls, *self._mapped]
        raise BadGraph(
            f"Step {call.id} is to run after step {name!r}, which pipeline {self.pipeline!r} does "
            f"not have ({call.where}). Its steps: {listed(self._calls)}.",
            hint=did_you_mean(name, known),
        )


def _same(one: Any, other: Any) -> bool:
    """Whether two collections of a kind hold the very same things in the same order."""
    if len(one) != len(other):
        return False
    if type(one) is dict and not all(map(is_, one, other)):
        return False
    inside = (one.values(), other.values()) if type(one) is dict else (one, other)
    return all(map(is_, *inside))


def _is_bare(binding: Binding) -> bool:
    """Whether there is nothing but a value of the user's here, no reference and no artifact."""
    return type(binding) is Given and not isinstance(binding.value, StoredValue)


def _check_keys(value: dict[Any, Any], who: str) -> None:
    """A key beside an output is part of the plan, and a plan is plain data."""
    for key in value:
        try:
            plain.encode(key)
        except plain.NotPlain:
            raise BadArguments(
                f"{who} is given a dict with outputs of steps in it and the key {key!r}, which is "
                f"a {type(key).__qualname__} and no plain data.",
                hint="Use str or int keys, or make the dict inside a @step.",
            ) from None


def _check_attributes(value: Any, who: str) -> None:
    for name, item in getattr(value, "__dict__", {}).items():
        if type(item) is Reference:
            raise BadArguments(
                f"{who} is given a {type(value).__qualname__} whose attribute {name!r} is the "
                f"output of step {item._call}, which is not there yet ({item._where}).",
                hint=f"Make the {type(value).__qualname__} in a @step. Lists, tuples, named tuples "
                "and dicts may hold outputs of steps.",
            )


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
        given, what = type(value), _quoted(value)
    if surely_wrong(given, wanted):
        raise TypeMismatch(
            f"{who} is {shown(wanted)}, but is given {what}, which is {shown(given)} ({where}).",
            hint="Change the annotation on one side, or convert the value in a @step.",
        )
    if type(value) in (list, tuple, dict):
        _check_items(value, wanted, who, where)


def _quoted(value: Any) -> str:
    try:
        return f"the value {reprlib.repr(value)}" if type(value) in _SHORT else "a value"
    except ValueError:  # an int too long for Python to write
        return "a value"


def _check_items(value: Any, wanted: Any, who: str, where: str) -> None:
    """A fan-in: each reference against the type of what is inside, at any depth."""
    items = value.values() if type(value) is dict else value
    if not who.startswith("An item of"):
        who = f"An item of {who[0].lower()}{who[1:]}"
    for item, hint in zip(items, hints_inside(type(value), len(value), wanted), strict=False):
        if type(item) in _FAN_IN:
            check_fit(item, Parameter("", hint), who, where)


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
