"""The few lines of an image in which the steps of a pipeline can run."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from penstock.errors import BadConfiguration
from penstock.runtime.fingerprints import libraries
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.preparing import Drawn, Wanted
from penstock.stack import flavor, install
from penstock.stack.registry import Registry

_PIP = "RUN pip install --no-cache-dir"

MARK = "# For the steps of"
"""What such a file begins with."""


def lines(wanted: Wanted) -> Iterator[str]:
    """Those of an image with penstock, what the stack needs and what the project needs."""
    drawn = Drawn(wanted)
    yield f"{MARK} {wanted.name!r} on the stack {drawn.stack.name!r}."
    yield f"FROM python:{sys.version_info[0]}.{sys.version_info[1]}-slim"
    yield from _penstock(drawn)
    yield from _libraries(drawn)
    if not drawn.stack.orchestrator.ships_code:
        yield from ("WORKDIR /app", "COPY . .", "ENV PYTHONPATH=/app")


def _penstock(drawn: Drawn) -> Iterator[str]:
    """penstock, with the extras of all but the orchestrator, and packages that bring flavors."""
    needed = _needed(drawn)
    extras = f"[{','.join(sorted(needed.pop('penstock')))}]"
    extras = "" if extras == "[]" else extras
    version, source = install.origin("penstock")
    if not source:
        yield f"{_PIP} {shlex.quote(f'penstock{extras}=={version}')}"
    else:
        yield "# A run brings the code of this penstock, and begins with the one in the image."
        yield f"# Make a wheel beside this file: pip wheel --no-deps --wheel-dir . {source}"
        yield f"COPY penstock-{version}-*.whl /tmp/"
        yield f'{_PIP} "$(ls /tmp/penstock-*.whl){extras}"'
    if needed:
        yield _pip(f"{name}[{','.join(sorted(of))}]" if of else name for name, of in needed.items())


def _needed(drawn: Drawn) -> dict[str, set[str]]:
    """Distributions and their extras. Flavors of the project itself travel with its code."""
    stack, own = drawn.stack, Registry(drawn.project).flavors
    zstd = stack.artifact_store.compression == "zstd"
    needed: dict[str, set[str]] = {"penstock": {"zstd"} if zstd else set()}
    for component in stack.components:
        if component is not stack.orchestrator:
            found = flavor.find(component.category, component.flavor, own)
            if found.package:
                needed.setdefault(found.package, set()).update(found.extras)
    return needed


def _libraries(drawn: Drawn) -> Iterator[str]:
    """What the project says that it needs; else what its steps reach, as it is installed here."""
    root = drawn.project.root
    if (declared := _declared(root / "pyproject.toml")) is not None:
        yield "# As pyproject.toml has it:"
        found = [each for each in declared if _name(each) != "penstock"]
        yield _pip(found) if found else "# nothing"
    elif (root / "requirements.txt").is_file():
        yield "COPY requirements.txt /tmp/"
        yield f"{_PIP} -r /tmp/requirements.txt"
    else:
        yield "# What the steps reach, as it is installed here:"
        reached = sorted(set(libraries.requirements(_reached(drawn))))
        yield _pip(reached) if reached else "# nothing"


def _declared(file: Path) -> list[str] | None:
    """The dependencies of a project; None if it declares none, or is penstock itself."""
    if not file.is_file():
        return None
    try:
        project: Any = tomllib.loads(file.read_text("utf-8")).get("project", {})
        if _name(project.get("name", "")) == "penstock":
            return None
        found = project.get("dependencies")
        return None if found is None else [str(each) for each in found]
    except (ValueError, AttributeError, TypeError) as error:
        raise BadConfiguration(f"{file} cannot be read: {error}.") from error


def _reached(drawn: Drawn) -> set[str]:
    fingerprints = Fingerprints(drawn.project.root)
    steps = {id(call.step): call.step for call in drawn.graph.calls.values()}
    found = {name for step in steps.values() for name in fingerprints.of_step(step).packages}
    return found - {"python"}


def _name(requirement: str) -> str:
    """The distribution that a requirement is for, spelt as all tools spell it."""
    found = re.match(r"[\w.-]*", requirement.strip())
    return re.sub(r"[-_.]+", "-", found[0] if found else "").lower()


def _pip(requirements: Iterable[str]) -> str:
    return f"{_PIP} {' '.join(map(shlex.quote, requirements))}"
