"""Making components: the one place where options become a component and references resolve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import (
    BadConfiguration,
    MissingReference,
    PenstockError,
    StackError,
    did_you_mean,
    listed,
    raised_at,
)
from penstock.lazy import lazy
from penstock.model.component import StackComponent
from penstock.model.references import REFERENCE, resolve
from penstock.stack import fitting
from penstock.stack.component import ComponentSpec, is_required, option_fields, spoken
from penstock.stack.fitting import Unfit
from penstock.stack.flavor import Own, find

if TYPE_CHECKING:
    from penstock.stack import describe
else:
    describe = lazy("penstock.stack.describe")  # not needed where there are no options


def make(spec: ComponentSpec, own: Own | None = None, root: Path | None = None) -> StackComponent:
    """The component, with its references resolved here and now; secrets resolve on `reveal()`.

    `${file:…}` is relative to `root`. Raises `BadConfiguration` with every problem at once,
    `MissingReference` if nothing else is wrong.
    """
    cls = _loaded(spec, own)
    problems, values = _values(spec, cls, root)
    if problems:
        raise together(problems, f"The {_who(spec)}")
    return _constructed(spec, cls, values)


def check(spec: ComponentSpec, own: Own | None = None) -> None:
    """Raise what `make` would, but resolve nothing: what a reference leads to is not looked at."""
    cls = _loaded(spec, own)
    later = frozenset(_unresolved(spec, cls))
    problems, values = _values(spec, cls, None, later)
    if problems:
        raise together(problems, f"The {_who(spec)}")
    if not later:
        _constructed(spec, cls, values)


def together(problems: Sequence[StackError], what: str) -> StackError:
    """One error for all of them."""
    if len(problems) == 1:
        return problems[0]
    same = all(isinstance(problem, MissingReference) for problem in problems)
    lines = [str(problem).replace("\n", "\n    ") for problem in problems]
    head = f"{what} has {len(lines)} problems:"
    error = (MissingReference if same else BadConfiguration)("\n  ".join([head, *lines]))
    error.problems = tuple(problems)
    return error


def resolved(component: StackComponent) -> StackComponent:
    """A component that was given in code, with the references in its texts resolved.

    Raises `MissingReference`.
    """
    texts = {
        option: resolve(value)
        for option, value in component.options().items()
        if isinstance(value, str) and "$" in value
    }
    return replace(component, **texts) if texts else component


def _loaded(spec: ComponentSpec, own: Own | None) -> type[StackComponent]:
    flavor = find(spec.category, spec.flavor, own, where=spec.where)
    try:
        return flavor.load()
    except BadConfiguration as error:  # who has brought it in is what its user can change
        raise BadConfiguration(f"{spec.where}: {error.message}", hint=error.hint) from error


def _values(
    spec: ComponentSpec,
    cls: type[StackComponent],
    root: Path | None,
    later: AbstractSet[str] = frozenset(),
) -> tuple[list[StackError], dict[str, Any]]:
    """What is wrong with the options but those that come `later`, and what they are."""
    problems: list[StackError] = list(_names(spec, cls))
    values: dict[str, Any] = {}
    if spec.options:
        hints = describe.type_hints(cls)
        for item in option_fields(cls):
            if wrong := fitting.misspelt_in(spec.options.get(item.name)):
                problems.append(_problem(spec, item.name, Unfit(wrong)))
            elif item.name in spec.options and item.name not in later:
                written, hint = spec.options[item.name], hints[item.name]
                try:
                    values[item.name] = fitting.value(written, hint, root)
                except (Unfit, MissingReference) as error:
                    problems.append(_problem(spec, item.name, error))
    return problems, values


def _constructed(
    spec: ComponentSpec, cls: type[StackComponent], values: Mapping[str, Any]
) -> StackComponent:
    try:
        return cls(name=spec.name, **values)
    except (PenstockError, TypeError, ValueError) as error:  # the class's own checks
        raise BadConfiguration(f"{spec.where}: {error}") from error
    except Exception as error:
        raise BadConfiguration(
            f"{spec.where}: {_who(spec)} cannot be made: {type(error).__name__}: {error} "
            f"({raised_at(error)})"
        ) from error


def _unresolved(spec: ComponentSpec, cls: type[StackComponent]) -> Iterator[str]:
    """Options that cannot be known before a reference in them is resolved."""
    if not spec.options:
        return
    hints = describe.type_hints(cls)
    for option, value in spec.options.items():
        if option in hints and not describe.holds_secret(hints[option]) and _refers(value):
            yield option


def _refers(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_refers, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_refers, value))
    return isinstance(value, str) and REFERENCE.search(value) is not None


def _names(spec: ComponentSpec, cls: type[StackComponent]) -> Iterator[StackError]:
    known = [item.name for item in option_fields(cls)]
    for option in spec.options:
        if option not in known:
            rest = _called(option, cls) or did_you_mean(option, known)
            rest = rest or f"Options: {listed(known)}."
            yield _problem(spec, option, Unfit(f"there is no such option. {rest}"))
    for item in option_fields(cls):
        if is_required(item) and item.name not in spec.options:
            yield BadConfiguration(f"{spec.where}: {_who(spec)} needs the option {item.name!r}.")


def _called(option: str, cls: type[StackComponent]) -> str:
    """What another tool's option is here."""
    return f"Here that is {cls.foreign[option]}." if option in cls.foreign else ""


def _problem(spec: ComponentSpec, option: str, error: Unfit | MissingReference) -> StackError:
    where = f"{spec.at.get(option, spec.where)}: {_who(spec)}, option {option!r}"
    if isinstance(error, MissingReference):
        return MissingReference(f"{where}: {error.message}", hint=error.hint)
    return BadConfiguration(f"{where}: {error}")


def _who(spec: ComponentSpec) -> str:
    return f"{spoken(spec.category)} {spec.name!r}"
