"""What can be found out about a part of a stack. Nothing that is wrong hides anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from penstock.errors import (
    BadConfiguration,
    MissingExtra,
    MissingReference,
    PenstockError,
    StackError,
    UnknownFlavor,
)
from penstock.model.component import Finding, Secret, StackComponent
from penstock.model.references import from_root, resolve
from penstock.stack import flavor
from penstock.stack.blame import blamed
from penstock.stack.component import ComponentSpec, secrets_in
from penstock.stack.flavor import Own

LIBRARY: Final = "library"

_ABOUT: Final[Mapping[type[StackError], str]] = {
    MissingExtra: LIBRARY,
    UnknownFlavor: "flavor",
    MissingReference: "reference",
    BadConfiguration: "options",
}
"""What is wrong with a component that cannot be made."""

_OPEN: Final = "It is written out."
_HIDE: Final = "${env:NAME} or ${file:PATH} would keep it out of files and history."


def of_component(component: StackComponent, own: Own | None = None) -> Iterator[Finding]:
    """Its libraries, its secrets, and what it finds out itself. That it could be made counts for
    one that tries nothing, and what stops it for one that fails."""
    before = [*_library(component.category, component.flavor, own), *_secrets(component)]
    yield from before
    if any(found.what == LIBRARY for found in before):
        return  # it would say the same again
    told = {found.message for found in before}
    tried = bool(before)
    for found in _tried(component):
        tried = True
        if found.message not in told:
            yield found
    if not tried:
        yield Finding("", True)


def of_unmade(spec: ComponentSpec, error: StackError, own: Own | None = None) -> Iterator[Finding]:
    """Why a component cannot be made, each reason by itself."""
    if not isinstance(error, MissingExtra):
        yield from _library(spec.category, spec.flavor, own)
    for each in error.problems or (error,):
        yield Finding.of(_ABOUT.get(type(each), ""), each)


def of_secret(name: str, secret: Secret, root: Path) -> Finding:
    """Whether a secret of a stack is there; `${file:…}` is relative to `root`."""
    what = f"secret {name}"
    if not secret.is_reference:
        return Finding(what, True, _OPEN, _HIDE)
    try:
        resolve(from_root(secret.written, root))
    except MissingReference as error:
        return Finding.of(what, error)
    return Finding(what, True)


def _tried(component: StackComponent) -> Iterator[Finding]:
    try:
        yield from component.check()
    except PenstockError as error:
        yield Finding.of("", error)
    except Exception as error:
        if (said := blamed(error)) is None:  # a defect of ours
            raise
        yield Finding.of("", said)


def _library(category: str, name: str, own: Own | None) -> Iterator[Finding]:
    """The libraries of its extras that are not installed."""
    with suppress(StackError):  # of a class that has no such name, nothing is known
        found = flavor.find(category, name, own)
        if found.extras and (missing := found.missing):
            text = f"{found} needs what is not installed: {', '.join(missing)}."
            yield Finding(LIBRARY, False, text, found.install, MissingExtra.exit_code)


def _secrets(component: StackComponent) -> Iterator[Finding]:
    """Secrets in its options that lead nowhere, and those that are written out."""
    for _, path, secret in secrets_in(component):
        if not secret.is_reference:
            yield Finding(path, True, _OPEN, _HIDE)
            continue
        try:
            secret.reveal()
        except MissingReference as error:
            yield Finding.of(path, error)
