"""A trip through a store, and all that must be true of it: whatever the format, nobody's memory is
anybody else's."""

from __future__ import annotations

import array
import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from penstock.artifacts.formats.memory import dense
from penstock.artifacts.values import Trust, Values


def checked(values: Values, value: Any) -> Any:
    """The value after a trip. Everything that a consumer does to such a one harms nobody."""
    before = twin(value)
    artifact = values.save(value, type(value), "The value")
    assert differs(value, before) is None, "saving changed the value"
    assert values.save(before, type(value), "The value").digest == artifact.digest, "other digest"

    def load() -> Any:
        return values.load(artifact, type(value), "The value", Path, Trust(True))

    files = contents(values)
    found = load()
    assert (difference := differs(found, value)) is None, difference
    assert not shared(found, value), "memory is shared with the producer"
    other = load()
    assert not shared(found, other), "memory is shared between two consumers"
    for memory in memories(other):
        scribble(memory)
    assert differs(value, before) is None, "a consumer's write reached the producer"
    assert differs(found, before) is None, "a consumer's write reached another consumer"
    assert differs(load(), before) is None, "a consumer's write reached the store"
    assert contents(values) == files, "a consumer's write reached a file"
    return found


def twin(value: Any) -> Any:
    """An equal value of its own memory, whose arrays lie in the same order."""
    known: dict[int, Any] = {}
    for leaf in leaves(value):
        if isinstance(leaf, memoryview):
            copied = memoryview(np.array(leaf)) if leaf.nbytes else memoryview(bytearray())
            known[id(leaf)] = copied.toreadonly() if leaf.readonly else copied
        elif type(leaf) is np.ndarray and leaf.itemsize and not leaf.dtype.hasobject:
            backwards = [axis for axis, stride in enumerate(leaf.strides) if stride < 0]
            # What has gaps is stored in C order, whatever order the gaps leave to see.
            order: Any = "K" if leaf.flags.forc or dense(leaf) is not None else "C"
            items = np.flip(leaf.view(f"V{leaf.itemsize}"), backwards).copy(order=order)
            known[id(leaf)] = np.asarray(np.flip(items, backwards)).view(leaf.dtype)
            known[id(leaf)].flags.writeable = leaf.flags.writeable
    return copy.deepcopy(value, known)


def contents(values: Values) -> dict[str, bytes]:
    """Every object in the store."""
    folder = Path(values.store.path, "objects")
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def differs(one: Any, other: Any, path: str = "it") -> str | None:
    """Where two values differ, to the last bit and the last type."""
    if type(one) is not type(other):
        return f"{path}: {type(one)} and {type(other)}"
    if isinstance(one, np.ma.MaskedArray):
        one, other = (one.data, np.ma.getmaskarray(one)), (other.data, np.ma.getmaskarray(other))
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        same = same and one.dtype.metadata == other.dtype.metadata
        if not (same and one.dtype.hasobject):
            return None if same and raw(one) == raw(other) else f"{path}: {one!r} and {other!r}"
        one, other = one.tolist(), other.tolist()
    if isinstance(one, pd.DataFrame):
        return None if one.equals(other) else f"{path}: {one} and {other}"
    if isinstance(one, array.array):
        return None if bytes(one) == bytes(other) else f"{path}: {one} and {other}"
    if isinstance(one, memoryview):
        looks = [(each.format, each.shape, each.readonly, each.tobytes()) for each in (one, other)]
        return None if looks[0] == looks[1] else f"{path}: {looks}"
    if (pairs := parts(one)) is one:
        return None if repr(one) == repr(other) else f"{path}: {one!r} and {other!r}"
    others = parts(other)
    if [name for name, _ in pairs] != [name for name, _ in others]:
        return f"{path}: {pairs} and {others}"
    each = (differs(a, b, f"{path}{name}") for (name, a), (_, b) in zip(pairs, others, strict=True))
    return next(filter(None, each), None)


def parts(value: Any) -> Any:
    """What a value is made of, with names; the value itself if it is not made of anything."""
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"[{number}]", item) for number, item in enumerate(value)]
    if isinstance(value, np.random.RandomState):
        return parts(value.get_state(legacy=False))
    if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        return [(f".{name}", item) for name, item in vars(value).items()]
    return value


def leaves(value: Any) -> Iterator[Any]:
    """The values inside of a value that are made of nothing else."""
    if isinstance(value, (np.ndarray, pd.DataFrame)) or (found := parts(value)) is value:
        yield value
        return
    for _, item in found:
        yield from leaves(item)


def memories(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    """All memory that belongs to a value, as arrays."""
    for leaf in leaves(value):
        if isinstance(leaf, np.ma.MaskedArray):
            yield from (leaf.data, np.ma.getmaskarray(leaf))
        elif isinstance(leaf, np.ndarray):
            yield np.asarray(leaf)
        elif isinstance(leaf, pd.DataFrame):
            yield from (leaf[name].to_numpy(copy=False) for name in leaf)
        elif isinstance(leaf, (bytes, bytearray, memoryview, array.array)) and len(leaf) > 1:
            yield np.frombuffer(leaf, "u1")


def shared(one: Any, other: Any) -> bool:
    """Whether two values have a byte in common."""
    others = list(memories(other))
    return any(np.may_share_memory(mine, each) for mine in memories(one) for each in others)


def scribble(memory: np.ndarray[Any, Any]) -> None:
    """Change every bit that may be changed."""
    if memory.flags.writeable and memory.nbytes and not memory.dtype.hasobject:
        items = memory.view(f"V{memory.itemsize}")
        turned = np.frombuffer(items.flat[0].tobytes(), "u1") ^ 255
        items[...] = turned.view(items.dtype)[0]


def raw(items: np.ndarray[Any, Any]) -> bytes:
    """The items with what lies between their fields."""
    plain = np.asarray(items)
    return plain.view(f"V{plain.itemsize}").tobytes() if plain.itemsize else b""
