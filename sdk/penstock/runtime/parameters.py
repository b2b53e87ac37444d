"""Parameters: what a run was given, as its record says it, and taken from there again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from typing import Any

from penstock.errors import BadArguments
from penstock.model import plain
from penstock.model.records import RunRecord
from penstock.model.refs import StoredValue
from penstock.model.signature import REQUIRED, Signature
from penstock.runtime.cache import LONG
from penstock.runtime.masking import Mask


def written(parameters: Mapping[str, Any], mask: Mask) -> tuple[dict[str, str], tuple[str, ...]]:
    """Each parameter as text, and the names of those that the text only describes."""
    texts, described = {}, []
    for name, value in parameters.items():
        whole, is_whole = _text(value)
        texts[name] = mask.text(whole)
        if not is_whole or texts[name] != whole:
            described.append(name)
    return texts, tuple(described)


def _text(value: Any) -> tuple[str, bool]:
    """Plain data as text, anything else by what it is; and whether the text is all of it."""
    if isinstance(value, StoredValue):
        return str(value), False
    try:
        text, is_whole = plain.encode(value), True
    except plain.NotPlain:
        if not (is_dataclass(value) or hasattr(type(value), "model_fields")):
            return f"a {type(value).__qualname__}", False
        text, is_whole = repr(value), False
    if len(text) < LONG:
        return text, is_whole
    return f"a {type(value).__qualname__} of {len(text):,} characters", False


def again(
    record: RunRecord, signature: Signature, given: Collection[str], pipeline: str
) -> dict[str, Any]:
    """What a run was given, for the parameters that are not `given` now.

    Raises `BadArguments` for one whose value the record does not have.
    """
    found = {}
    for name in (each for each in signature.names if each not in given):
        if (text := record.parameters.get(name)) is None:  # the pipeline had no such parameter
            continue
        is_whole, value = (False, None) if name in record.described else _read(text)
        if is_whole:
            found[name] = value
        elif _text(signature.defaults.get(name, REQUIRED))[0] != text:
            raise BadArguments(
                f"Run {record.run} of {pipeline!r} was given a {name!r} of which its record only "
                f"says: {text} ({signature.where}).",
                hint=f"Give it again, for example .run({name}=…).",
            )
    return found


def _read(text: str) -> tuple[bool, Any]:
    """The value, if the text is one. Records of 0.1.0 do not say which texts are."""
    try:
        return True, plain.decode(text)
    except (ValueError, TypeError, RecursionError):
        return False, None
