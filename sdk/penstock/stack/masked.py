"""Options of components as they may be shown to anybody: with secrets masked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from penstock.errors import StackError
from penstock.model import credentials
from penstock.model.references import REFERENCE
from penstock.stack import describe
from penstock.stack.component import ComponentSpec
from penstock.stack.flavor import Own, find


def masked(spec: ComponentSpec, own: Own | None = None) -> dict[str, Any]:
    """What `Secret` is declared for is masked unless it is a reference; where the flavor cannot be
    loaded, what is named as a secret would be."""
    secret, public = _secret(spec, own), _public(spec, own)
    return {
        option: _hidden(value) if option in secret else _shown(value, by_name=option not in public)
        for option, value in spec.options.items()
    }


def written_out(spec: ComponentSpec, own: Own | None = None) -> tuple[str, ...]:
    """Options in which a secret stands itself, where a reference would do."""
    if not spec.options:
        return ()
    secret, public = _secret(spec, own), _public(spec, own)
    return tuple(
        option
        for option, value in spec.options.items()
        if (
            _is_literal(value)
            if option in secret
            else _gives_away(value, by_name=option not in public)
        )
    )


def _secret(spec: ComponentSpec, own: Own | None) -> set[str]:
    """The options that are for secrets."""
    try:
        hints = describe.type_hints(find(spec.category, spec.flavor, own).load())
    except StackError:
        return {option for option in spec.options if credentials.is_name(option)}
    return {option for option, hint in hints.items() if describe.holds_secret(hint)}


def _public(spec: ComponentSpec, own: Own | None) -> Collection[str]:
    """The options in which nothing is a secret for its name."""
    try:
        return find(spec.category, spec.flavor, own).load().public
    except StackError:
        return ()


def _shown(value: Any, *, by_name: bool) -> Any:
    """What no option for secrets holds may have some in it nevertheless."""
    if isinstance(value, Mapping):
        return {
            key: _hidden(item)
            if by_name and credentials.is_name(str(key))
            else _shown(item, by_name=by_name)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(item, by_name=by_name) for item in value]
    return credentials.hidden(value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if isinstance(value, str) and REFERENCE.fullmatch(value) else credentials.MASK


def _is_literal(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_literal, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_literal, value))
    return isinstance(value, str) and value != "" and not REFERENCE.fullmatch(value)


def _gives_away(value: Any, *, by_name: bool) -> bool:
    """Whether a text in it lets somebody in, by its own looks or by what it is called."""
    if isinstance(value, Mapping):
        return any(
            not REFERENCE.search(item)
            if by_name and isinstance(item, str) and credentials.is_name(str(key))
            else _gives_away(item, by_name=by_name)
            for key, item in value.items()
        )
    if isinstance(value, list | tuple):
        return any(_gives_away(item, by_name=by_name) for item in value)
    return isinstance(value, str) and credentials.hidden(value) != value
