"""Ways in which bytes go wrong on a disk, and ways in which somebody makes them wrong."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Damage = Callable[[bytearray, random.Random], bytearray]

HUGE: tuple[int, ...] = (2**60, 2**63 - 1, 2**64 - 1, 2**40, 2**32 - 1, 2**31, 2**31 - 1, 2**20)
"""Numbers that a parser should not believe."""


def flip(data: bytearray, rng: random.Random) -> bytearray:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def flip_many(data: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.randrange(2, 40)):
        flip(data, rng)
    return data


def cut(data: bytearray, rng: random.Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def empty(data: bytearray, rng: random.Random) -> bytearray:
    return bytearray()


def extend(data: bytearray, rng: random.Random) -> bytearray:
    return data + rng.randbytes(rng.choice((1, 7, 64, 4096)))


def append_itself(data: bytearray, rng: random.Random) -> bytearray:
    return data + data


def lose_the_beginning(data: bytearray, rng: random.Random) -> bytearray:
    return data[rng.randrange(1, len(data) + 1) :]


def hole(data: bytearray, rng: random.Random) -> bytearray:
    """What a lost block leaves: zeros."""
    at = rng.randrange(len(data))
    size = min(rng.choice((1, 8, 512, 4096)), len(data) - at)
    data[at : at + size] = bytes(size)
    return data


def move(data: bytearray, rng: random.Random) -> bytearray:
    """A piece of it in another place of it."""
    size = rng.randrange(1, max(2, len(data) // 2))
    source, target = (rng.randrange(len(data) - size + 1) for _ in range(2))
    data[target : target + size] = data[source : source + size]
    return data


def doubled(data: bytearray, rng: random.Random) -> bytearray:
    """A piece of it twice."""
    at = rng.randrange(len(data))
    return data[:at] + data[at : at + rng.randrange(1, 100)] + data[at:]


def number(data: bytearray, rng: random.Random) -> bytearray:
    """A large number where one may be: lengths, counts and offsets lie at such places."""
    size = rng.choice((4, 8))
    at = rng.randrange(0, max(1, min(len(data), 4096) - size), 4)
    if rng.random() < 0.3:  # from the end: footers are there
        at = max(0, len(data) - size - 2 * rng.randrange(60))
    wrong = rng.choice((*HUGE, 0, 1, rng.getrandbits(63)))
    data[at : at + size] = struct.pack("<Q", wrong)[:size] if rng.random() < 0.8 else b"\xff" * size
    return data


ALL: Sequence[Damage] = (
    *(flip, flip, flip_many, cut, empty, extend, append_itself, lose_the_beginning),
    *(hole, move, doubled, number),
)


def damaged(data: bytes, count: int, seed: str, others: Sequence[bytes] = ()) -> Iterator[bytes]:
    """So many versions of the data, none of which is the data; `others` are taken for it, too."""
    rng = random.Random(seed)
    while count:
        if others and rng.random() < 0.05:
            bad = rng.choice(others)
        else:
            bad = bytes(rng.choice(ALL)(bytearray(data), rng))
        if bad != data:
            count -= 1
            yield bad


def in_place(file: Path, data: bytes) -> None:
    """Over what is in the file, which stays the same file."""
    with file.open("r+b") as opened:
        opened.truncate(len(data))
        opened.write(data)


def renamed(file: Path, data: bytes) -> None:
    """Another file in its place."""
    file.with_name("other").write_bytes(data)
    os.replace(file.with_name("other"), file)


def unnoticed(file: Path, data: bytes) -> None:
    """In place, and the time of the last change put back."""
    before = file.stat()
    in_place(file, data)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
