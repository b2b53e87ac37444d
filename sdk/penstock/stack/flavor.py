"""Flavors: the implementations that there are. Looking one up imports nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final

from penstock.errors import (
    BadConfiguration,
    MissingExtra,
    NameTaken,
    PenstockError,
    UnknownFlavor,
    did_you_mean,
    listed,
    raised_at,
)
from penstock.lazy import lazy
from penstock.model.component import StackComponent
from penstock.stack.categories import KNOWN, name_of
from penstock.stack.component import a, spoken
from penstock.stack.installed import offers
from penstock.stack.project import Project

if TYPE_CHECKING:
    from penstock.stack import install, requirements
else:
    install = lazy("penstock.stack.install")  # only for a message
    requirements = lazy("penstock.stack.requirements")  # only for listings

Own = Mapping[str, Mapping[str, str]]
"""A project's own flavors, from `flavors:` in penstock.yaml: category → name → `module:Class`."""

BUILT_IN: Final[Own] = {
    "orchestrator": {"local": "penstock.orchestrators.local:LocalOrchestrator"},
    "artifact-store": {
        "fsspec": "penstock.artifacts.remote:RemoteArtifactStore",
        "local": "penstock.artifacts.local:LocalArtifactStore",
    },
    "step-operator": {
        "subprocess": "penstock.step_operators.subprocess:SubprocessStepOperator",
    },
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
    version: str = field(default="", compare=False)
    """Of `package`, if that is not penstock itself."""

    def load(self) -> type[StackComponent]:
        """The class. Raises `MissingExtra` or `BadConfiguration`."""
        return self._checked(self._imported())

    @property
    def own_name(self) -> str:
        """What its class calls it; one that only inherits a name has none.

        Raises `MissingExtra` or `BadConfiguration`.
        """
        own = getattr(self._imported(), "__dict__", {})
        return str(own.get("flavor", self.name))

    def _imported(self) -> object:
        module, _, name = self.target.partition(":")
        try:
            loaded = self._module(module)
        except ModuleNotFoundError as error:
            raise self._missing(module, error) from error
        except PenstockError:
            raise
        except (Exception, SystemExit) as error:  # whatever a stranger's module does
            raise BadConfiguration(
                f"{self}: importing {module!r} failed: {type(error).__name__}: {error} "
                f"({raised_at(error)})"
            ) from error
        if not hasattr(loaded, name):
            raise BadConfiguration(
                f"{self} is {self.target!r}, and the module {module!r} has no {name!r}.",
                hint=did_you_mean(name, vars(loaded)),
            )
        found: object = getattr(loaded, name)
        return found

    def _module(self, name: str) -> ModuleType:
        """A project's own lies where Python looks, or else in the project's folder: the command
        line would know it from nowhere. Who has been told of the folder once goes on looking there,
        as does every process that this one starts."""
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            folder = str(Project.find().root)
            if self.package is not None or folder in sys.path or not _lacks(name, error):
                raise
            sys.path.append(folder)
            return import_module(name)

    @property
    def missing(self) -> tuple[str, ...]:
        """The distributions that it needs and that are not installed. Nothing is imported."""
        return requirements.missing(self.package, self.extras) if self.package else ()

    @property
    def install(self) -> str:
        """The line that installs what is missing; empty if nothing is."""
        if not self.missing or self.package is None:
            return ""
        return install.command(self.package, *self.extras)

    def __str__(self) -> str:
        return f"The {spoken(self.category)} flavor {self.name!r}{self._origin}"

    @property
    def _origin(self) -> str:
        """Whose it is, if it is not ours and not the project's own."""
        return f" of the package {self.package!r}" if self.package not in (None, "penstock") else ""

    def _missing(self, module: str, error: ModuleNotFoundError) -> PenstockError:
        missing = error.name or str(error)
        if _lacks(module, error):
            own = (
                f"Modules are looked for where Python looks, and in {Project.find().root}; "
                "the variable PYTHONPATH adds folders."
            )
            theirs = f"That is for the makers of {self.package!r} to put right."
            return BadConfiguration(
                f"{self} is {self.target!r}, and there is no module {missing!r}.",
                hint=own if self.package is None else theirs,
            )
        return MissingExtra(
            f"{self} needs the library {missing!r}, which is not installed.",
            hint=install.command(self.package, *self.extras) if self.package else None,
        )

    def _checked(self, found: object) -> type[StackComponent]:
        port = KNOWN[self.category].port if self.category in KNOWN else StackComponent
        if not (isinstance(found, type) and issubclass(found, port)):
            raise BadConfiguration(f"{self} is {self.target!r}, which is no {port.__name__}.")
        for attribute, wanted in (("category", self.category), ("flavor", self.name)):
            if (own := getattr(found, attribute, None)) != wanted:
                raise BadConfiguration(
                    f"{self} is {self.target!r}, whose {attribute} is {own!r}.",
                    hint=f"Write there: {attribute}: ClassVar[str] = {wanted!r}",
                )
        if missing := sorted(getattr(found, "__abstractmethods__", ())):
            raise BadConfiguration(
                f"{self} is {self.target!r}, which lacks what every {port.__name__} has: "
                f"{listed(missing)}."
            )
        if "__dataclass_params__" not in vars(found) and (bare := _bare(found)):
            raise BadConfiguration(
                f"{self} is {self.target!r}, which is no dataclass: {listed(bare)} would be no "
                "option.",
                hint="Write above the class: @dataclass(frozen=True, kw_only=True)",
            )
        return found


def _lacks(module: str, error: ModuleNotFoundError) -> bool:
    """Whether it is the module itself that was not found, or a package that it is in."""
    return f"{module}.".startswith(f"{error.name or error}.")


def find(category: str, name: str, own: Own | None = None, *, where: str = "") -> Flavor:
    """Look a flavor up; `where` asks for it. Raises `UnknownFlavor`."""
    if target := BUILT_IN.get(category, {}).get(name):
        return Flavor(category, name, target, "penstock")
    if target := (own or {}).get(category, {}).get(name):
        return Flavor(category, name, target)
    asked = f"{where}: " if where else ""
    found = {each.target: each for each in _installed(category) if each.name == name}
    if len(found) > 1:
        raise NameTaken(
            f"{asked}Several packages bring {a(category)} flavor named {name!r}: "
            f"{', '.join(f'{each.target} of {each.package!r}' for each in found.values())}.",
            hint="Say in penstock.yaml which one is meant: "
            f'flavors: {{{category}: {{{name}: "{next(iter(found))}"}}}}',
        )
    if not found:
        known = [flavor.name for flavor in flavors(category, own)]
        raise UnknownFlavor(
            f"{asked}No {spoken(category)} flavor named {name!r}. Installed: {listed(known)}.",
            hint=did_you_mean(name, known) or "Install the package that brings it.",
        )
    return next(iter(found.values()))


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
    return [
        Flavor(category, offer.name, offer.target, offer.package, offer.extras, offer.version)
        for offer in offers()
        if name_of(offer.section) == category
    ]


def _bare(cls: type[StackComponent]) -> list[str]:
    """What looks like an option in a class that is no dataclass."""
    return [
        name
        for name, hint in vars(cls).get("__annotations__", {}).items()
        if "ClassVar" not in str(hint)
    ]
