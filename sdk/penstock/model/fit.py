"""Does what is given fit what is wanted? Refused only if surely wrong."""

from __future__ import annotations

import collections.abc as abc
import typing
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, Union

NUMBERS: Final = (bool, int, float, complex)
CLOSED: Final = (*NUMBERS, str, bytes, list, dict, tuple, set, frozenset, NoneType)
"""Classes of which a value is hardly ever something else as well."""

COLLECTIONS: Final = (
    list, tuple, set, frozenset, dict,
    abc.Sequence, abc.MutableSequence, abc.Iterable, abc.Collection, abc.Set, abc.Mapping,
    abc.MutableMapping,
)  # fmt: skip
"""Generic classes whose arguments are the types of what is inside."""


def surely_wrong(given: Any, wanted: Any) -> bool:
    """Whether no value of type `given` can be meant where `wanted` is asked for."""
    try:
        return _remembered(given, wanted)
    except TypeError:  # an annotation that cannot be hashed
        return _wrong(given, wanted)


def hints_inside(kind: type[Any], length: int, wanted: Any) -> tuple[Any, ...]:
    """The type of each item of a collection given where `wanted` is asked for, as far as known.

    Of a dict, the types of the values.
    """
    takers = [
        hint for hint in _members(wanted)
        if _class(hint) in COLLECTIONS and issubclass(kind, _class(hint))
    ]  # fmt: skip
    if len(takers) != 1:
        return ()
    inside = typing.get_args(takers[0])
    if _class(takers[0]) is tuple and Ellipsis not in inside:
        return inside
    of_item = inside[1:] if kind is dict else inside[:1]
    return of_item * length


def shown(hint: Any) -> str:
    """A type as it is written in code."""
    if typing.get_origin(hint) is Annotated:
        return shown(typing.get_args(hint)[0])
    if hint is NoneType:
        return "None"
    if isinstance(hint, type) and not typing.get_args(hint):
        return hint.__qualname__
    return str(hint).replace("typing.", "")


def _wrong(given: Any, wanted: Any) -> bool:
    givens, wanteds = _members(given), _members(wanted)
    return bool(givens and wanteds) and all(
        _wrong_pair(one, other) for one in givens for other in wanteds
    )


_remembered = lru_cache(maxsize=4096)(_wrong)


def _members(hint: Any) -> list[Any]:
    """The alternatives of a type; empty if nothing is known of it."""
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _members(typing.get_args(hint)[0])
    if origin is Union or origin is UnionType:
        parts = [_members(item) for item in typing.get_args(hint)]
        return [item for part in parts for item in part] if all(parts) else []
    if origin is Literal:
        return [type(item) for item in typing.get_args(hint)]
    if isinstance(hint, NewType):
        return _members(hint.__supertype__)
    if hint is None:
        return [NoneType]
    # Any is a class since Python 3.11, but says as little as object does.
    if hint is Any or hint is object or not isinstance(origin or hint, type):
        return []
    return [hint]


def _wrong_pair(given: Any, wanted: Any) -> bool:
    have, want = _class(given), _class(wanted)
    if have in NUMBERS and want in NUMBERS:
        return NUMBERS.index(have) > NUMBERS.index(want)
    if want in NUMBERS and _counts_as(have, want):
        return False
    if not _related(have, want):
        return not _open(want) or have in CLOSED
    if have in COLLECTIONS and want in COLLECTIONS:
        return _wrong_inside(have, typing.get_args(given), want, typing.get_args(wanted))
    return False


def _counts_as(have: type[Any], want: type[Any]) -> bool:
    """Whether a class that is no number of Python's can stand for one: numpy's scalars and kin."""
    if want is bool:
        return have.__name__ in ("bool", "bool_")
    return hasattr(have, "__index__" if want is int else "__float__")


def _class(hint: Any) -> type[Any]:
    """The class behind a type; a TypedDict is a dict."""
    found = typing.get_origin(hint) or hint
    return dict if typing.is_typeddict(found) else found


def _related(have: type[Any], want: type[Any]) -> bool:
    try:
        return issubclass(have, want) or issubclass(want, have)
    except TypeError:  # a protocol that cannot be asked at run time
        return True


def _open(want: type[Any]) -> bool:
    """Whether classes that know nothing of `want` may still fit: protocols and abstract classes."""
    return getattr(want, "_is_protocol", False) or bool(getattr(want, "__abstractmethods__", ()))


def _wrong_inside(
    have: type[Any], given: tuple[Any, ...], want: type[Any], wanted: tuple[Any, ...]
) -> bool:
    if not given or not wanted or (have is tuple) != (want is tuple):
        return False
    if have is tuple:
        if Ellipsis in given or Ellipsis in wanted:
            return surely_wrong(given[0], wanted[0])
        return len(given) != len(wanted) or any(map(surely_wrong, given, wanted))
    return len(given) == len(wanted) and any(map(surely_wrong, given, wanted))
