"""What exactly cannot be pickled: the path to it, as one would write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

DEEPEST: Final = 20


def complaint(value: Any, takes: Callable[[Any], bool], error: Exception) -> tuple[str, str]:
    """Message and hint for a value that no format takes. `takes` says what can be pickled."""
    kind = type(value)
    path, culprit = _culprit(value, takes)
    if path:
        message = (
            f"No format takes this value of type {_shown(kind)!r}: {kind.__qualname__}{path} is of "
            f"type {_shown(type(culprit))!r}, which cannot be pickled."
        )
    else:
        message = f"No format takes a value of type {_shown(kind)!r}: {error}."
    hint = (
        "Return data instead of it, or write a class with "
        f"@materializer({kind.__qualname__}) that says how it is stored."
    )
    return message, hint


def _shown(kind: type) -> str:
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _culprit(value: Any, takes: Callable[[Any], bool]) -> tuple[str, Any]:
    """The innermost part that is refused, and how to get there."""
    path, seen = "", {id(value)}
    while len(seen) < DEEPEST:
        for step, inner in _inside(value):
            if id(inner) not in seen and not takes(inner):
                path, value = path + step, inner
                seen.add(id(inner))
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
    yield from ((f".{name}", item) for name, item in _state(value).items())


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
