"""Amounts: numbers and sizes of settings that no pod can have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from penstock.model.resources import quantity
from penstock_kubeflow import volumes

if TYPE_CHECKING:
    from penstock.model.resources import Resources
    from penstock_kubeflow.settings import Settings

MOST_PODS: Final = 1_000
"""Shares of one map: each is a task, and no pipeline has room for more."""

MOST: Final = 2**31 - 1
"""Of seconds of a deadline, and of the numbers of users and groups (Kubernetes' validation)."""
LEAST: Final = 2**20
"""Bytes of memory: with less, no container starts."""
_DEVICE: Final = re.compile(
    r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
)
"""A device has the domain of whoever makes it before its name."""


def refused(made: Settings) -> Iterator[str]:
    """What is wrong with amounts, a sentence each."""
    yield from _numbers(made)
    yield from _sizes(made)
    yield from limits(made, None)
    yield from _devices(made)


def limits(made: Settings, asked: Resources | None) -> Iterator[str]:
    """A limit below what is asked for is refused by Kubernetes. `asked`: what the step says for
    every stack."""
    for name in ("cpu", "memory"):
        most, own = getattr(made, f"{name}_limit"), getattr(made, name)
        wanted = getattr(asked, name, None) if own is None else own
        who = f"Resources({name}={wanted!r})" if own is None else f"{name!r}, {wanted!r}"
        if most is not None and wanted is not None and _more(wanted, most):
            yield (
                f"setting '{name}_limit': {most!r} is less than what is asked for by {who}, and "
                "Kubernetes refuses such a pod. Write the same or more, or no limit."
            )


def _more(wanted: object, most: object) -> bool:
    if isinstance(wanted, int | float) and isinstance(most, int | float):
        return wanted > most
    return (quantity(wanted) or 0) > (quantity(most) or math.inf)


def _numbers(made: Settings) -> Iterator[str]:
    for name in ("cpu", "cpu_limit", "deadline"):
        value = getattr(made, name)
        if value is not None and not (value > 0 and math.isfinite(value)):
            yield _unfit(name, value, "a positive number")
    if made.deadline is not None and MOST < made.deadline < math.inf:
        yield _unfit("deadline", made.deadline, f"at most {MOST:,}, or none at all,")
    if not 1 <= made.pods <= MOST_PODS:
        yield _unfit("pods", made.pods, f"1 to {MOST_PODS:,}")
    for name in ("run_as_user", "run_as_group"):
        value = getattr(made.security_context, name, None)
        if value is not None and value < 0:
            yield _unfit(f"security_context.{name}", value, "0 or more")
        elif value is not None and value > MOST:
            yield _unfit(f"security_context.{name}", value, f"at most {MOST:,}")


def _sizes(made: Settings) -> Iterator[str]:
    for name in ("memory", "memory_limit", "shared_memory"):
        value = getattr(made, name)
        size = None if value is None else quantity(value)
        if value is not None and not size:
            yield _unfit(name, value, "for example '4Gi'")
        elif size and size < LEAST and name != "shared_memory":
            yield _unfit(name, value, f"a unit (that is {size:,} bytes), for example '4Gi',")
    for each in volumes.of(made):
        said = each.size or each.setting == "ephemeral_volumes"
        if said and each.path != volumes.SHARED_MEMORY and not quantity(each.size):
            yield _unfit(each.setting, each.size, "for example '20Gi'")


def _devices(made: Settings) -> Iterator[str]:
    if made.accelerator_count is not None and made.accelerator_count < 0:
        yield _unfit("accelerator_count", made.accelerator_count, "0 or more")
    if made.accelerator is not None and not _DEVICE.fullmatch(made.accelerator):
        needed = "the maker's domain and the device, for example 'nvidia.com/gpu'"
        yield _unfit("accelerator", made.accelerator, needed)


def _unfit(setting: str, value: object, needed: str) -> str:
    return f"setting {setting!r}: {value!r} does not fit: {needed} is needed."
