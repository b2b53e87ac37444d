"""Options of components as they may be shown to anybody: with secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.errors import StackError
from penstock.model import credentials
from penstock.model.component import REFERENCE
from penstock.stack import describe
from penstock.stack.component import ComponentSpec
from penstock.stack.flavor import Own, find


def masked(spec: ComponentSpec, own: Own | None = None) -> dict[str, Any]:
    """What `Secret` is declared for is masked unless it is a reference; where the flavor cannot be
    loaded, what is named as a secret would be."""
    try:
        hints = describe.type_hints(find(spec.category, spec.flavor, own).load())
    except StackError:
        secret = {option for option in spec.options if credentials.is_name(option)}
    else:
        secret = {option for option, hint in hints.items() if describe.holds_secret(hint)}
    return {
        option: _hidden(value) if option in secret else _shown(value)
        for option, value in spec.options.items()
    }


def _shown(value: Any) -> Any:
    """What no option for secrets holds may have some in it nevertheless."""
    if isinstance(value, Mapping):
        return {
            key: _hidden(item) if credentials.is_name(str(key)) else _shown(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return credentials.hidden(value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    return value if isinstance(value, str) and REFERENCE.fullmatch(value) else credentials.MASK
