"""Load bytes that somebody has made up, as a record of a stranger would have them loaded: right in
digest and size, wrong in everything else. `python hostile_bytes.py COUNT FORMAT...`, or for some
bytes of your own `python hostile_bytes.py 1 FORMAT --bytes HEX`.

In a process of its own with little memory: it may crash, hang, or be told to fill the machine. For
each format it prints a line: its id, and a count of what became of the bytes.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sys
import warnings
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

from damages import ALL, HUGE
from samples_of_formats import kind, saved, seen

from penstock.artifacts.formats import registry
from penstock.artifacts.formats.framed import MAGIC
from penstock.artifacts.values import Code, Trust, Values
from penstock.digest import of_buffers
from penstock.errors import CorruptArtifact, PenstockError
from penstock.model.records import Artifact
from penstock.testing import MemoryArtifactStore

ROOM = 512 << 20
"""Bytes of address space that loading some kilobytes may take."""

LONGEST = 20
"""Seconds after which a case hangs."""

MANY = 10**6
"""Numbers that are not looked at one by one: there are types whose values take no bytes."""

WORDS = [
    *(b"null", b"true", b"-1", b"1e999", b"NaN", b'""', b'"\\ud800"', b'"\\u0000"', b'".."'),
    *(
        b'"/etc/passwd"',
        b"[]",
        b"{}",
        b"[[]]",
        b'{"$set":[[]]}',
        b'{"$bytes":"="}',
        b'{"$int":"g"}',
    ),
    *(b'{"$dict":[[{},1]]}', b'{"$tuple":"ab"}', b"9" * 5000, b"[" * 5000, b'{"a":' * 5000, b"\n"),
    *(str(number).encode() for number in HUGE),
    *(str(-number).encode() for number in HUGE),
]
"""What a text may have in the place of something else."""


FRAME = 40
"""Bytes of a pickle before its stream, more or less. The stream itself is loaded under a signature
only: there is no wrong one of our own."""


def word(data: bytearray, rng: random.Random) -> bytearray:
    """Another value, or another bracket, in a text."""
    ends = [n for n, each in enumerate(data) if each in b'[]{},:"'] or [0]
    begin = rng.choice(ends)
    end = min(
        [n for n in ends if n > begin][: rng.randrange(1, 4)] or [len(data)], key=lambda n: -n
    )
    return data[: begin + 1] + rng.choice(WORDS) + data[end:]


def versions(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """The bytes with one to three things wrong."""
    rng = random.Random(seed)
    textual = data[:1] in b'{["'
    framed = data.startswith(MAGIC)
    for _ in range(count):
        bad = bytearray(data[:FRAME] if framed else data)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            if bad:
                bad = (
                    word(bad, rng) if textual and rng.random() < 0.5 else rng.choice(ALL)(bad, rng)
                )
        yield bytes(bad) + data[FRAME:] if framed else bytes(bad)


def memory_was_asked_for(error: BaseException | None) -> bool:
    """Whether the parser wanted more than there is."""
    while error is not None:
        if isinstance(error, MemoryError) or "malloc" in str(error) or "realloc" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def load(values: Values, id: str, data: bytes, folder: Path) -> str:
    """What becomes of the bytes, in a word."""
    artifact = Artifact(id, of_buffers([data]), len(data), "", data)
    # What nobody vouches for is not even looked at, if it runs code or leads elsewhere.
    trusted = Trust(registry.runs_code(id) or registry.is_outside(id))
    signal.alarm(LONGEST)
    try:
        value = values.load(artifact, kind(id), "The value", lambda: folder, trusted)
        if getattr(value, "size", 0) < MANY and getattr(value, "num_rows", 0) < MANY:
            seen(value)  # a wrong offset shows when it is followed
    except CorruptArtifact as error:
        return "huge" if memory_was_asked_for(error) else "corrupt"
    except PenstockError as error:
        return "huge" if memory_was_asked_for(error) else type(error).__name__
    finally:
        signal.alarm(0)
    return "taken"


def became(id: str, count: int, given: bytes | None) -> Counter[str]:
    warnings.simplefilter("ignore")
    values = Values(MemoryArtifactStore(path="memory"), lambda names: Code())
    found: Counter[str] = Counter()
    with TemporaryDirectory() as place:
        cases: list[bytes] = []
        for length in (2, 60):
            artifact = saved(values, id, length)
            data = bytes(values.buffer(artifact, "The value"))
            assert load(values, id, data, Path(mkdtemp(dir=place))) == "taken"
            cases += versions(data, count // 2, f"{id}{length}")
        cases = [given] if given is not None else cases
        limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
        for data in cases:
            said = load(values, id, data, Path(mkdtemp(dir=place)))
            found[said] += 1
            if said == "huge":
                print(said, id, data[:3000].hex(), file=sys.stderr)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    return found


def main(count: int, ids: list[str], given: bytes | None) -> None:
    for id in ids:
        print(json.dumps([id, became(id, count, given)]), flush=True)


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("ids", nargs="+")
    parser.add_argument("--bytes", type=bytes.fromhex)
    words = parser.parse_args()
    main(words.count, words.ids, words.bytes)
