"""What may lie in a store in the place of something else, or beside it, though nobody put it there
through penstock: a file manager, a synchroniser, somebody by mistake."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

Put = Callable[[Path], None]


def nothing(place: Path) -> None:
    """Somebody has deleted it."""


def folder(place: Path) -> None:
    place.mkdir()


def full_folder(place: Path) -> None:
    (place / "in it").mkdir(parents=True)
    (place / "in it" / "file").write_text("text")


def empty_file(place: Path) -> None:
    place.touch()


def zeros(place: Path) -> None:
    """What a power failure leaves."""
    place.write_bytes(bytes(4096))


def text(place: Path) -> None:
    place.write_text("This is no record.\n")


def dangling_link(place: Path) -> None:
    place.symlink_to("nowhere")


def link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


def link_to_a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def link_out(place: Path) -> None:
    place.symlink_to("/etc/passwd")


def pipe(place: Path) -> None:
    """Whoever opens it waits for somebody at its other end."""
    os.mkfifo(place)


def plug(place: Path) -> None:
    """A socket. Its name may be short only: it is made elsewhere."""
    made = Path("plug")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(str(made))
    os.replace(made, place)


INSTEAD: tuple[Put, ...] = (
    *(nothing, folder, full_folder, empty_file, zeros, text, dangling_link, link_to_itself),
    *(link_to_a_device, link_out, pipe, plug),
)

BESIDE = (
    *(".DS_Store", "Thumbs.db", "desktop.ini", "a copy.json", "x.json~", ".nfs0000", "name\nline"),
    *("\udcff.json", "ünï", "a" * 200, "..data", "conflicted (1).json", "run", "x.json.part"),
    *("stranger-x.json", "other", "0", "zz", "f" * 64),
)
"""Names of files that others leave."""


def replaced(place: Path, put: Put) -> None:
    """Put something else in the place of what is there."""
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink()
    put(place)


def crowded(folder: Path) -> None:
    """Put strangers beside all that is there: under every name something, and under names that
    might be ours everything."""
    for number, name in enumerate(BESIDE):
        INSTEAD[1:][number % len(INSTEAD[1:])](folder / name)
    for number, put in enumerate(INSTEAD[1:]):
        put(folder / f"stranger-{number}")
        put(folder / f"stranger-{number}.json")
