"""Which way of writing a driver needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from penstock.artifacts.drivers.at_once import AtOnce, Conditional, InMemory
from penstock.artifacts.drivers.renamed import OverSsh, Renamed

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

KNOWN: Final[dict[str, AtOnce]] = {
    "memory": InMemory(),
    **dict.fromkeys(("gs", "gcs", "az", "abfs", "abfss"), Conditional()),
    **dict.fromkeys(("sftp", "ssh"), OverSsh()),
}
AT_ONCE: Final = AtOnce()
RENAMED: Final = Renamed()


def way_of(protocol: str, driver: type[AbstractFileSystem]) -> AtOnce:
    """How objects are written whole behind a protocol."""
    from fsspec import AbstractFileSystem  # loaded already, as the driver is

    if way := KNOWN.get(protocol):
        return way
    # What can rename has files, which are written in place. Where a move is a copy and a deletion,
    # as fsspec does it by itself, a rename would make nothing whole.
    return AT_ONCE if driver.mv is AbstractFileSystem.mv else RENAMED
