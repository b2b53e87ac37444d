"""What a penstock.yaml says, as plain data: names and options, nothing imported or resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from penstock.stack import categories
from penstock.stack.component import ComponentSpec
from penstock.stack.flavor import Own

SECTIONS: Final = {each.section: each.name for each in categories.KNOWN.values()}
"""Sections of the file that hold components, and their category; packages may bring more."""

ONE: Final = {each.key: each.name for each in categories.KNOWN.values() if each.one}
"""Keys of a stack that name one component. All others name a list."""

SEVERAL: Final = {each.key: each.name for each in categories.KNOWN.values() if not each.one}


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A stack as it is written: the names of its components."""

    name: str
    orchestrator: str = "default"
    artifact_store: str = "default"
    step_operators: tuple[str, ...] = ()
    experiment_trackers: tuple[str, ...] = ()
    model_deployers: tuple[str, ...] = ()
    more: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Those of categories that packages bring: category → names."""
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Options of steps on this stack, as plain data."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """As they are written: references, or the secrets themselves."""
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each secret is written."""
    where: str = field(default="built in", compare=False)
    """Who wrote it, for example `penstock.yaml:9:3`."""

    def names(self) -> tuple[tuple[str, str], ...]:
        """Category and name of each component."""
        return (
            *((category, getattr(self, key)) for key, category in ONE.items()),
            *((category, name) for key, category in SEVERAL.items() for name in getattr(self, key)),
            *((category, name) for category, names in self.more.items() for name in names),
        )

    def entry(self) -> dict[str, Any]:
        """What stands below its name in a file; what is empty is left out."""
        rest: dict[str, Any] = {key: list(getattr(self, key)) for key in SEVERAL}
        rest |= {categories.section_of(name): list(names) for name, names in self.more.items()}
        rest |= {"steps": self.steps, "secrets": self.secrets}
        return {key: getattr(self, key) for key in ONE} | {
            key: value for key, value in rest.items() if value
        }


@dataclass(frozen=True, slots=True)
class Configuration:
    """One file, read and checked."""

    path: Path | None
    """None for what is built in."""
    active: str | None = None
    active_where: str = ""
    """Where `active:` stands, for example `penstock.yaml:1`."""
    components: tuple[ComponentSpec, ...] = ()
    stacks: Mapping[str, StackSpec] = field(default_factory=dict)
    flavors: Own = field(default_factory=dict)
    remarks: tuple[str, ...] = field(default=(), compare=False)
    """What may be wrong, though it need not be: a sentence each, with its place."""


DEFAULT: Final = "default"

BUILT_IN: Final = Configuration(
    path=None,
    components=tuple(
        ComponentSpec(category, DEFAULT, "local", where="built in") for category in ONE.values()
    ),
    stacks={DEFAULT: StackSpec(DEFAULT)},
)
"""What always exists, without any file."""
