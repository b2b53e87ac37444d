"""Inside of settings: what there is in the small things that they consist of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, get_args, get_origin, get_type_hints

from penstock.errors import did_you_mean, listed
from penstock_kubeflow.foreign import IMPOSSIBLE, INSIDE, snake
from penstock_kubeflow.parts import Claim, EmptyDir, Ephemeral, Files, Key
from penstock_kubeflow.settings import Settings

_SHORT: Final[Mapping[object, str]] = {
    Key: "as text: 'NAME/KEY'",
    Files: "as text: 'NAME'",
    Claim: "as text: 'NAME' or 'NAME/FOLDER'",
    EmptyDir: "as text: its size, '20Gi'",
    Ephemeral: "as text: its size, '500Gi'",
}


def hint_at(path: Sequence[Any]) -> Any:
    """The type of what stands there. Names of pydantic's own in the path lead nowhere."""
    hint: Any = Settings
    for each in path:
        known = _class(hint)
        kind, parts = get_origin(_some(hint)), get_args(_some(hint))
        if kind is not None and isinstance(kind, type) and issubclass(kind, Mapping):
            hint = parts[1]
        elif isinstance(each, int) and kind is not None and parts:
            hint = parts[0]
        elif known is not None and each in _hints(known):
            hint = _hints(known)[each]
    return hint


def unknown(path: Sequence[Any]) -> str:
    """What is said of a word that there is not at the end of this path."""
    name, known = str(path[-1]), _class(hint_at(path[:-1]))
    said = f"there is no {name!r} in it."
    if known is None:
        return said
    there = [item.name for item in fields(known)]
    if (ours := INSIDE.get(snake(name), snake(name))) in there:
        return f"{said} Here that is {ours!r}."
    if snake(name) in IMPOSSIBLE:
        return f"{said} {IMPOSSIBLE[snake(name)]}."
    short = f", or {_SHORT[known]}" if known in _SHORT else ""
    return f"{said} {did_you_mean(snake(name), there) or f'There are {listed(there)}{short}.'}"


def _some(hint: Any) -> Any:
    """Without the nothing that may be there as well."""
    rest = [part for part in get_args(hint) if part is not type(None)]
    return rest[0] if type(None) in get_args(hint) and len(rest) == 1 else hint


def _class(hint: Any) -> Any:
    if is_dataclass(hint):
        return hint
    return next(filter(None, map(_class, get_args(hint))), None)


@cache
def _hints(of: type) -> Mapping[str, Any]:
    return {name: hint for name, hint in get_type_hints(of).items() if name[0] != "_"}
