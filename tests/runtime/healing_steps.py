"""Steps for the tests of healing: what they give is large enough to be an object of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock import step
from penstock.errors import CorruptArtifact


def noted(name: str, folder: str) -> int:
    """How often a step has run, this time included."""
    with Path(folder, name).open("a") as file:
        file.write("x")
    return Path(folder, name).stat().st_size


def times(name: str, folder: object) -> int:
    path = Path(str(folder), name)
    return path.stat().st_size if path.exists() else 0


def lost(folder: str, marks: list[str]) -> int:
    """Delete every object that holds one of these words again and again."""
    found = [
        each
        for each in Path(folder, "store", "objects").glob("*/*")
        if any(mark.encode() * 50 in each.read_bytes() for mark in marks)
    ]
    for each in found:
        each.unlink()
    return len(found)


def long(word: str) -> bytes:
    return word.encode() * 2000


@step
def source(folder: str) -> bytes:
    noted("source", folder)
    return long("source")


@step
def refined(raw: bytes, folder: str) -> bytes:
    noted("refined", folder)
    return long("refined") + raw[:6]


@step
def whimsical(folder: str) -> bytes:
    """Gives something else each time."""
    return long(f"whim{noted('whimsical', folder)}.")


@step
def stubborn(folder: str) -> bytes:
    """Can be had once only."""
    if noted("stubborn", folder) > 1:
        raise ValueError("once is enough")
    return long("stubborn")


@step(cache=False)
def lose(folder: str, marks: list[str]) -> int:
    return lost(folder, marks)


@step(cache=False)
def damage(folder: str, mark: str) -> None:
    """Write something else into an object, of the same length."""
    for each in Path(folder, "store", "objects").glob("*/*"):
        if mark.encode() * 50 in (data := each.read_bytes()):
            each.write_bytes(bytes(len(data)))


@step(cache=False)
def size(value: bytes, folder: str, again: int = 0) -> int:
    noted("size", folder)
    return len(value)


@step(cache=False)
def head(value: bytes) -> str:
    return value[:5].decode()


@step(cache=False, retries=1)
def greedy(value: bytes, folder: str, marks: list[str]) -> int:
    """Fails the first time, and takes away what it was given."""
    if noted("greedy", folder) == 1:
        lost(folder, marks)
        raise ValueError("not yet")
    return len(value)


@step
def listed(folder: str) -> list[bytes]:
    noted("listed", folder)
    return [long(f"piece{number}.") for number in range(3)]


@step
def doubled(piece: bytes, folder: str) -> bytes:
    noted("doubled", folder)
    return long("twice") + piece


@step(cache=False)
def sizes(pieces: list[bytes]) -> list[int]:
    return [len(each) for each in pieces]


@step(cache=False)
def one_size(piece: bytes) -> int:
    return len(piece)


@step
def long_word(folder: str) -> str:
    """True, as a condition, and not in the record."""
    noted("long_word", folder)
    return "word" * 2000


@step(cache=False)
def shape(value: Any) -> int:
    return len(value)


@step
def raising(value: bytes) -> int:
    raise CorruptArtifact("something of another store")
