"""What the extras of a package need, and what of that is not installed. Nothing is imported."""

from __future__ import annotations

import ast
import operator
import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

_REQUIREMENT: Final = re.compile(r"\s*([\w.-]+)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?", re.DOTALL)
"""Name, extras of its own, and when it is needed (PEP 508)."""

_ENVIRONMENT: Final[Mapping[str, Callable[[], str]]] = {
    "implementation_name": lambda: sys.implementation.name,
    "os_name": lambda: os.name,
    "platform_machine": platform.machine,
    "platform_python_implementation": platform.python_implementation,
    "platform_system": platform.system,
    "python_full_version": platform.python_version,
    "python_version": lambda: ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": lambda: sys.platform,
}
_OPERATORS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


def missing(package: str, extras: Iterable[str]) -> tuple[str, ...]:
    """The distributions that these extras of an installed package need and that are not there."""
    return tuple(name for name, version in versions(package, extras).items() if not version)


def versions(package: str, extras: Iterable[str]) -> dict[str, str]:
    """The distributions that these extras need, with their versions; empty for what is not there.
    Of a package that is not installed, but run from its sources, nothing is known."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(package)
    except PackageNotFoundError:
        return {}
    return dict(_needed(package, _spelled(extras), set()))


def _needed(package: str, extras: set[str], seen: set[str]) -> Iterator[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError, distribution  # 46 ms, for listings only

    for text in distribution(package).requires or ():
        match = _REQUIREMENT.match(text)
        if match is None or not _is_meant(match[3] or "", extras):
            continue
        name, more = match[1], _spelled((match[2] or "").split(","))
        if text in seen:  # an extra may name another one of the same package
            continue
        seen.add(text)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            yield name, ""
        else:
            yield name, found.version
            yield from _needed(name, more, seen) if more else ()


def _is_meant(marker: str, extras: set[str]) -> bool:
    """Whether one of the extras asks for it here. What is needed without any is there anyway."""
    if "extra" not in marker:
        return False
    try:
        tree = ast.parse(marker.strip(), mode="eval").body
        return any(_value(tree, extra) for extra in extras)
    except (SyntaxError, LookupError, TypeError, ValueError):
        return False  # who cannot tell asks nobody to install it


def _value(node: ast.expr, extra: str) -> Any:
    """What a part of a marker is, which is written nearly as in Python."""
    if isinstance(node, ast.BoolOp):
        parts = (_value(each, extra) for each in node.values)
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.Compare):
        (sign,), (right,) = node.ops, node.comparators
        return _OPERATORS[type(sign)](*_alike(_value(node.left, extra), _value(right, extra)))
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return extra if node.id == "extra" else _ENVIRONMENT[node.id]()
    raise LookupError(ast.dump(node))


def _alike(left: str, right: str) -> tuple[Any, Any]:
    """Two texts to compare: as versions if both are."""
    if all(re.fullmatch(r"\d+(\.\d+)*", text) for text in (left, right)):
        return tuple(map(int, left.split("."))), tuple(map(int, right.split(".")))
    return left, right


def _spelled(extras: Iterable[str]) -> set[str]:
    """As they are written and as tools write them: `a_b` is `a-b`."""
    written = {extra.strip() for extra in extras} - {""}
    return written | {re.sub(r"[-_.]+", "-", extra).lower() for extra in written}
