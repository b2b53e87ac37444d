"""Flavors: the implementations that there are. Looking one up imports nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from penstock.artifacts.store import ArtifactStore
from penstock.errors import (
    BadConfiguration,
    MissingExtra,
    PenstockError,
    UnknownFlavor,
    did_you_mean,
    listed,
)
from penstock.lazy import lazy
from penstock.model.component import CATEGORIES, StackComponent
from penstock.stack.component import spoken
from penstock.stack.orchestrator import Orchestrator
from penstock.stack.step_operator import StepOperator

if TYPE_CHECKING:
    from penstock.stack import install
else:
    install = lazy("penstock.stack.install")  # only for a message

Own = Mapping[str, Mapping[str, str]]
"""A project's own flavors, from `flavors:` in penstock.yaml: category → name → `module:Class`."""

BUILT_IN: Final[Own] = {
    "orchestrator": {"local": "penstock.orchestrators.local:LocalOrchestrator"},
    "artifact-store": {"local": "penstock.artifacts.local:LocalArtifactStore"},
}

GROUPS: Final = {name: f"penstock.{name.replace('-', '_')}s" for name in CATEGORIES}
"""The entry point group of each category."""

PORTS: Final[Mapping[str, type[StackComponent]]] = {
    "orchestrator": Orchestrator,
    "artifact-store": ArtifactStore,
    "step-operator": StepOperator,
}


@dataclass(frozen=True, slots=True)
class Flavor:
    """One implementation, by name. Its library may well be missing."""

    category: str
    name: str
    target: str
    """`module:Class`."""
    package: str | None = None
    """The distribution that brings it; None for a project's own."""
    extras: tuple[str, ...] = ()
    """Extras of `package` that it needs."""

    def load(self) -> type[StackComponent]:
        """The class. Raises `MissingExtra` or `BadConfiguration`."""
        module, _, name = self.target.partition(":")
        try:
            loaded = import_module(module)
        except ModuleNotFoundError as error:
            raise self._missing(module, error) from error
        except PenstockError:
            raise
        except Exception as error:  # whatever a stranger's module does when it is imported
            raise BadConfiguration(
                f"{self}: importing {module!r} failed: {type(error).__name__}: {error}"
            ) from error
        return self._checked(getattr(loaded, name, None))

    def __str__(self) -> str:
        return f"The {spoken(self.category)} flavor {self.name!r}"

    def _missing(self, module: str, error: ModuleNotFoundError) -> PenstockError:
        missing = error.name or str(error)
        if self.package is None and f"{module}.".startswith(f"{missing}."):
            return BadConfiguration(
                f"{self} is {self.target!r}, and there is no module {missing!r}.",
                hint="Modules are looked for where Python looks: PYTHONPATH=. adds this folder.",
            )
        return MissingExtra(
            f"{self} needs the library {missing!r}, which is not installed.",
            hint=install.command(self.package, *self.extras) if self.package else None,
        )

    def _checked(self, found: object) -> type[StackComponent]:
        port = PORTS.get(self.category, StackComponent)
        if not (isinstance(found, type) and issubclass(found, port)):
            raise BadConfiguration(f"{self} is {self.target!r}, which is no {port.__name__}.")
        for attribute, wanted in (("category", self.category), ("flavor", self.name)):
            if (own := getattr(found, attribute, None)) != wanted:
                raise BadConfiguration(
                    f"{self} is {self.target!r}, whose {attribute} is {own!r}.",
                    hint=f"Write there: {attribute}: ClassVar[str] = {wanted!r}",
                )
        return found


def find(category: str, name: str, own: Own | None = None, *, where: str = "") -> Flavor:
    """Look a flavor up; `where` asks for it. Raises `UnknownFlavor`."""
    if target := BUILT_IN.get(category, {}).get(name):
        return Flavor(category, name, target, "penstock")
    if target := (own or {}).get(category, {}).get(name):
        return Flavor(category, name, target)
    known = {flavor.name: flavor for flavor in flavors(category, own)}
    if name not in known:
        raise UnknownFlavor(
            f"{where + ': ' if where else ''}No {spoken(category)} flavor named {name!r}. "
            f"Installed: {listed(known)}.",
            hint=did_you_mean(name, known),
        )
    return known[name]


def flavors(category: str, own: Own | None = None) -> tuple[Flavor, ...]:
    """All of a category: the built-in ones, the project's own, the installed ones."""
    found = {
        name: Flavor(category, name, target, "penstock")
        for name, target in BUILT_IN.get(category, {}).items()
    }
    for name, target in (own or {}).get(category, {}).items():
        found.setdefault(name, Flavor(category, name, target))
    for flavor in _installed(category):
        found.setdefault(flavor.name, flavor)
    return tuple(found.values())


def _installed(category: str) -> list[Flavor]:
    from importlib.metadata import entry_points  # 46 ms; the local stack never comes here

    found = [
        Flavor(category, entry.name, entry.value.partition("[")[0].strip(),
               entry.dist.name if entry.dist else None, tuple(entry.extras))
        for entry in entry_points(group=GROUPS[category])
    ]  # fmt: skip
    return sorted(found, key=lambda flavor: (flavor.name, flavor.package or ""))
