"""Awaited: modules that a fingerprint has seen as files before anybody loaded them.

What a step imports while it runs is loaded from then on. It counts by its file as before, though
nobody can tell from the file what the values are that were computed meanwhile: else a step would
run again only because it has run.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from penstock.runtime.fingerprints import agreement, modules


@dataclass(slots=True)
class _Awaited:
    text: str
    """The digest of the file."""
    space: dict[str, object] | None = None
    """What was in the module when it was first seen loaded."""


_awaited: dict[str, _Awaited] = {}


def note(path: str, text: str) -> None:
    """Note that the module of this file is not loaded yet, and what stands for its text."""
    _awaited[path] = _Awaited(text)


def has_come(module: ModuleType, path: str, text: str) -> bool:
    """Whether a module was loaded from a file that had this text, and is now as it was then."""
    known = _awaited.get(path)
    if known is None or known.text != text or agreement.is_outdated(module, path):
        return False
    now = {
        name: item
        for name, item in vars(module).items()
        if name not in modules.PYTHONS_OWN and not isinstance(item, ModuleType)
    }
    if known.space is None:
        known.space = now
    return now.keys() == known.space.keys() and all(
        item is known.space[name] for name, item in now.items()
    )
