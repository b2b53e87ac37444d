"""Processes that register components in one file, all at once; some are killed meanwhile.

`registering.py FILE PROCESSES EACH KILLED [planted]` prints what they were told is registered.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from penstock.stack.changing.document import Document
from penstock.stack.changing.writing import writing

ENTRY = {"flavor": "oven"}


@contextmanager
def unguarded(file: Path) -> Iterator[Document]:
    """The planted defect: everybody has read before anybody writes."""
    document = Document(file.read_text(), file)
    barrier.wait()
    yield document
    file.write_text(document.text)


def child(work: Callable[[], None]) -> int:
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return pid


def register(name: str, said: int) -> None:
    with edited(file) as document:
        document.put("orchestrators", name, ENTRY)
    os.write(said, f"{name}\n".encode())


def victim(number: int, said: int, holds: int) -> None:
    """Has the lock again and again, says so early or late, and registers."""
    for each in count():
        name = f"victim-{number}-{each}"
        with edited(file) as document:
            if number % 2:
                os.write(holds, b".")
            document.put("orchestrators", name, ENTRY)
            os.write(holds, b".")
        os.write(said, f"{name}\n".encode())


def kill(number: int, said: int) -> None:
    """Let one die as it holds the lock: before it writes, while it does, or a moment later."""
    heard, holds = os.pipe()
    pid = child(lambda: victim(number, said, holds))
    os.read(heard, 1)
    time.sleep(random.Random(number).choice([0, 0.001, 0.003, 0.01, 0.03]))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    file = Path(sys.argv[1])
    processes, each, killed = map(int, sys.argv[2:5])
    edited = unguarded if sys.argv[5:] else writing
    barrier = multiprocessing.get_context("fork").Barrier(processes)
    with writing(file):
        pass  # what that imports, it imports for all of them
    told = file.with_name("told")
    said = os.open(told, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    children = [
        child(lambda one=one: [register(f"c-{one}-{i}", said) for i in range(each)])
        for one in range(processes)
    ]
    for number in range(killed):
        kill(number, said)
    failed = sum(os.waitpid(pid, 0)[1] != 0 for pid in children)
    print(json.dumps({"failed": failed, "told": told.read_text().split()}))
