"""Resources: what a step needs of the machine that it runs on."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from penstock.errors import BadStep
from penstock.model.plain import is_number

UNITS: Final = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
"""Suffixes of a quantity of memory, as Kubernetes writes them."""

QUANTITY: Final = (
    f"a number and a unit are needed, one of {', '.join(unit for unit in UNITS if unit)}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a step needs of the machine that it runs on."""

    cpu: float | None = None
    """Cores, for example 0.5 or 2."""
    memory: str | None = None
    """Bytes with a suffix, for example "512Mi" or "4Gi"."""
    gpu: int | None = None
    """Whole accelerators."""

    def __post_init__(self) -> None:
        if self.cpu is not None and not (is_number(self.cpu) and self.cpu > 0):
            raise BadStep(f"Resources(cpu={self.cpu!r}): a positive number of cores is needed.")
        if self.gpu is not None and (type(self.gpu) is not int or self.gpu < 0):
            raise BadStep(f"Resources(gpu={self.gpu!r}): a whole number of devices is needed.")
        if self.memory is not None:
            memory_bytes(self.memory)

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) is not None for item in fields(self))


def memory_bytes(text: str) -> int:
    """Bytes in a quantity such as "512Mi". Raises `BadStep`."""
    size = quantity(text)
    if size is None:
        raise BadStep(f"Resources(memory={text!r}): {QUANTITY}", hint="For example memory='4Gi'.")
    return size


def size_bytes(text: object) -> int | None:
    """Bytes in a size as people write it, such as "10GB" or "10 GB"; None if it is none."""
    return quantity(re.sub(r"(?<=\d) ?([kMGT]i?)?B?$", r"\1", str(text)))


def quantity(text: object) -> int | None:
    """Bytes in a quantity such as "512Mi"; None if it is none."""
    match = re.fullmatch(r"(\d{1,18}(?:\.\d+)?)([kMGT]i?|Ki)?", str(text))
    if match is None or (match[2] or "") not in UNITS:
        return None
    return int(float(match[1]) * UNITS[match[2] or ""])
