"""Records that are not what they should be: cut, damaged, edited, signed by somebody else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from damages import HUGE, damaged

from penstock.artifacts.trust import Key, Keyring

STRANGER = Key.of("a stranger's")

Text = dict[str, Any]

DEEP = 3000
"""Brackets in brackets: more than Python's stack takes."""

WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, "", "x", [], {}, [[]], [None], {"": None}, {"x": 1}, [1, "a"]),
    *(float("nan"), float("inf"), -float("inf"), 1e308, *HUGE, *(-n for n in HUGE), 10**400),
    *("\ud800", "\x00", "\x1b[31mred\x1b[0m", "../../etc/passwd", "/etc/passwd", "a" * 100_000),
    *("last", "completed", "paused", "0" * 64, "f" * 64, "\u202e", "<script>", "${env:HOME}"),
    *({"$set": [[]]}, {"$bytes": "="}, {"$dict": [[{}, 1]]}, {"$tuple": "ab"}),
)
"""What may stand in the place of something else."""

LATER: Text = {
    "version": 9,
    "retention": {"days": 9},
    "shards": [[1, 2], {"a": None}],
    "of": "a later version",
}
"""Fields that nobody knows yet."""


def cuts(data: bytes) -> Iterator[bytes]:
    """The beginnings of a record, of every length."""
    return (data[:length] for length in range(len(data)))


def forged(
    data: bytes, own: Keyring, others: list[bytes], count: int, seed: str
) -> Iterator[bytes]:
    """So many versions of a record, none of which says what it says. Those that are signed with a
    key that counts are such as a later version could write, or one with a defect."""
    rng = random.Random(seed)
    yield from damaged(data, count // 3, seed, others)
    *lines, signature, _ = data.split(b"\n")
    first = json.loads(lines[0])
    for _ in range(count - count // 3):
        text = b"\n".join([edited(first, rng), *(line_of(each, rng) for each in lines[1:])])
        yield rng.choice(SIGNED)(text, signature, own, rng)


def edited(first: Text, rng: random.Random) -> bytes:
    """The first line with one to three things changed."""
    changed = json.loads(json.dumps(first))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if isinstance(changed, dict) and changed:
            changed = rng.choice(EDITS)(changed, rng)
    text = json.dumps(changed).encode()
    if rng.random() < 0.03:
        return b'{"a":' * DEEP + text + b"}" * DEEP
    return text.replace(b'"DEEP"', b"[" * DEEP + b"]" * DEEP)


def line_of(line: bytes, rng: random.Random) -> bytes:
    """What follows the first line: what the key is made of."""
    if rng.random() < 0.8:
        return line
    return rng.choice((b"", b"{}", b"null", b"[" * DEEP, line[: len(line) // 2], b"\xff\xfe"))


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something lies in a record, however deep."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for name, value in items:
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from places(value, (*path, name))


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for name in path:
        data = data[name]
    return data


def other_type(data: Text, rng: random.Random) -> Any:
    *above, name = rng.choice(list(places(data)))
    at(data, tuple(above))[name] = rng.choice(WRONG)
    return data


def without(data: Text, rng: random.Random) -> Any:
    *above, name = rng.choice(list(places(data)))
    del at(data, tuple(above))[name]
    return data


def swapped(data: Text, rng: random.Random) -> Any:
    """Two fields, each with the value of the other; not whole artifacts, which would be a lie that
    only whoever may sign can tell."""
    one, other = rng.choice(list(data)), rng.choice(list(data))
    data[one], data[other] = data[other], data[one]
    return data


def deep(data: Text, rng: random.Random) -> Any:
    data[rng.choice(list(data))] = "DEEP"
    return data


def later(data: Text, rng: random.Random) -> Any:
    *above, _ = rng.choice([path for path in places(data) if isinstance(path[-1], str)])
    name = rng.choice(list(LATER))
    at(data, tuple(above))[name] = LATER[name]
    return data


def of_another_kind(data: Text, rng: random.Random) -> Any:
    return rng.choice(WRONG)


def renamed(data: Text, rng: random.Random) -> Any:
    name = rng.choice(list(data))
    data[rng.choice(("x", name.upper(), f"{name} ", ""))] = data.pop(name)
    return data


EDITS: tuple[Callable[[Text, random.Random], Any], ...] = (
    *(other_type, other_type, other_type, without, swapped, deep, later, of_another_kind, renamed),
)


def as_before(text: bytes, signature: bytes, own: Keyring, rng: random.Random) -> bytes:
    return b"%b\n%b\n" % (text, signature)


def by_us(text: bytes, signature: bytes, own: Keyring, rng: random.Random) -> bytes:
    return own.sign(text)


def by_a_stranger(text: bytes, signature: bytes, own: Keyring, rng: random.Random) -> bytes:
    return Keyring(STRANGER, {}).sign(text)


def in_our_name(text: bytes, signature: bytes, own: Keyring, rng: random.Random) -> bytes:
    return Keyring(Key(own.signing.id, STRANGER.secret), {}).sign(text)


def by_nobody(text: bytes, signature: bytes, own: Keyring, rng: random.Random) -> bytes:
    return text + rng.choice((b"", b"\n", b"\n{}\n", b'\n{"key":"","mac":""}\n'))


SIGNED = (as_before, by_us, by_us, by_a_stranger, in_our_name, by_nobody)
