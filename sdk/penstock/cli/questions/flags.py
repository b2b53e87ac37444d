"""What has to be typed where nobody can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from penstock.errors import listed
from penstock.stack import describe
from penstock.stack import flavor as flavors
from penstock.stack.changing.spelling import OURS
from penstock.stack.component import a
from penstock.stack.configuration import ONE
from penstock.stack.registry import Registry

_NOBODY: Final = "There is no terminal here on which somebody could be asked."


def of_component(
    registry: Registry,
    category: str,
    name: str | None,
    flavor: str | None,
    given: Mapping[str, Any],
) -> click.UsageError:
    """See `penstock.cli.asking.missing`."""
    needed = [] if name else ["NAME"]
    if flavor is None:
        known = listed(each.name for each in flavors.flavors(category, registry.flavors))
        needed.append(f"--flavor=…, one of {known}")
    else:
        needed.extend(_options(registry, category, flavor, given))
    return _error(f"To register {a(category)}", needed)


def of_stack(name: str | None, given: Mapping[str, Any]) -> click.UsageError:
    """See `penstock.cli.asking.missing_stack`."""
    needed = [] if name else ["NAME"]
    for key, category in ONE.items():
        if not {key, category} & given.keys():
            needed.append(f"--{category}=…, or 'default'")
    return _error("To register a stack", needed)


def _options(
    registry: Registry, category: str, flavor: str, given: Mapping[str, Any]
) -> Iterator[str]:
    cls = flavors.find(category, flavor, registry.flavors, where="the command line").load()
    for option in describe.options(cls):
        if option.required and option.name not in given:
            end = "-- " if option.name in OURS else ""
            yield f"{end}--{option.name}=…, {option.type}. {option.description}".strip()


def _error(what: str, needed: Sequence[str]) -> click.UsageError:
    context = click.get_current_context(silent=True)
    if not needed:
        return click.UsageError(f"{_NOBODY}\nLeave -i out: nothing is missing.", context)
    lines = "\n  ".join(needed)
    return click.UsageError(f"{what}, this is missing:\n  {lines}\n{_NOBODY}", context)
