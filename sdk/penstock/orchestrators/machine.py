"""The machine: what it has for the steps of this process, found out without running anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
"""The variable that says which GPUs a process sees; it is read once in each process."""

_DEVICE: Final = re.compile(r"\d+|(GPU|MIG)-\S+")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the operating system says; its files are looked for below `root`."""

    root: Path = Path("/")

    def cores(self) -> float:
        """Cores that this process may use."""
        try:
            usable = len(os.sched_getaffinity(0))
        except AttributeError:  # there is none on macOS
            usable = os.cpu_count() or 1
        return min([float(usable), *self._quotas()])

    def memory(self) -> int:
        """Bytes that this process may use, whether they are free now or not."""
        physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        limits = [int(text) for text in self._limits("memory.max") if text.strip().isdigit()]
        return min([physical, *limits])

    def gpus(self) -> tuple[str, ...]:
        """The accelerators that this process sees, as `CUDA_VISIBLE_DEVICES` names them."""
        if (named := os.environ.get(VISIBLE)) is not None:
            return tuple(_valid(named))
        found = sum(1 for _ in self.root.glob("proc/driver/nvidia/gpus/*"))
        found = found or sum(1 for _ in self.root.glob("dev/nvidia[0-9]*"))
        return numbered(found)

    def _quotas(self) -> Iterator[float]:
        """Cores that control groups leave to it."""
        for text in self._limits("cpu.max"):
            with suppress(ValueError):  # "max 100000": no limit
                share, period = text.split()
                yield int(share) / int(period)

    def _limits(self, name: str) -> Iterator[str]:
        """What this file says in the control group of this process, and in those around it.

        Control groups of version 2, as containers have them (docs.kernel.org, cgroup-v2).
        """
        with suppress(OSError):
            groups = (self.root / "proc/self/cgroup").read_text().splitlines()
            mine = next((line[3:] for line in groups if line.startswith("0::")), None)
            if mine is not None:
                group = Path(mine.strip("/"))
                for each in (group, *group.parents):
                    with suppress(OSError):
                        yield (self.root / "sys/fs/cgroup" / each / name).read_text()


def numbered(count: int) -> tuple[str, ...]:
    """So many devices by their numbers."""
    return tuple(map(str, range(count)))


def _valid(named: str) -> Iterator[str]:
    """The devices that count: as CUDA does it, those before the first that cannot be one."""
    for device in named.split(","):
        if not _DEVICE.fullmatch(device.strip()):
            return
        yield device.strip()
