"""What a penstock.yaml says, as plain data: names and options, nothing imported or resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from penstock.stack.component import ComponentSpec
from penstock.stack.flavor import Own

SECTIONS: Final = {
    "orchestrators": "orchestrator",
    "artifact_stores": "artifact-store",
    "step_operators": "step-operator",
    "experiment_trackers": "experiment-tracker",
    "model_deployers": "model-deployer",
}
"""Sections of the file that hold components, and their category."""

ONE: Final = {"orchestrator": "orchestrator", "artifact_store": "artifact-store"}
"""Keys of a stack that name one component. All others of `SECTIONS` name a list."""

SEVERAL: Final = {key: name for key, name in SECTIONS.items() if name not in ONE.values()}


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A stack as it is written: the names of its components."""

    name: str
    orchestrator: str = "default"
    artifact_store: str = "default"
    step_operators: tuple[str, ...] = ()
    experiment_trackers: tuple[str, ...] = ()
    model_deployers: tuple[str, ...] = ()
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
        )


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


DEFAULT: Final = "default"

BUILT_IN: Final = Configuration(
    path=None,
    components=tuple(
        ComponentSpec(category, DEFAULT, "local", where="built in") for category in ONE.values()
    ),
    stacks={DEFAULT: StackSpec(DEFAULT)},
)
"""What always exists, without any file."""
