"""Which file an entry stands in, and which one a new entry goes to."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from penstock.errors import StackError, UnknownFlavor, did_you_mean, listed
from penstock.stack import complaints, flavor
from penstock.stack.changing.entries import Entries
from penstock.stack.changing.writing import writing
from penstock.stack.choice import ASKED, StackChoice, unknown
from penstock.stack.component import ComponentSpec, spoken
from penstock.stack.configuration import DEFAULT, ONE, Configuration, StackSpec
from penstock.stack.project import Project, user_file
from penstock.stack.registry import Registry
from penstock.stack.schema import keep_schema

_log: Final = logging.getLogger("penstock.stack")


class Places:
    """The files that a registry reads: the project's and the user's, or the user's alone."""

    def __init__(self, registry: Registry, *, user: bool) -> None:
        self._registry = registry
        self._user = user
        self._settled: Path | None = None

    def settle(self) -> None:
        """From now on new entries go where they would go now."""
        self._settled = self.new

    @property
    def new(self) -> Path:
        """Where new entries go: the project's file if there is one, else the user's."""
        if self._settled is not None:
            return self._settled
        project, own = self._registry.project.file, user_file()
        if self._user and own is None:
            raise StackError("You have no home folder, and so no penstock.yaml of your own.")
        if own and (self._user or not os.path.lexists(project)):
            return own
        return project

    @property
    def default(self) -> Path:
        """Where a team's default is written, which is no user's own."""
        return self.new if self._user else self._registry.project.file

    def of_component(self, category: str, name: str) -> Path:
        """Where a component stands. Raises `UnknownComponent`."""
        found = self._found(lambda file: any(
            (each.category, each.name) == (category, name) for each in file.components
        ))  # fmt: skip
        if found is None:
            spec = self._registry.component(category, name)
            raise self._not_written(f"{spoken(category)} {name!r}", spec.where, category, name)
        return found

    def of_stack(self, name: str) -> Path:
        """Where a stack stands. Raises `UnknownStack`."""
        found = self._found(lambda file: name in file.stacks)
        if found is None:
            known = self._registry.stacks()
            if name not in known:
                raise unknown(StackChoice(name, ASKED), known, self._registry.project)
            raise self._not_written(f"stack {name!r}", known[name].where, "stack", name)
        return found

    def of_flavor(self, category: str, name: str) -> Path:
        """Where a flavor of one's own stands. Raises `UnknownFlavor`."""
        found = self._found(lambda file: name in file.flavors.get(category, {}))
        if found is None:
            own = self._registry.flavors.get(category, {})
            brought = {each.name: each.package for each in flavor.flavors(category)}
            of = f"comes with the package {brought[name]!r}, and " if name in brought else ""
            raise UnknownFlavor(
                f"The {spoken(category)} flavor {name!r} {of}is in no file. "
                f"Flavors in files: {listed(own)}.",
                hint=did_you_mean(name, own),
            )
        return found

    @contextmanager
    def entries(self, path: Path) -> Iterator[Entries]:
        """The entries of a file, to be changed; at the end it is written, with its schema."""
        with writing(path) as document:
            entries = Entries(document, self._registry, path)
            yield entries
        try:
            keep_schema(self._registry.project, entries.registry)
        except StackError as error:  # what was meant is written
            _log.warning("The schema for editors was not written. %s", error)

    def shown(self, path: Path) -> str:
        """A file for people."""
        return complaints.shown(path)

    def flag(self, path: Path) -> str:
        """What a command line needs besides, so that it means this file."""
        project = self._registry.project.file
        return " --user" if path != project and os.path.lexists(project) else ""

    def shadows(self, entries: Entries, spec: ComponentSpec | StackSpec) -> tuple[str, ...]:
        """A sentence if another file has an entry of the same name."""
        path = entries.path
        files = [each for each in entries.registry.files if each.path != path]
        there = next((where for file in files if (where := _standing(file, spec))), None)
        if there is None:
            return ()
        if path == user_file():
            return (f"In this project the one in {there} counts.",)
        return (f"In this project it counts instead of the one in {there}.",)

    def kept(self, path: Path, lost: Sequence[str]) -> tuple[str, ...]:
        """A sentence if a secret was written out, and is in no line that is shown."""
        if not lost:
            return ()
        copy = complaints.shown(Project(path.parent).folder / f"{path.name}.bak")
        what = f"A secret was written out in {listed(lost)}"
        return (f"{what}; that is not in the line that undoes it, but in {copy}.",)

    def _found(self, has: Callable[[Configuration], bool]) -> Path | None:
        files = [each for each in self._registry.files if not self._user or each.path == self.new]
        return next((file.path for file in files if has(file)), None)

    def _not_written(self, what: str, where: str, kind: str, name: str) -> StackError:
        if name == DEFAULT and kind in (*ONE.values(), "stack"):
            return StackError(
                f"The {what} is built in, and stays as it is.",
                hint=f"Register one of your own: penstock {kind} register NAME …",
            )
        files = [complaints.shown(each.path) for each in self._registry.files if each.path]
        return StackError(
            f"The {what} stands in no file that was looked in ({', '.join(files)}): {where}.",
            hint="What is registered in code goes to a file with client.register(…, save=True).",
        )


def _standing(file: Configuration, spec: ComponentSpec | StackSpec) -> str | None:
    """Where a file has an entry of the same kind and name."""
    if isinstance(spec, StackSpec):
        return file.stacks[spec.name].where if spec.name in file.stacks else None
    found = [each for each in file.components if each.category == spec.category]
    return next((each.where for each in found if each.name == spec.name), None)
