"""Expansion: a map over a list known at run time becomes one call for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from penstock.artifacts.formats import items, registry
from penstock.artifacts.formats.failure import FAILURE
from penstock.artifacts.formats.items import ITEMS, SIGNED
from penstock.artifacts.values import Trust, Values
from penstock.errors import CorruptArtifact, InputFailed, NotFound, TypeMismatch
from penstock.model import plain
from penstock.model.binding import Binding, Group, Held, Literally, Use
from penstock.model.graph import Call
from penstock.model.over import item_hint
from penstock.model.plan import Plan
from penstock.model.records import Artifact, StepRun
from penstock.model.signature import UNKNOWN
from penstock.runtime import loading, scratch
from penstock.runtime.item_lists import JSON, ItemLists

LISTS: Final = (ITEMS, SIGNED)


class Expansions:
    """The items of the maps of one plan. What they are follows from the plan and the records of
    the steps that made the lists, in whatever process."""

    def __init__(
        self, plan: Plan, results: Mapping[str, StepRun], values: Values, lists: ItemLists
    ) -> None:
        self._plan = plan
        self._results = results
        self._values = values
        self._lists = lists
        self._made: dict[str, Sequence[Call]] = {}
        self._told: dict[str, Call] = {}

    def call(self, id: str) -> Call:
        """A call of the plan, or an item of one of its maps. Raises `NotFound`."""
        found = self._plan.graph.calls.get(id) or self._told.get(id)
        if found is not None:
            return found
        head, _, number = id.rpartition(".")
        parent = self._plan.graph.calls.get(head)
        if parent is not None and parent.over and number.isdecimal():
            items = self.items(parent)
            if int(number) < len(items):
                return items[int(number)]
        raise NotFound(f"The plan of run {self._plan.run} has no step {id!r}.")

    def tell(self, map_id: str, place: int, item: Binding) -> None:
        """Say what an item is, to a process that need not read the list for it."""
        call = self._plan.graph.calls[map_id].item_at(place, item)
        self._told[call.id] = call

    def items(self, call: Call) -> Sequence[Call]:
        """The calls of a map. Raises `TypeMismatch` for what is no list, `InputFailed`,
        `CorruptArtifact` or `NoSuchKey`."""
        known = self._made.get(call.id)
        if known is None:
            found = self._group(call).items
            known = [call.item_at(place, item) for place, item in enumerate(found)]
            self._made[call.id] = known
        return known

    def are_known(self, call: Call) -> bool:
        """Whether the list that a map goes over was read already."""
        return call.id in self._made

    def gathered(self, call: Call) -> tuple[dict[str, Artifact], int]:
        """What a map gives: the list of what its items gave; and its size in bytes."""
        found = [self._given(each) for each in self.items(call)]
        artifact = self._lists.stored(Group("list", tuple(found)))
        return {call.outputs[0].name: artifact}, sum(
            each.total for item in found for each in items.artifacts(item)
        )

    def failed(self, call: Call) -> bool:
        """Whether a failure is among what the items of a map gave."""
        return any(self._results[item.id].failure is not None for item in self.items(call))

    def _given(self, item: Call) -> Binding:
        """What an item of a map gave, in the shape that its step returns."""
        result = self._results[item.id]
        held = [self._held(artifact, result) for artifact in result.outputs.values()]
        kind = item.step.signature.tuple_type
        if kind is None or result.failure is not None:
            return held[0]
        if kind is tuple:
            return Group("tuple", tuple(held))
        return Group("named", tuple(held), (kind.__name__, *result.outputs))

    @staticmethod
    def _held(artifact: Artifact, result: StepRun) -> Held:
        """Without its origin: equal results of another run are an equal list. What is not signed
        with a key that counts is not vouched for either, where that matters."""
        risky = registry.runs_code(artifact.format) or registry.is_outside(artifact.format)
        return Held(artifact, None, result.verified or not risky)

    def _group(self, call: Call) -> Group:
        artifact, trust, who = self._source(call)
        format = artifact.format
        if format in LISTS:
            found = items.read(self._values.buffer(artifact, who))
            return found if trust.given else _unvouched(found)
        if format == JSON:
            return self._plain(call, plain.decode(bytes(self._values.buffer(artifact, who))), who)
        if format == FAILURE:
            raise InputFailed(f"Step {call.id} cannot run: {who}, which it maps over, has failed.")
        if isinstance(call.bindings[call.over], Use):  # it would be stored as a list if it was one
            raise _no_list(call, who, f"a value stored as {format}")
        value = self._values.load(artifact, None, who, scratch.until_exit, trust)
        if type(value) not in (list, tuple):
            raise _no_list(call, who, f"a {type(value).__qualname__}")
        return self._lists.group(value, None, who)

    def _plain(self, call: Call, value: Any, who: str) -> Group:
        if type(value) not in (list, tuple):
            raise _no_list(call, who, f"a {type(value).__qualname__}")
        return Group(
            "list", tuple(Literally(plain.encode(item), plain.canonical(item)) for item in value)
        )

    def _source(self, call: Call) -> tuple[Artifact, Trust, str]:
        """The list that a map goes over, whether pickles in it may be loaded, and whose it is."""
        binding = call.bindings[call.over]
        if type(binding) is Use:
            made = self._results[binding.call]
            who = f"output {binding.output!r} of step {binding.call} in run {self._plan.run}"
            return made.outputs[binding.output], Trust(made.verified, made.signer), who
        if type(binding) is not Held:
            raise CorruptArtifact(f"The plan has no list for step {call.id} to map over.")
        run, step, output = binding.origin or ("", "", "")
        who = f"output {output!r} of step {step} in run {run}" if run else "a value given to it"
        return binding.artifact, Trust(binding.vouched), who


def item_of(items_of: Binding, place: int, made: StepRun | None, values: Values) -> Binding:
    """What one item of a map was given, as far as that is seen without loading a value; else the
    list that it came from."""
    artifact = None
    if type(items_of) is Use and made is not None:
        artifact = made.outputs.get(items_of.output)
    elif type(items_of) is Held:
        artifact = items_of.artifact
    if artifact is None or artifact.format not in (JSON, *LISTS):
        return items_of
    data = values.buffer(artifact, f"What item {place} was given")
    if artifact.format in LISTS:
        return items.read(data).items[place]
    text = plain.encode(plain.decode(bytes(data))[place])
    return Literally(text, text)


def hint_of_items(plan: Plan, item: Call) -> Any:
    """The annotation of what a list holds, by the step that made it."""
    parent = plan.graph.calls[item.of]
    binding = parent.bindings[parent.over]
    if type(binding) is Held:
        return item_hint(loading.hint_of_held(binding, UNKNOWN))
    if type(binding) is not Use:
        return UNKNOWN
    return item_hint(output_hint(plan.graph.calls[binding.call], binding.output, UNKNOWN))


def output_hint(call: Call, output: str, otherwise: Any) -> Any:
    """The annotation of what a step gives; where that step cannot be loaded, this one."""
    try:
        return next(each.hint for each in call.outputs if each.name == output)
    except Exception:  # its module needs what is not installed where another step runs
        return otherwise


def _unvouched(binding: Any) -> Any:
    """The same, from a record that nobody's key here has signed."""
    if type(binding) is Group:
        return Group(binding.kind, tuple(map(_unvouched, binding.items)), binding.keys)
    return Held(binding.artifact, None, False) if type(binding) is Held else binding


def _no_list(call: Call, who: str, what: str) -> TypeMismatch:
    at = f" ({call.where})" if call.where else ""
    return TypeMismatch(
        f"Step {call.id} maps over {who}, which is {what} and no list{at}.",
        hint="Return a list or a tuple from that step: one call is made for each of its items.",
    )
