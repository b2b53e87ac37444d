"""Many who want the same keys: threads of one process, which says at the end which they got.

    python writers.py '{"store": "S3ArtifactStore", "options": {…}, "first": 0, "threads": 8, …}'

It begins when it is told a line.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import planted_s3_stores

from penstock.artifacts.store import ArtifactStore
from penstock.errors import KeyTaken
from penstock_s3 import S3ArtifactStore

Winners: TypeAlias = dict[str, list[int]]
"""Who believes to have written a key; and who failed, under what he says."""

FAILED = "failed: "

KINDS: dict[str, Any] = {**vars(planted_s3_stores), "S3ArtifactStore": S3ArtifactStore}


def what(writer: int) -> bytes:
    """What a writer writes: nobody else writes this, nor as much."""
    return b"%d" % writer * (1000 + writer)


def race(
    store: str, options: dict[str, Any], *, writers: int, keys: int, processes: int
) -> Winners:
    """Let them all go for all keys."""
    threads = writers // processes
    told = {"store": store, "options": options, "threads": threads, "keys": keys}
    with ExitStack() as stack:
        crew = [_started(stack, {**told, "first": threads * n}) for n in range(processes)]
        for one in crew:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        said = [one.communicate("go\n", timeout=240)[0] for one in crew]
    winners: Winners = {f"keys/{number}": [] for number in range(keys)}
    for text in said:
        for key, writer in json.loads(text):
            winners.setdefault(key, []).append(writer)
    return winners


def _started(stack: ExitStack, told: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__)), json.dumps(told)]
    pipe = subprocess.PIPE
    return stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True))


def compete(store: ArtifactStore, first: int, threads: int, keys: int) -> list[tuple[str, int]]:
    """Each thread goes for each key, all for the same at the same time."""
    together = threading.Barrier(threads)

    def one(writer: int) -> list[tuple[str, int]]:
        won = []
        for number in range(keys):
            together.wait()
            try:
                store.put(f"keys/{number}", [what(writer)], exclusive=True)
            except KeyTaken:
                continue
            except Exception as error:  # the others are waiting
                won.append((f"{FAILED}{error!r}", writer))
                continue
            won.append((f"keys/{number}", writer))
        return won

    with ThreadPoolExecutor(threads) as pool:
        return [pair for pairs in pool.map(one, range(first, first + threads)) for pair in pairs]


def main(told: dict[str, Any]) -> None:
    store: ArtifactStore = KINDS[told["store"]](name="raced", **told["options"])
    list(store.keys("ready/"))  # all that is heavy is loaded then
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(compete(store, told["first"], told["threads"], told["keys"])))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
