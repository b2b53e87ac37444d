"""Words: what code may read of other code though it does nothing: docstrings, notes, source.

They count only where something reads them, but for annotations, which decorators look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

from penstock.runtime.fingerprints import modules, source
from penstock.runtime.fingerprints.unit import DOCSTRINGS, SOURCE, Key, Node

_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


def noted(function: FunctionType) -> str:
    """The annotations that a function has, as text: they may be other ones than its file says."""
    try:
        notes = function.__annotations__
        name = f"{function.__globals__.get('__name__')}."
        found = {key: _noted(note).replace(name, "") for key, note in notes.items()}
        return " ".join(f"{key}:{_of_main(text)}" for key, text in found.items())
    except Exception:  # they may be evaluated only now, and show themselves as they like
        return "unknown"


def _noted(note: object) -> str:
    if isinstance(note, str):
        return repr(note)
    return note.__qualname__ if type(note) is type else _ADDRESS.sub("", repr(note))


def _of_main(text: str) -> str:
    """With what is of the running script under the name by which others import it."""
    return (
        text.replace("__main__.", f"{modules.home('__main__')}.") if "__main__." in text else text
    )


def read(nodes: Mapping[Key, Node]) -> Iterator[str]:
    """What is read of these nodes by one of them: nothing, docstrings, or all of their source."""
    most = max((node.reads for node in nodes.values()), default=0)
    for (kind, name), node in nodes.items() if most else ():
        if most >= DOCSTRINGS:
            yield f"doc {kind} {name}={' '.join(_docstrings(node.thing.target))}"
        if most >= SOURCE or kind in ("source", "beside"):
            lines = source.lines(node.unit.file)[max(node.unit.first - 1, 0) : node.unit.last]
            yield f"text {kind} {name}={''.join(lines)}"


def _docstrings(target: Any) -> Iterable[str]:
    if isinstance(target, FunctionType | type | ModuleType):
        yield repr(getattr(target, "__doc__", None))
    if isinstance(target, type):
        for name, item in sorted(vars(target).items()):
            if isinstance(item, FunctionType | property | staticmethod | classmethod):
                yield f"{name} {item.__doc__!r}"
