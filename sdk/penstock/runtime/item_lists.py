"""Lists whose items are known one by one: how they are stored, and how they are read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from penstock.artifacts.formats import items, registry
from penstock.artifacts.formats.items import ITEMS, SIGNED
from penstock.artifacts.source import Writing, unnoticed
from penstock.artifacts.values import NOTHING, Code, Values
from penstock.digest import digest
from penstock.model import plain
from penstock.model.binding import Binding, Group, Held, Literally
from penstock.model.over import item_hint
from penstock.model.records import Artifact, Part
from penstock.runtime.fingerprints.given import Canonical

JSON: Final = "json/1"

CodeNow = Callable[[Artifact], str]
"""The code that an artifact needs, as it is now."""


class ItemLists:
    """The lists in one store."""

    def __init__(self, values: Values, code_now: CodeNow, canonical: Canonical) -> None:
        self._values = values
        self._code_now = code_now
        self._canonical = canonical

    def saved(self, value: Any, hint: Any, who: str, writing: Writing = unnoticed) -> Artifact:
        """Store what a map goes over. Plain data is one text; of anything else each item is stored
        on its own. What is no list is stored as ever: the map will say that it is none."""
        if type(value) not in (list, tuple):
            return self._values.save(value, hint, who, writing)
        try:
            return self._values.stored(JSON, [plain.encode(value).encode("ascii")])
        except plain.NotPlain:
            return self.stored(self.group(value, hint, who, writing))

    def group(self, value: Any, hint: Any, who: str, writing: Writing = unnoticed) -> Group:
        """The items of a list or tuple: plain data as text, anything else stored."""
        inside = item_hint(hint)
        found = (
            self._item(item, inside, f"{who}, item {place}", writing)
            for place, item in enumerate(value)
        )
        return Group("tuple" if type(value) is tuple else "list", tuple(found))

    def stored(self, group: Group) -> Artifact:
        """An artifact that lists these items."""
        parts: dict[Part, None] = {}
        codes: set[str] = set()
        names: set[str] = set()
        formats: set[str] = set()
        for artifact in items.artifacts(group):
            if artifact.data is None:
                parts[Part(artifact.digest, artifact.size)] = None
            parts.update(dict.fromkeys(artifact.parts))
            names.update(artifact.names)
            codes.add(artifact.code)
            formats.add(artifact.format)
        signed = any(registry.runs_code(each) or registry.is_outside(each) for each in formats)
        return self._values.stored(
            SIGNED if signed else ITEMS, [items.written(group)],
            self._code(codes - {""}, sorted(names)), tuple(parts),
        )  # fmt: skip

    def _item(self, item: Any, hint: Any, who: str, writing: Writing) -> Binding:
        try:
            return Literally(plain.encode(item), plain.canonical(item))
        except plain.NotPlain:
            artifact = self._values.save(item, hint, who, writing)
            return Held(artifact, canonical=self._canonical(item, artifact))

    def _code(self, codes: set[str], names: list[str]) -> Code:
        """That of all items together."""
        if not codes:
            return NOTHING
        then = digest("code of items/1", *sorted(codes))
        return Code(self._code_now(Artifact("", "", 0, then, names=tuple(names))), tuple(names))
