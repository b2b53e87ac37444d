"""Categories: the kinds of components that a stack is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from penstock.errors import BadConfiguration, did_you_mean, listed
from penstock.model.component import StackComponent
from penstock.stack.component import several
from penstock.stack.installed import PREFIX, offers


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of component."""

    name: str
    """As users type it: `artifact-store`."""
    section: str
    """Where a file has its components: `artifact_stores`. Also its entry point group's name."""
    one: bool
    """Whether a stack has exactly one of it; else any number."""
    about: str
    """What it is for, in a sentence."""
    base: str = "penstock.model.component:StackComponent"
    """What all its flavors are, as `module:Class`: to list categories, none of them is needed."""

    @property
    def port(self) -> type[StackComponent]:
        """What all its flavors are."""
        module, _, name = self.base.partition(":")
        found: type[StackComponent] = getattr(import_module(module), name)
        return found

    @property
    def key(self) -> str:
        """Where a stack says which of them it has."""
        return self.name.replace("-", "_") if self.one else self.section

    @property
    def group(self) -> str:
        """The entry points that bring its flavors."""
        return f"{PREFIX}{self.section}"


KNOWN: Final[Mapping[str, Category]] = {
    each.name: each
    for each in (
        Category(
            "orchestrator", "orchestrators", True,
            "What runs the steps of a pipeline: when and where.",
            "penstock.stack.orchestrator:Orchestrator",
        ),
        Category(
            "artifact-store", "artifact_stores", True,
            "The places where artifacts live.",
            "penstock.artifacts.store:ArtifactStore",
        ),
        Category(
            "step-operator", "step_operators", False,
            "What runs single steps somewhere else.",
            "penstock.stack.step_operator:StepOperator",
        ),
        Category(
            "experiment-tracker", "experiment_trackers", False,
            "What keeps parameters and metrics of runs side by side.",
        ),
        Category("model-deployer", "model_deployers", False, "What serves models."),
    )
}  # fmt: skip
"""Those that penstock itself has a word for. Others come with the packages that offer a flavor."""

_SECTIONS: Final = {each.section: each.name for each in KNOWN.values()}
_PLURAL: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*s")
_RESERVED: Final = {
    "artifacts", "components", "flavors", "materializers", "pipelines", "runs", "secrets", "stacks",
    "steps",
}  # fmt: skip
"""Words that mean something else: in a file, on the command line, as entry points of formats."""


def categories() -> Mapping[str, Category]:
    """All of them, by name: the known ones first, then those of installed packages."""
    found = dict(KNOWN)
    for section in sorted({offer.section for offer in offers()} - set(_SECTIONS)):
        if is_section(section):
            found.setdefault(name_of(section), _brought(section))
    return found


def find(name: str) -> Category:
    """One of them. Raises `BadConfiguration`."""
    found = KNOWN.get(name) or categories().get(name)
    if found is None:
        known = list(categories())
        raise BadConfiguration(
            f"There is no category {name!r}. Categories: {listed(known)}.",
            hint=did_you_mean(name, known)
            or "Any other comes with a package that brings a flavor of it.",
        )
    return found


def name_of(section: str) -> str:
    """The category whose components stand in this section: `data_validators` → `data-validator`."""
    word = section.replace("_", "-")
    singular = f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")
    return _SECTIONS.get(section, singular)


def section_of(name: str) -> str:
    """Where a file has components of a category, also of one that no package brings here."""
    return KNOWN[name].section if name in KNOWN else several(name).replace(" ", "_")


def strays() -> Iterator[str]:
    """What packages bring by an entry point group that is no category's, though it looks like one:
    a sentence each."""
    for offer in offers():
        if offer.section not in _RESERVED and not is_section(offer.section):
            near = did_you_mean(offer.section, _SECTIONS) or "It has to be like 'model_deployers'."
            yield (
                f"{offer.target} of {offer.package!r} is in the entry point group "
                f"{PREFIX + offer.section!r}, which is no category's. {near}"
            )


def is_section(section: str) -> bool:
    """Whether a section, or an entry point group, can be that of a category."""
    return (
        _PLURAL.fullmatch(section) is not None
        and section not in _RESERVED
        and section_of(name_of(section)) == section
    )


def _brought(section: str) -> Category:
    packages = listed(sorted({offer.package for offer in offers() if offer.section == section}))
    name = name_of(section)
    about = f"The {several(name)}, which come with {packages}."
    return Category(name, section, False, about)
