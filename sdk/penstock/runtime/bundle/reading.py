"""Reading what travels: each file as a member of the archive. What is no file stays here, and all
together may not be too large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from penstock.errors import CannotRun, listed
from penstock.quantities import size
from penstock.runtime.bundle.archive import Member
from penstock.runtime.bundle.links import Links
from penstock.runtime.bundle.tree import Leaf

LIMIT: Final = 50 << 20
"""Bytes of all files together. Code is small; what is larger is mostly data that lies beside it."""

_SHOWN: Final = 5


def check_size(leaves: Sequence[Leaf], limit: int) -> None:
    """Raise `CannotRun` if they are too large together, naming the largest."""
    files = [leaf for leaf in leaves if leaf.is_file]
    total = sum(leaf.found.st_size for leaf in files)
    if total <= limit:
        return
    largest = sorted(files, key=lambda leaf: (-leaf.found.st_size, leaf.path))[:_SHOWN]
    lines = [f"  {size(leaf.found.st_size)}  {leaf.path}" for leaf in largest]
    raise CannotRun(
        f"The project's code is too large to be sent: {size(total)} in {len(files):,} files of "
        f"{leaves[0].tree.root}, where {size(limit)} may be. The largest:\n" + "\n".join(lines),
        hint="Leave out what the steps do not read from there:\n"
        + "\n".join(f"  {leaf.leaves_out}" for leaf in largest if _is_large(leaf, largest[0])),
    )


def _is_large(leaf: Leaf, largest: Leaf) -> bool:
    """Whether it would help to leave a file out."""
    return leaf.found.st_size * 100 >= largest.found.st_size


def members(leaves: Sequence[Leaf], remarks: list[str]) -> Iterator[Member]:
    """All files, and the links among them."""
    links = Links(leaves)
    special, astray, unreadable = [], [], []
    for leaf in leaves:
        if not (leaf.is_file or leaf.is_link):
            special.append(leaf.path)
            continue
        try:
            member = links.member(leaf) if leaf.is_link else _file(leaf)
        except FileNotFoundError:  # it has vanished meanwhile
            continue
        except OSError as error:
            unreadable.append((leaf, error.strerror))
            continue
        if member is not None:
            yield member
        else:
            astray.append(leaf.path)
    if unreadable:
        raise _unreadable(unreadable)
    if astray:
        remarks.append(f"not sent, as these links lead to nothing that is: {listed(astray)}")
    if special:
        remarks.append(f"not sent, as they are no files: {listed(special)}")


def _file(leaf: Leaf) -> Member:
    with open(leaf.path, "rb", buffering=0) as file:
        return Member(leaf.place, file.readall(), bool(leaf.found.st_mode & 0o100))


def _unreadable(found: list[tuple[Leaf, str | None]]) -> CannotRun:
    lines = [f"  {leaf.path}: {why}" for leaf, why in found[:_SHOWN]]
    more = f"\n  and {len(found) - _SHOWN:,} more" if found[_SHOWN:] else ""
    return CannotRun(
        "Files of the project's code cannot be read:\n" + "\n".join(lines) + more,
        hint=f"Make them readable, or leave them out: {found[0][0].leaves_out}",
    )
