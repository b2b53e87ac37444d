"""The page of categories and flavors: what a component can be, with all options."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from penstock.model.component import Secret
from penstock.stack import describe
from penstock.stack.categories import KNOWN, Category, name_of
from penstock.stack.component import a, several
from penstock.stack.flavor import BUILT_IN, Flavor
from penstock.stack.installed import PREFIX

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
# Categories and flavors

A stack is made of components. Each is of a *category*, which says what it is for, and of a
*flavor*, which says how it does that. Here are those that come with penstock.
`penstock flavor list` shows what is installed on your machine, also from other packages, and
`penstock artifact-store flavor describe s3` the same options as here. There may be
[flavors of your own](../how-to/write-a-flavor.md).

An option is written in the same way everywhere: `--path=…` on the [command line](cli.md),
`path: …` in `penstock.yaml`, `path=…` in Python. In a file its value may be a reference,
`${env:NAME}` or `${file:PATH}`; secrets should be.
"""


def page() -> str:
    """The whole page."""
    brought = list(shipped())
    return "\n".join([HEAD, *(part for each in KNOWN.values() for part in told(each, brought))])


def shipped() -> Iterator[Flavor]:
    """Those that our own distribution brings, whatever else is installed."""
    for category, targets in BUILT_IN.items():
        yield from (Flavor(category, name, target) for name, target in targets.items())
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    for group, entries in groups.items():
        for name, written in entries.items():
            target, _, extras = written.partition("[")
            needs = tuple(extra.strip() for extra in extras.rstrip("] ").split(",") if extra)
            category = name_of(group.removeprefix(PREFIX))
            yield Flavor(category, name, target.strip(), extras=needs)


def told(category: Category, brought: list[Flavor]) -> Iterator[str]:
    """A category and its flavors."""
    mine = [flavor for flavor in brought if flavor.category == category.name]
    yield f"## {category.name}\n"
    yield f"{category.about}\n"
    number = "exactly one" if category.one else "any number"
    yield (
        f"A stack has {number} of them. Section `{category.section}` in `penstock.yaml`, "
        f"`{category.key}` in a stack there; entry points of packages: `{category.group}`.\n"
    )
    if not mine:
        yield (
            f"No {several(category.name)} come with penstock: "
            f"[write {a(category.name)}](../how-to/write-a-flavor.md), or install a package that "
            "brings one.\n"
        )
    for flavor in sorted(mine, key=lambda each: each.name):
        yield from described(flavor)


def described(flavor: Flavor) -> Iterator[str]:
    """A flavor and its options."""
    cls = flavor.load()
    yield f"### {flavor.category}: {flavor.name}\n"
    yield f"{summary(cls)}\n"
    yield f"* In Python: `from {place(cls)} import {cls.__name__}`"
    if flavor.extras:
        yield f'* To install: `pip install "penstock[{",".join(flavor.extras)}]"`'
    if cls.makes:
        yield f"* `up` makes {cls.makes}"
    yield ""
    options = describe.options(cls)
    if options:
        yield "| option | what it takes | default | |\n| :-- | :-- | :-- | :-- |"
        yield "\n".join(map(row, options)) + "\n"


def place(cls: type) -> str:
    """Where it is imported from: the package itself, if that has it."""
    package = cls.__module__.partition(".")[0]
    return package if hasattr(import_module(package), cls.__name__) else cls.__module__


def summary(cls: type) -> str:
    """What it is, in a sentence or two."""
    return " ".join((cls.__doc__ or "").partition("\n\n")[0].split())


def row(option: describe.Option) -> str:
    """A line of the table."""
    kind = option.type.replace(describe.WORDS[Secret], "a secret")
    cells = [f"`{option.name}`", kind, default(option), option.description]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def default(option: describe.Option) -> str:
    """What counts if nothing is said."""
    if option.required:
        return "**required**"
    return "" if option.default in (None, "", (), [], {}) else f"`{option.default}`"
