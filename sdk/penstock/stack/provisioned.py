"""What `up` has made from this checkout: only that is ever removed.

`.penstock/up/<category>.<name>` has the places of a component that were made, each as JSON on a
line. A process that ends between the making and the writing leaves a place that nobody removes, and
never a line that could have somebody else's place removed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from penstock.errors import BadConfiguration, StackError
from penstock.model.component import Left, StackComponent
from penstock.stack.component import spoken
from penstock.stack.making import resolved
from penstock.stack.project import Project

FOLDER: Final = "up"

_dump: Final = json.JSONEncoder().encode


class Named(Protocol):
    """A component, or the spec of one."""

    @property
    def category(self) -> str: ...

    @property
    def name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Deed:
    """What became of one component."""

    component: StackComponent
    said: Sequence[str]
    """At least one thing, in a few words each."""

    def __str__(self) -> str:
        who = f"{spoken(self.component.category)} {self.component.name}"
        return "\n".join(f"{who}: {text}" for text in self.said)


def up(components: Iterable[StackComponent], project: Project) -> Iterator[Deed]:
    """Make the places of components, one after the other; each is written down before the next."""
    found = _ready(components, project)
    if any(_needs(each) for each in found):  # where nothing can be written down, nothing is made
        _folder(project)
    for component in found:
        said = tuple(component.up() or ())  # a stranger may return nothing
        if not all(isinstance(text, Left) for text in said):
            _remember(project, component)
        yield Deed(component, said or ("is there" if _needs(component) else "needs no place",))


def down(
    components: Iterable[StackComponent], project: Project, *, force: bool = False
) -> Iterator[Deed]:
    """Stop what runs for components, the last one first; with `force` remove the places that `up`
    has made from here, unless something is in them, and forget them."""
    for component in reversed(_ready(components, project)):
        sites = _sites(project, component)
        ours = component.site in sites
        said = list(component.down(force=force and ours))
        if force and sites:
            said += ["is gone already"] * (ours and not said)
            said += [_elsewhere(site) for site in sites if site != component.site]
            _forget(project, component)
        yield Deed(component, said or [_stays(component, sites)])


def is_up(project: Project, component: Named) -> bool:
    """Whether `up` has made something for it from here that no `down --force` was asked for."""
    return os.path.lexists(_file(project, component))


def _stays(component: StackComponent, sites: Sequence[str]) -> str:
    """Why nothing was done."""
    if sites:
        return f"is left as it is: --force removes {component.makes or 'what up has made'}"
    if _needs(component):
        return "is left as it is: nothing of it was made from here"
    return "needs no place"


def _needs(component: StackComponent) -> bool:
    """Whether it has a place as it is configured."""
    return bool(component.makes and component.site)


def _elsewhere(site: str) -> str:
    return f"left {site}, which was made for it before its options changed: that is yours to remove"


def _ready(components: Iterable[StackComponent], project: Project) -> list[StackComponent]:
    """With references resolved and paths that are absolute, as those of a file are."""
    return [resolved(each).placed(project.root) for each in components]


def _file(project: Project, component: Named) -> Path:
    return project.folder / FOLDER / f"{component.category}.{component.name}"


def _folder(project: Project) -> Path:
    folder = project.prepared() / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise StackError(f"{folder} cannot be written: {error.strerror}.") from error
    return folder


def _sites(project: Project, component: Named) -> list[str]:
    """The places that were made for it from here, each once."""
    file = _file(project, component)
    try:
        sites = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise BadConfiguration(
            f"{file}, which says what `up` has made for the {spoken(component.category)} "
            f"{component.name!r}, cannot be read: {error}.",
            hint="Delete it, and remove by hand what was made.",
        ) from error
    return list(dict.fromkeys(map(str, sites)))


def _forget(project: Project, component: Named) -> None:
    file = _file(project, component)
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise StackError(f"{file} cannot be removed: {error.strerror}.") from error


def _remember(project: Project, component: StackComponent) -> None:
    """In one write at the end, so that two at a time lose nothing."""
    file = _folder(project) / _file(project, component).name
    if component.site in _sites(project, component):
        return
    try:
        with open(file, "ab", buffering=0) as lines:
            lines.write(f"{_dump(component.site)}\n".encode())
    except OSError as error:
        raise StackError(
            f"{component.site} was made for the {spoken(component.category)} {component.name!r}, "
            f"and {file} cannot be written: {error.strerror}.",
            hint="It is yours to remove.",
        ) from error
