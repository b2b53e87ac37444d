"""Bindings: where the value of a parameter comes from."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from penstock.model import plain
from penstock.model.records import Artifact
from penstock.model.signature import is_named_tuple


@dataclass(frozen=True, slots=True)
class Use:
    """An output of another step."""

    call: str
    output: str


@dataclass(frozen=True, slots=True)
class Given:
    """A value that was there when the graph was drawn."""

    value: Any


@dataclass(frozen=True, slots=True)
class Literally:
    """Plain data, as text. The form that a given value has in a plan."""

    text: str
    canonical: str
    """The same for dicts that differ only in the order of their keys; what the cache key sees."""


@dataclass(frozen=True, slots=True)
class Held:
    """An artifact that the store holds already: of an earlier run, or stored for this one."""

    artifact: Artifact
    origin: tuple[str, str, str] | None = None
    """Run, step and output that it came from, if it came from a run."""
    vouched: bool = True
    """Whether it was made here, or its record is signed with a key that was known here."""
    step: str = ""
    """`module:qualname` of the step whose annotation of the output a reader needs, if not that of
    the parameter which it is given to."""
    canonical: str = ""
    """What the cache key sees of the value, if equal ones may have other bytes."""


Kind = Literal["list", "tuple", "dict", "named"]


@dataclass(frozen=True, slots=True)
class Group:
    """A collection with outputs of other steps somewhere in it."""

    kind: Kind
    items: tuple[Binding, ...]
    keys: tuple[Any, ...] = ()
    """Keys of a dict, plain data; or type name and field names of a named tuple."""


Binding = Use | Given | Literally | Held | Group


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must be true, or must not be, for a call to run."""

    binding: Use | Literally
    wanted: bool
    why: str = ""
    """What to say where it does not hold, if it was settled by another run."""

    def to_data(self) -> Any:
        return [to_data(self.binding), self.wanted, *([self.why] if self.why else [])]

    @classmethod
    def from_data(cls, data: Any) -> Condition:
        written, wanted, *why = data
        found = from_data(written)
        if not isinstance(found, Use | Literally) or type(wanted) is not bool:
            raise TypeError(f"{data!r} is no condition")
        return cls(found, wanted, *map(_text, why))


def uses(binding: Binding) -> Iterator[Use]:
    """Every use of another step's output in here."""
    if type(binding) is Use:
        yield binding
    elif type(binding) is Group:
        for item in binding.items:
            if type(item) is Use:
                yield item
            else:
                yield from uses(item)


def written_texts(binding: Binding) -> Iterator[str]:
    """The values that a plan shows, as text."""
    if type(binding) is Literally:
        yield binding.text
    elif type(binding) is Held:
        yield (binding.artifact.data or b"").decode("utf-8", "replace")
    elif type(binding) is Group:
        yield from map(str, binding.keys)
        for item in binding.items:
            yield from written_texts(item)


def rebuilt(binding: Binding, leaf: Callable[[Binding], Any], hint: Any = None) -> Any:
    """The value: groups put together again around what `leaf` gives for everything else.

    A named tuple becomes one of the class in `hint` if that has the same fields, on every
    orchestrator, and otherwise one of a class of its own: a class is never looked up by a name
    that came out of a store.
    """
    if not isinstance(binding, Group):
        return leaf(binding)
    values = [rebuilt(item, leaf) for item in binding.items]
    match binding.kind:
        case "list":
            return values
        case "tuple":
            return tuple(values)
        case "dict":
            return dict(zip(binding.keys, values, strict=True))
        case "named":
            name, *fields = binding.keys
            if is_named_tuple(hint) and list(hint._fields) == fields:
                return hint(*values)
            return namedtuple(name, fields)(*values)


def converted(binding: Binding, leaf: Callable[[Binding], Binding]) -> Binding:
    """The same binding with every leaf replaced."""
    if type(binding) is not Group:
        return leaf(binding)
    items = tuple(converted(item, leaf) for item in binding.items)
    return Group(binding.kind, items, binding.keys)


def to_data(binding: Binding) -> Any:
    """JSON-able data. A `Given` must have been made literal or stored before."""
    if type(binding) is Use:
        return {"use": [binding.call, binding.output]}
    if type(binding) is Literally:
        if binding.text == binding.canonical:
            return {"value": binding.text}
        return {"value": binding.text, "canonical": binding.canonical}
    if type(binding) is Held:
        return {
            "held": binding.artifact.to_data(),
            "origin": binding.origin,
            "vouched": binding.vouched,
            **({"step": binding.step} if binding.step else {}),
            **({"canonical": binding.canonical} if binding.canonical else {}),
        }
    assert type(binding) is Group
    return {
        binding.kind: [to_data(item) for item in binding.items],
        **({"keys": [plain.encode(key) for key in binding.keys]} if binding.keys else {}),
    }


def from_data(data: Mapping[str, Any]) -> Binding:
    """What `to_data` wrote. Raises `ValueError`, `LookupError`, `TypeError` or `AttributeError` for
    anything else."""
    if "use" in data:
        call, output = map(_text, data["use"])
        return Use(call, output)
    if "value" in data:
        return Literally(_text(data["value"]), _text(data.get("canonical", data["value"])))
    if "held" in data:
        run, call, output = map(_text, data.get("origin") or ("", "", ""))
        artifact = Artifact.from_data(data["held"])
        origin = (run, call, output) if run else None
        step, canonical = (_text(data.get(name, "")) for name in ("step", "canonical"))
        return Held(artifact, origin, data["vouched"], step, canonical)
    kinds: tuple[Kind, ...] = ("list", "tuple", "dict", "named")
    kind = [kind for kind in kinds if kind in data][0]  # noqa: RUF015  # a `LookupError` if none
    keys = tuple(map(plain.decode, data.get("keys", ())))
    items = tuple(map(from_data, data[kind]))
    if kind in ("dict", "named") and len(keys) != len(items) + (kind == "named"):
        raise ValueError(f"{len(items)} items of a {kind} have the keys {keys!r}")
    if kind == "named":
        namedtuple(keys[0], keys[1:])  # or `ValueError`: these are no names
    return Group(kind, items, keys)


def _text(data: object) -> str:
    if not isinstance(data, str):
        raise TypeError(f"{data!r} is no text")
    return data


def spoken(binding: Binding) -> str:
    """Where the value comes from, for people: the value itself if it is plain data."""
    match binding:
        case Use():
            return f"{binding.call}/{binding.output}"
        case Literally():
            return binding.text
        case Held():
            return "/".join(binding.origin or (f"a value stored as {binding.artifact.format}",))
        case Group("dict"):
            pairs = zip(binding.keys, map(spoken, binding.items), strict=True)
            return f"{{{', '.join(f'{key!r}: {item}' for key, item in pairs)}}}"
        case Group():
            return f"[{', '.join(map(spoken, binding.items))}]"
    return f"a {type(binding.value).__qualname__}"
