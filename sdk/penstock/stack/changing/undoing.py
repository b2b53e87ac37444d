"""The command lines that bring back what was there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from penstock.errors import StackError
from penstock.model.references import REFERENCE
from penstock.stack import describe
from penstock.stack.categories import name_of
from penstock.stack.changing.spelling import OURS, spelled
from penstock.stack.component import ComponentSpec
from penstock.stack.configuration import ONE, StackSpec
from penstock.stack.flavor import Own, find
from penstock.stack.masked import written_out


def component_registration(spec: ComponentSpec, own: Own, flag: str = "") -> str:
    """What registers a component again, but for secrets that were written out."""
    command = f"penstock {spec.category} register {spec.name} --flavor={spec.flavor}"
    return _typed(command, _shown(spec, own), _hints(spec, own), flag=flag)


def component_update(old: ComponentSpec, new: ComponentSpec, own: Own, flag: str = "") -> str:
    """What makes `new` the `old` component again, but for secrets that were written out; nothing if
    it is but for these."""
    back, unset = _back(old.options, new.options, left_out(old, own))
    command = f"penstock {old.category} update {old.name}"
    return _typed(command, back, _hints(old, own), unset, flag) if back or unset else ""


def stack_registration(spec: StackSpec) -> str:
    """What registers a stack again, but for secrets that were written out."""
    return _line(f"penstock stack register {spec.name}", _words(_entry(spec)))


def stack_update(old: StackSpec, new: StackSpec, flag: str = "") -> str:
    """What makes `new` the `old` stack again; nothing if it is.

    Secrets are given all at once: of a stack where one was written out, no line brings them back.
    """
    back, unset = _back(old.entry(), new.entry(), ["secrets"] if secrets_left_out(old) else [])
    line = _line(f"penstock stack update {old.name}", _words(back), unset)
    return line + flag if back or unset else ""


def secrets_not_brought_back(old: StackSpec, new: StackSpec) -> tuple[str, ...]:
    """Those that were changed, and that the line of `stack_update` leaves as they are."""
    names = dict.fromkeys((*old.secrets, *new.secrets)) if secrets_left_out(old) else ()
    return tuple(name for name in names if old.secrets.get(name) != new.secrets.get(name))


def left_out(spec: ComponentSpec, own: Own) -> tuple[str, ...]:
    """Options that no line shows, because a secret was written out in them."""
    return written_out(spec, own)


def secrets_left_out(spec: StackSpec) -> tuple[str, ...]:
    """Secrets of a stack that no line shows, because they were written out."""
    return tuple(name for name, text in spec.secrets.items() if not REFERENCE.fullmatch(text))


def _shown(spec: ComponentSpec, own: Own) -> dict[str, Any]:
    hidden = left_out(spec, own)
    return {option: value for option, value in spec.options.items() if option not in hidden}


def _entry(spec: StackSpec) -> dict[str, Any]:
    hidden = secrets_left_out(spec)
    shown = {name: text for name, text in spec.secrets.items() if name not in hidden}
    return replace(spec, secrets=shown).entry()


def _back(
    old: Mapping[str, Any], new: Mapping[str, Any], hidden: Iterable[str]
) -> tuple[dict[str, Any], list[str]]:
    """What is to be set, and what is to be taken away; nothing of what is `hidden`."""
    changed = [key for key in old if key not in new or new[key] != old[key]]
    back = {key: old[key] for key in changed if key not in hidden}
    return back, [key for key in new if key not in old]


def _typed(
    command: str,
    options: Mapping[str, Any],
    hints: Mapping[str, Any] | None,
    unset: Iterable[str] = (),
    flag: str = "",
) -> str:
    """A command with options of a flavor. Those that are called as ours come behind all others."""
    theirs = {name: value for name, value in options.items() if name not in OURS}
    line = _line(command, [spelled(theirs, hints)], unset) + flag
    rest = {name: value for name, value in options.items() if name in OURS}
    return f"{line} -- {spelled(rest, hints)}" if rest else line


def _line(command: str, words: Iterable[str], unset: Iterable[str] = ()) -> str:
    return " ".join(filter(None, [command, *words, *(f"--unset={key}" for key in unset)]))


def _words(entry: Mapping[str, Any]) -> Iterator[str]:
    """Each component of a stack as an option of its category."""
    for key, value in entry.items():
        if key in ONE:
            yield f"--{ONE[key]}={value}"
        elif isinstance(value, Mapping):
            yield spelled({key: value})
        else:
            yield from (f"--{name_of(key)}={name}" for name in value)


def _hints(spec: ComponentSpec, own: Own) -> Mapping[str, Any] | None:
    """The types of its options, where the flavor can tell; a line is given without them, too."""
    if not spec.options:
        return None
    try:
        return describe.type_hints(find(spec.category, spec.flavor, own).load())
    except StackError:
        return None
