"""What has to be typed where nobody can be asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from penstock.cli.parameters import WHERE
from penstock.errors import BadConfiguration, StackError, listed
from penstock.stack import describe, making
from penstock.stack import flavor as flavors
from penstock.stack.changing.changes import Changes
from penstock.stack.changing.spelling import OURS
from penstock.stack.component import ComponentSpec, a, spoken
from penstock.stack.configuration import ONE
from penstock.stack.describe import Option
from penstock.stack.registry import Registry

_NOBODY: Final = "There is no terminal here on which somebody could be asked."
_LACKS: Final = re.compile(rf"{WHERE}: .* needs the option '([^']+)'\.")


def of_component(
    changes: Changes,
    category: str,
    name: str | None,
    flavor: str | None,
    given: Mapping[str, Any],
) -> click.UsageError:
    """See `penstock.cli.asking.missing`."""
    needed = [] if name else ["NAME"]
    if flavor is None:
        known = listed(each.name for each in flavors.flavors(category, changes.registry.flavors))
        needed.append(f"--flavor=…, one of {known}")
    else:
        options = _options(changes.registry, category, flavor)
        needed.extend(line for option, line in options.items() if option not in given)
    wrong = _wrong(changes, category, name, flavor, given)
    return _error(f"To register {a(category)}", needed, list(wrong))


def added(registry: Registry, spec: ComponentSpec, error: StackError) -> StackError:
    """See `penstock.cli.asking.with_flags`."""
    lines = _options(registry, spec.category, spec.flavor)
    problems = [
        BadConfiguration(each.message, hint=lines.get(option))
        if (option := _lacking(each))
        else each
        for each in error.problems or (error,)
    ]
    return making.together(problems, f"The {spoken(spec.category)} {spec.name!r}")


def of_stack(name: str | None, given: Mapping[str, Any]) -> click.UsageError:
    """See `penstock.cli.asking.missing_stack`."""
    needed = [] if name else ["NAME"]
    for key, category in ONE.items():
        if not {key, category} & given.keys():
            needed.append(f"--{category}=…, or 'default'")
    return _error("To register a stack", needed)


def _options(registry: Registry, category: str, flavor: str) -> dict[str, str]:
    """What to type for each option that is needed."""
    cls = flavors.find(category, flavor, registry.flavors, where=WHERE).load()
    return {each.name: _flag(each) for each in describe.options(cls) if each.required}


def _flag(option: Option) -> str:
    end = "-- " if option.name in OURS else ""
    return f"{end}--{option.name}=…, {option.type}. {option.description}".strip()


def _wrong(
    changes: Changes, category: str, name: str | None, flavor: str | None, given: Mapping[str, Any]
) -> Iterator[StackError]:
    """What no flag that is missing puts right."""
    try:
        if flavor:
            changes.check_component(ComponentSpec(category, name or "NAME", flavor, given, WHERE))
        elif name:
            changes.check_name(category, name)
    except StackError as error:
        for each in error.problems or (error,):
            of_name = not each.message.startswith(f"{WHERE}: ")
            if not _lacking(each) and (name or not of_name):
                yield each


def _lacking(problem: StackError) -> str | None:
    """The option that is needed and missing, if that is what is wrong."""
    found = _LACKS.fullmatch(problem.message)
    return found and found[1]


def _error(what: str, needed: Sequence[str], wrong: Sequence[object] = ()) -> click.UsageError:
    lines = [f"{what}, this is missing:{_indented(needed)}"] if needed else []
    if wrong:
        lines.append(f"This is wrong:{_indented(wrong)}")
    lines.append(_NOBODY if needed else f"{_NOBODY}\nLeave -i out: nothing is missing.")
    return click.UsageError("\n".join(lines), click.get_current_context(silent=True))


def _indented(lines: Iterable[object]) -> str:
    texts = (str(each).replace("\n", "\n    ") for each in lines)
    return "".join(f"\n  {text}" for text in texts)
