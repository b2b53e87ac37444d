"""What exactly cannot be pickled: the path to it, as one would write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from inspect import getclosurevars
from types import FunctionType
from typing import Any, Final

DEEPEST: Final = 20


def complaint(value: Any, takes: Callable[[Any], bool], error: Exception) -> tuple[str, str]:
    """Message and hint for a value that no format takes. `takes` says what can be pickled."""
    kind = type(value)
    hint = "Return data instead of it."
    if kind.__module__ != "builtins":
        hint = (
            "Return data instead of it, or write a class with "
            f"@materializer({kind.__qualname__}) that says how it is stored."
        )
    if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
        return (
            f"No format takes this value of type {_shown(kind)!r}: it is nested too deeply.",
            hint,
        )
    path, culprit = _culprit(value, takes)
    own = _refusal(culprit)
    if path:
        message = (
            f"No format takes this value of type {_shown(kind)!r}: {kind.__qualname__}{path} is of "
            f"type {_shown(type(culprit))!r}, which cannot be pickled{own and f': {own}'}."
        )
    else:
        message = f"No format takes a value of type {_shown(kind)!r}: {own or error}."
    return message, hint


def _shown(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _refusal(value: Any) -> str:
    """What the value's own class says against it; nothing if that is only Python's refusal."""
    if isinstance(value, type):
        return ""
    try:
        value.__reduce_ex__(5)
    except Exception as error:  # a class may refuse with any error
        usual = type(error) is TypeError and str(error).startswith("cannot pickle ")
        return "" if usual else f"{type(error).__qualname__}: {error}"
    return ""


def _culprit(value: Any, takes: Callable[[Any], bool]) -> tuple[str, Any]:
    """The innermost part that is refused, and how to get there."""
    path, seen = "", {id(value): value}  # kept, or another could get its id
    while len(seen) < DEEPEST:
        for step, inner in _inside(value):
            if id(inner) not in seen and not takes(inner):
                path, value = path + step, inner
                seen[id(inner)] = inner
                break
        else:
            break
    return path, value


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts that pickle would go on to."""
    if isinstance(value, dict):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from (("{…}", item) for item in value)
    elif isinstance(value, BaseException):
        yield from ((f".args[{index}]", item) for index, item in enumerate(value.args))
    elif isinstance(value, FunctionType):
        yield from _closure(value)
    else:
        yield from _elements(value)
    yield from ((f".{name}", item) for name, item in _state(value).items())


def _closure(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """What a function uses, named as by `inspect.getclosurevars`."""
    with suppress(ValueError):  # a variable has no value yet
        used = getclosurevars(function)
        yield from ((f".nonlocals[{name!r}]", item) for name, item in used.nonlocals.items())
        yield from ((f".globals[{name!r}]", item) for name, item in used.globals.items())


def _elements(value: Any) -> Iterator[tuple[str, Any]]:
    """The parts of what numpy and pandas define, told by its name: neither is imported."""
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__qualname__}" for kind in type(value).__mro__}
    if "pandas.DataFrame" in kinds:
        # First what each column has, too.
        yield from ((f".{name}", getattr(value, name)) for name in ("attrs", "index", "columns"))
        with suppress(Exception):  # attrs that cannot be copied
            yield from ((f"[{label!r}]", column) for label, column in value.items())
    elif "pandas.Series" in kinds:
        yield from ((f".{name}", getattr(value, name)) for name in ("attrs", "index", "name"))
        if value.dtype.kind == "O":
            yield from ((f".iloc[{index}]", item) for index, item in enumerate(value))
    elif kinds & {"pandas.Index", "numpy.ndarray"} and value.dtype.kind == "O" and value.ndim:
        yield from ((f"[{index}]", item) for index, item in enumerate(value))


def _state(value: Any) -> dict[str, Any]:
    try:
        reduced = value.__reduce_ex__(5)
    except Exception:  # it is refused itself, then, not for a part of it
        return {}
    state = reduced[2] if isinstance(reduced, tuple) and len(reduced) > 2 else None
    found: dict[str, Any] = {}
    for part in state if isinstance(state, tuple) else (state,):
        if isinstance(part, dict):
            found.update((str(name), item) for name, item in part.items())
    return found
