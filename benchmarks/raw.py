"""What the children of the baseline run: the plain calls, and the bare file operations.

    python raw.py write 1000 700

A step that is computed is one temporary file with a record in it, two links and one unlink; one
that is found is one open, one read and one close. Either way the run has two files of its own.
Folders are made and names thought of before the clock starts.
"""

from __future__ import annotations

import json
import os
import sys
from hashlib import blake2b

from clock import took


def following(number: int) -> int:
    return number + 1


def write(steps: list[tuple[str, str]], data: bytes) -> None:
    """Call a function for each step, and record it."""
    number = 0
    for names in steps:
        number = following(number)
        publish(data, *names)


def read(steps: list[tuple[str, str]], size: int) -> None:
    """Read what `write` wrote."""
    for entry, _ in steps:
        file = os.open(entry, os.O_RDONLY | os.O_CLOEXEC)
        os.read(file, size)
        os.close(file)


def publish(data: bytes, *names: str) -> None:
    """One file, under each of these names."""
    temp = f"tmp/{os.getpid()}-{os.urandom(4).hex()}"
    file = os.open(temp, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    os.write(file, data)
    os.close(file)
    for name in names:
        os.link(temp, name)
    os.unlink(temp)


def names(run: str, number: int) -> tuple[str, str]:
    """Cache entry and record of a step: as long as the real ones, and as scattered."""
    key = blake2b(b"%d" % number, digest_size=32).hexdigest()
    return f"cache/{key[:2]}/{key}", f"{run}/steps/following-{number}.json"


def main(what: str, count: int, size: int) -> None:
    run = f"runs/{what}"
    for folder in ("tmp", f"{run}/steps", *(f"cache/{number:02x}" for number in range(256))):
        os.makedirs(folder, exist_ok=True)
    steps, data = [names(run, number) for number in range(count)], b"x" * size

    def work() -> None:
        publish(data, f"{run}/run.json")
        write(steps, data) if what == "write" else read(steps, size)
        publish(data, f"{run}/end.json")

    print(json.dumps(took(work)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
