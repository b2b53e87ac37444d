"""Fingerprints of one run: the code of its steps and of the values that they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from types import FunctionType
from typing import Any, Final, NamedTuple

from penstock.artifacts.formats import registry
from penstock.artifacts.values import Code
from penstock.digest import digest
from penstock.model.names import reference
from penstock.model.records import Artifact
from penstock.model.step import Step
from penstock.runtime import loading
from penstock.runtime.fingerprints import libraries, words
from penstock.runtime.fingerprints.given import Given
from penstock.runtime.fingerprints.places import Places
from penstock.runtime.fingerprints.survey import Survey
from penstock.runtime.fingerprints.unit import Fingerprint, Key, Node, Thing, Unit
from penstock.runtime.fingerprints.values import Unknowable
from penstock.stack.project import Project

LARGE: Final = 1 << 20
"""Bytes of an artifact from which the value is not walked through: what is large are arrays."""

BY_FIELDS: Final = frozenset({"dataclass/1", "pydantic/1"})
"""Formats besides pickles in which equal values may have other bytes: of dicts and sets inside."""


class _Before(NamedTuple):
    """What an earlier run of this process has found of a function."""

    root: Thing
    nodes: Mapping[Key, Node]
    found: Fingerprint


_before: dict[int, _Before] = {}


class Fingerprints:
    """What is found once for a run, or for a process that carries out steps of it."""

    def __init__(self, root: Path | None = None) -> None:
        """`root` is the project's folder: by default that which the working directory lies in."""
        places = Places.below(root or Project.find().root)
        self._survey = Survey(places)
        self._files = Survey(places, loaded=False)
        self._steps: dict[int, tuple[Step[..., Any], Fingerprint]] = {}
        self._functions: dict[int, tuple[object, Fingerprint]] = {}
        self._names: dict[tuple[tuple[str, ...], str], str] = {}
        self._texts_of: dict[tuple[str, ...], str] = {}
        self._named: set[Unit] = set()

    @property
    def surveyed(self) -> dict[str, Fingerprint]:
        """The fingerprints of all steps so far, by the step's reference."""
        return {step.reference: found for step, found in self._steps.values()}

    @property
    def named(self) -> frozenset[Unit]:
        """What the classes and functions lead to that values named so far."""
        return frozenset(self._named)

    @property
    def files(self) -> frozenset[str]:
        """Where all of that is written, as far as anybody knows."""
        steps = (found.units for _, found in self._steps.values())
        return frozenset(unit.file for unit in chain(*steps, self._named) if unit.file)

    def of_step(self, step: Step[..., Any]) -> Fingerprint:
        """The fingerprint of a step's function and of all that it reaches."""
        known = self._steps.get(id(step))
        if known is None:
            known = self._steps[id(step)] = (step, self._of(step.function))
        return known[1]

    def of_names(self, names: Iterable[object]) -> Code:
        """One fingerprint for the project's classes and functions among `names`."""
        own = [item for item in map(_looked_through, names) if _is_own(item)]
        if not own:
            return Code()
        # Each of them: lambdas have one name.
        roots = [self._survey.thing(item) for item in own]
        found = self._survey.reached(roots)
        self._named.update(node.unit for node in found.values())
        called = tuple(sorted(set(map(reference, own))))
        # Those that lead to each other reach the same: where it begins counts, too.
        begun = sorted(found[root.key].unit.digest for root in roots)
        now = digest("names/3", *called, *begun, "", *_texts(found, ""))
        # Beside it the files, for a process in which none of it is loaded.
        return Code(f"{now}-{self._text_of(called)}", called)

    def of_artifact(self, artifact: Artifact) -> str:
        """The code that an artifact needs, as it is now and not as it was when it was stored.

        What is not loaded in this process counts as its files say it, unless these are what they
        were.
        """
        if not artifact.names:
            return artifact.code
        key = (artifact.names, artifact.code)
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = self._now(artifact)
        return known

    def _now(self, artifact: Artifact) -> str:
        found = [loading.loaded(name) for name in artifact.names]
        if None not in found:
            return self.of_names(found).digest.partition("-")[0]
        then, _, files = artifact.code.partition("-")
        now = self._text_of(artifact.names)
        return then if files == now else digest("names not loaded/1", then, now)

    def _text_of(self, names: Iterable[str]) -> str:
        """What stands for the files in which classes and functions are, and what these import."""
        homes = tuple(sorted({name.partition(":")[0] for name in names}))
        if homes not in self._texts_of:
            things = [Thing("source", home, None) for home in homes if libraries.is_project(home)]
            self._texts_of[homes] = digest("files/1", *_texts(self._files.reached(things), ""))
        return self._texts_of[homes]

    def canonical(self, value: Any, artifact: Artifact) -> str:
        """What stands for a value that a step is given, in place of the digest of its artifact and
        without the code that it names; empty where nothing but its bytes can."""
        if artifact.total > LARGE or not (
            registry.runs_code(artifact.format) or artifact.format in BY_FIELDS
        ):
            return ""
        walk = Given(self._survey)
        try:
            token = walk.token(value)
        except (Unknowable, RecursionError):
            return ""
        versions = libraries.environment(walk.packages).items() if walk.packages else ()
        return digest("given/1", token, *(part for pair in versions for part in pair))

    def _of(self, function: Any) -> Fingerprint:
        known = self._functions.get(id(function))
        if known is None:
            known = self._functions[id(function)] = (function, self._looked_at(function))
        return known[1]

    def _looked_at(self, function: Any) -> Fingerprint:
        """The fingerprint of an earlier run of this process, if nothing has changed since."""
        root = self._survey.thing(function)
        before = _before.get(id(function))
        if before is not None and before.root == root and self._survey.holds(before.nodes):
            return before.found
        nodes = self._survey.reached([root])
        packages = {package for node in nodes.values() for package in node.packages}
        home = root.name.partition(":")[0]
        found = Fingerprint(
            # Steps that lead to each other reach the same: where it begins counts, too.
            digest("fingerprint/2", nodes[root.key].unit.digest, *_texts(nodes, home)),
            tuple(sorted({node.unit for node in nodes.values()})),
            libraries.environment(packages),
        )
        if not any(node.reads for node in nodes.values()):  # docstrings are not looked at above
            _before[id(function)] = _Before(root, nodes, found)
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
    return sorted([*found, *words.read(nodes)])


def _looked_through(item: object) -> object:
    return item.function if isinstance(item, Step) else item


def _is_own(item: object) -> bool:
    """Whether something is the project's, or how it is stored."""
    if isinstance(item, type) and (format := registry.registered(item)) is not None:
        return libraries.is_project(item.__module__) or libraries.is_project(format.__module__)
    module = getattr(item, "__module__", None)
    known = isinstance(item, FunctionType | type) and isinstance(module, str)
    return known and libraries.is_project(str(module))
