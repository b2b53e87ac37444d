"""Fingerprints of one run: the code of its steps and of the values that they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import FunctionType
from typing import Any

from penstock.artifacts.values import Code
from penstock.digest import digest
from penstock.model.names import reference
from penstock.model.records import Artifact
from penstock.model.step import Step
from penstock.runtime import loading
from penstock.runtime.fingerprints import libraries
from penstock.runtime.fingerprints.given import Given
from penstock.runtime.fingerprints.survey import Survey
from penstock.runtime.fingerprints.unit import Fingerprint, Key, Node, Unit
from penstock.runtime.fingerprints.values import Unknowable


class Fingerprints:
    """What is found once for a run, or for a process that carries out steps of it."""

    def __init__(self) -> None:
        self._survey = Survey()
        self._steps: dict[int, tuple[Step[..., Any], Fingerprint]] = {}
        self._functions: dict[int, tuple[object, Fingerprint]] = {}
        self._names: dict[tuple[str, ...], str] = {}
        self._named: set[Unit] = set()

    @property
    def surveyed(self) -> dict[str, Fingerprint]:
        """The fingerprints of all steps so far, by the step's reference."""
        return {step.reference: found for step, found in self._steps.values()}

    @property
    def named(self) -> frozenset[Unit]:
        """What the classes and functions lead to that values named so far."""
        return frozenset(self._named)

    def of_step(self, step: Step[..., Any]) -> Fingerprint:
        """The fingerprint of a step's function and of all that it reaches."""
        known = self._steps.get(id(step))
        if known is None:
            known = self._steps[id(step)] = (step, self._of(step.function))
        return known[1]

    def of_names(self, names: Iterable[object]) -> Code:
        """One fingerprint for the project's classes and functions among `names`."""
        own = {reference(item): item for item in map(_looked_through, names) if _is_own(item)}
        if not own:
            return Code()
        things = {name: self._survey.thing(item) for name, item in own.items()}
        found = self._survey.reached(things.values())
        self._named.update(node.unit for node in found.values())
        return Code(digest("names/2", *sorted(own), *_texts(found, "")),
                    tuple(sorted(own)))  # fmt: skip

    def of_artifact(self, artifact: Artifact) -> str:
        """The code that an artifact needs, as it is now and not as it was when it was stored.

        What is not loaded in this process counts as it was.
        """
        if not artifact.names:
            return artifact.code
        found = [loading.loaded(name) for name in artifact.names]
        if None in found:
            return artifact.code
        known = self._names.get(artifact.names)
        if known is None:
            known = self._names[artifact.names] = self.of_names(found).digest
        return known

    def of_given(self, value: Any) -> str:
        """What stands for a value that a step is given, without the code that it names; empty where
        nothing but its bytes can."""
        walk = Given(self._survey)
        try:
            token = walk.token(value)
        except (Unknowable, RecursionError):
            return ""
        versions = libraries.environment(walk.packages).items() if walk.packages else ()
        return digest("given/1", token, *(part for pair in versions for part in pair))

    def _of(self, function: Any) -> Fingerprint:
        known = self._functions.get(id(function))
        if known is not None:
            return known[1]
        root = self._survey.thing(function)
        nodes = self._survey.reached([root])
        packages = {package for node in nodes.values() for package in node.packages}
        home = root.name.partition(":")[0]
        found = Fingerprint(
            digest("fingerprint/1", *_texts(nodes, home)),
            tuple(sorted({node.unit for node in nodes.values()})),
            libraries.environment(packages),
        )
        self._functions[id(function)] = (function, found)
        return found


def _texts(nodes: Mapping[Key, Node], home: str) -> list[str]:
    """Names and digests of units, in order. A module's own name does not count in it, but for
    classes: their names lie in pickles."""
    found = []
    for (kind, _), node in nodes.items():
        if kind == "code":  # counts where it is held
            continue
        name = node.unit.name
        if kind != "class" and name.startswith(home) and name[len(home) :][:1] in (":", "."):
            name = name[len(home) :]
        found.append(f"{kind} {name}={node.unit.digest}")
    return sorted(found)


def _looked_through(item: object) -> object:
    return item.function if isinstance(item, Step) else item


def _is_own(item: object) -> bool:
    module = getattr(item, "__module__", None)
    known = isinstance(item, FunctionType | type) and isinstance(module, str)
    return known and libraries.is_project(str(module))
