"""Keys: what is different between what two cache keys are made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from penstock.runtime.explaining import leaves
from penstock.runtime.explaining.change import Change
from penstock.runtime.explaining.texts import arrow, short, spoken

_dump: Final = json.JSONEncoder().encode
_dump_sorted: Final = json.JSONEncoder(sort_keys=True).encode

_Words = Callable[[str, str | None, str | None], str]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a cache key is the digest of, read from the text that anybody may have written."""

    code: str
    environment: Mapping[str, str]
    options: Mapping[str, str]
    """`version=`, under that name."""
    variables: Mapping[str, str]
    formats: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: Mapping[str, Any]
    """By path, see `leaves`."""


@lru_cache(maxsize=8)  # one step is compared with several others
def read(text: str) -> Parts:
    """The parts of a key. Raises one of `MALFORMED` for what is none."""
    data = json.loads(text)
    inputs = dict(data["inputs"]).items()
    return Parts(
        str(data["code"]),
        _texts(data["environment"]),
        _texts({"version": data.get("version")}),
        _texts(data.get("cache_env", {})),
        _texts(data.get("formats", {})),
        _texts(data["parameters"]),
        {path: leaf for name, item in inputs for path, leaf in leaves.in_key(name, item)},
    )


def differences(old: Parts, new: Parts) -> Iterator[Change]:
    """What is different; of code only that it is, which `edits` knows better."""
    if old.code != new.code:
        yield Change("code", old=old.code, new=new.code, words="code changed")
    yield from _parameters(old, new)
    yield from _inputs(old, new)
    for name, was, now in _pairs(old.environment, new.environment):
        kind = "python" if name == "python" else "package"
        yield Change(kind, name, was, now, words=_package(name, was, now))
    yield from _different("version", old.options, new.options, _option)
    yield from _different("variable", old.variables, new.variables, _variable)
    yield from _different("format", old.formats, new.formats, _format)


def _different(
    kind: str, old: Mapping[str, str], new: Mapping[str, str], words: _Words
) -> Iterator[Change]:
    for name, was, now in _pairs(old, new):
        yield Change(kind, name, was, now, words=words(name, was, now))


def _parameters(old: Parts, new: Parts) -> Iterator[Change]:
    for name, was, now in _pairs(old.parameters, new.parameters):
        words = arrow(name, spoken(was), spoken(now))
        if now is None and name in new.inputs:
            words = f"{name} was {short(spoken(was))} and is a stored value now"
        if was is None and name in old.inputs:
            words = f"{name} is {short(spoken(now))} now and was a stored value"
        yield Change("parameter", name, was, now, words=words)


def _inputs(old: Parts, new: Parts) -> Iterator[Change]:
    """Inputs that are others; not where the same name is a parameter in one of the keys, which is
    told there."""
    parameters = old.parameters.keys() ^ new.parameters.keys()
    for path, was, now in _pairs(old.inputs, new.inputs):
        if path in parameters:
            continue
        kind = "names" if _only_code(was, now) else "input"
        yield Change(kind, path, _identity(was), _identity(now))


def _only_code(old: Any, new: Any) -> bool:
    """Whether the bytes are the same, and what differs is the project's code that they name."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return False
    return len(old) == len(new) == 3 and old[:2] == new[:2]


def _identity(leaf: Any) -> str | None:
    """What an input is, as text: format and digest of an artifact, else the value."""
    if leaf is None:
        return None
    if isinstance(leaf, list):
        return " ".join(map(str, filter(None, leaf)))
    if isinstance(leaf, dict) and isinstance(leaf.get("value"), str):
        return str(leaf["value"])
    return _dump(leaf)


def _package(name: str, old: str | None, new: str | None) -> str:
    shown = "Python" if name == "python" else name
    if old is None or new is None:
        return f"{shown} {short(new or old)} {'is used now' if old is None else 'is not used now'}"
    return f"{shown} {short(old)} → {short(new)}"


def _option(name: str, old: str | None, new: str | None) -> str:
    return arrow(name, old or "none", new or "none")


def _variable(name: str, old: str | None, new: str | None) -> str:
    return arrow(f"${name}", old or "unset", new or "unset")


def _format(name: str, old: str | None, new: str | None) -> str:
    return arrow(f"format of {name}", old or "by value", new or "by value")


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Names whose values differ, in the new order, then those that are gone."""
    for name in (*new, *(name for name in old if name not in new)):
        if old.get(name) != new.get(name):
            yield name, old.get(name), new.get(name)


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    """Values as text; those that are none are left out."""
    return {
        str(name): item if isinstance(item, str) else _dump_sorted(item)
        for name, item in data.items()
        if item is not None
    }
