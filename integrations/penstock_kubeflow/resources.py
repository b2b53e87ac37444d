"""Resources of a container, in the words that new and old Kubeflows read."""

from __future__ import annotations

import math
from typing import Any, Final

from penstock.model.resources import Resources, quantity
from penstock_kubeflow.settings import Settings

GPU: Final = "nvidia.com/gpu"
"""What a device is if nobody says which."""

_GIGABYTE: Final = 10**9


def of(made: Settings, resources: Resources | None) -> dict[str, Any]:
    """What a container asks for: the settings count before what the step says for every stack.

    Each amount stands there twice, as kfp's own compiler does it: as a number, for older Kubeflows,
    and as Kubernetes writes it. Where both are, the latter counts.
    """
    asked = resources or Resources()
    cpu = asked.cpu if made.cpu is None else made.cpu
    memory = asked.memory if made.memory is None else made.memory
    return {
        **_cpu("Request", cpu),
        **_cpu("Limit", cpu if made.cpu_limit is None else made.cpu_limit),
        **_memory("Request", memory),
        **_memory("Limit", memory if made.memory_limit is None else made.memory_limit),
        **_devices(made, asked),
    }


def _cpu(what: str, cores: float | None) -> dict[str, Any]:
    if cores is None:
        return {}
    thousandths = math.ceil(round(cores * 1000, 6))
    text = f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)
    return {f"cpu{what}": thousandths / 1000, f"resourceCpu{what}": text}


def _memory(what: str, size: str | None) -> dict[str, Any]:
    if size is None:
        return {}
    number = quantity(size)
    assert number is not None, "both kinds of sizes were checked where they were given"
    return {f"memory{what}": number / _GIGABYTE, f"resourceMemory{what}": size}


def _devices(made: Settings, asked: Resources) -> dict[str, Any]:
    count = asked.gpu if made.accelerator_count is None else made.accelerator_count
    if count is None and made.accelerator is not None:
        count = 1
    if not count:
        return {}
    kind = made.accelerator or GPU
    said = {"type": kind, "count": str(count), "resourceType": kind, "resourceCount": str(count)}
    return {"accelerator": said}
