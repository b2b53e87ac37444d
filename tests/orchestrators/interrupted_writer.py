"""A process in which Ctrl-C is pressed while the caller's thread writes a large output.

A process of its own, because signals are a process's: of other tests there may be runs that listen.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.draft import Draft
from penstock.artifacts.objects import MEANWHILE
from penstock.artifacts.source import Source

LONG = 30
begun = threading.Event()


class Interrupting:
    """Bytes in whose midst Ctrl-C is pressed."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def written_to(self, fd: int, most: int) -> Iterator[int]:
        for number, end in enumerate(self._source.written_to(fd, most)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGINT)
            yield end


class Interrupted(LocalArtifactStore):
    flavor: ClassVar[str] = "interrupted"

    def draft(self, source: Source) -> Draft:
        assert begun.wait(LONG)
        return super().draft(Interrupting(source))


@step(cache=False)
def large() -> bytes:
    return bytes(MEANWHILE)


@step(cache=False)
def beside() -> None:
    begun.set()
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        time.sleep(0.001)


@step(cache=False)
def after(value: bytes) -> int:
    return len(value)


@pipeline(progress=False)
def stopping() -> Any:
    value = large()
    return [beside(), after(value)]


def main() -> None:
    one = LocalOrchestrator(max_workers=1)
    stack = Stack("here", orchestrator=one, artifact_store=Interrupted())
    try:
        stopping.on(stack).run()
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("nobody has heard it")
    workers = [each.name for each in threading.enumerate() if each.name == "penstock-worker"]
    objects = Path(".penstock/objects").glob("*/*")
    found = {
        "statuses": {view.id: str(view.status) for view in Client(stack).run("last")},
        "temporary": os.listdir(".penstock/tmp"),
        "workers": workers,
        "large objects": sum(file.stat().st_size >= MEANWHILE for file in objects),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
