"""`penstock doctor`: everything that a run depends on, looked at in one go."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

from penstock.api.ending import say
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.store import ArtifactStore
from penstock.cli.health import installation, machine, setting
from penstock.cli.health.observation import Observation
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json
from penstock.stack import checked
from penstock.stack.component import spoken
from penstock.stack.project import Project
from penstock.stack.registry import Registry


@click.command()
@stack_option
@json_option("ok", "findings")
def doctor(*, stack: str | None, as_json: bool) -> int:
    """Look at everything that a run depends on.

    Versions and what is installed; the files that count here, and the stack that they make the
    active one; what `penstock stack check` tries; room on the disks; the clock. Nothing that is
    wrong hides anything else. If anything is, the exit code is that of a run.
    """
    found = []
    for each in _observed(Registry(Project.find()), stack):
        found.append(each)
        if not as_json:
            say(str(each))
    code = next((each.exit_code for each in found if each.exit_code), 0)
    if as_json:
        print_json({"ok": code == 0, "findings": [each.to_data() for each in found]})
    return code


def _observed(registry: Registry, stack: str | None) -> Iterator[Observation]:
    yield from installation.observed()
    yield from (written := list(setting.files(registry.project)))
    if any(each.exit_code for each in written):  # then nobody knows which stack is meant
        yield from machine.room([str(registry.project.root)])
        return
    yield from setting.schemas(registry)
    yield from (choice := list(setting.chosen(registry, stack, BY_STACK)))
    if any(each.exit_code for each in choice):
        yield from machine.room([str(registry.project.root)])
        return
    yield from _stack(registry, stack)


def _stack(registry: Registry, stack: str | None) -> Iterator[Observation]:
    """What `stack check` says, and what depends on where the store is."""
    checks = checked.check(registry, stack, BY_STACK).findings
    for who, found in checks:
        what = ": ".join(filter(None, (f"{spoken(who.category)} {who.name}", found.what)))
        yield Observation.of(what, found)
    store = _store(registry, stack)
    beside = [store.path] if isinstance(store, LocalArtifactStore) else []
    yield from machine.room([str(registry.project.root), *beside])
    works = all(found.ok for who, found in checks if who.category == ArtifactStore.category)
    told = any(found.what == "clock" and found.message for _, found in checks)
    there = all(map(os.path.isdir, beside))  # a folder is not made for that
    if store is not None and there and works and not told:
        yield machine.clock(store)


def _store(registry: Registry, stack: str | None) -> ArtifactStore | None:
    """The stack's, unless it cannot be made."""
    made = (each for _, each in registry.tried(stack, BY_STACK))
    return next((each for each in made if isinstance(each, ArtifactStore)), None)
