"""Pipelines on a folder that behaves as if it were far away: `outbox_steps.py PIPELINE [--die]`."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from penstock import LocalArtifactStore, pipeline, step
from penstock.artifacts.store import ArtifactStore, Buffer
from penstock.errors import StoreUnavailable


@dataclass(frozen=True, kw_only=True)
class FarAway(LocalArtifactStore):
    """Writes take `latency` seconds, and none goes to a key that has what the file `refused` says
    in it."""

    flavor: ClassVar[str] = "far-away"

    latency: float = 0.0

    @property
    def distant(self) -> bool:
        return True

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        time.sleep(self.latency)
        refused = Path("refused")
        if refused.exists() and refused.read_text() in key:
            raise StoreUnavailable(f"The store refuses {key}.", hint="Ask for it.")
        super().put(key, buffers, exclusive=exclusive)

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        return ArtifactStore.publish(self, keys, data)


@step
def made(number: int) -> list[int]:
    return [number] * 2000  # too much for a record


@step
def more(before: list[int], by: int) -> list[int]:
    return [each + by for each in before]


@step
def asleep(before: list[int]) -> int:
    if not Path("awake").exists():
        Path("sleeps").touch()
        time.sleep(60)
    return sum(before)


@step(step_operator="apart")
def more_apart(before: list[int], by: int) -> list[int]:
    return [each + by for each in before]


@step
def rounded(number: float) -> int:
    return round(number)


@pipeline
def chain() -> int:
    value = made(1)
    for by in range(5):
        value = more(value, by)
    return asleep(value)


@pipeline
def branches(count: int = 8) -> list[int]:
    return [asleep(more(made(number), 1)) for number in range(count)]


@pipeline
def apart() -> list[int]:
    """From here to another process, and back."""
    return more(more_apart(more(made(1), 1), 2), 3)


@pipeline
def hits(number: float = 3.1) -> list[int]:
    """What is behind `rounded` may be found in the cache once that has run."""
    return more(more(made(rounded(number)), 1), 2)


if __name__ == "__main__":
    name, *flags = sys.argv[1:]
    sys.argv[1:] = [flag for flag in flags if flag != "--die"]
    if "--die" in flags:
        run = globals()[name].run()
        os.kill(os.getpid(), signal.SIGKILL)
    globals()[name].cli()
