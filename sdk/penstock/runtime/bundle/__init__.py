"""The bundle: a project's code as one archive, for machines on which the project does not lie.

Names are found on first use: who opens a bundle loads nothing of what packs one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lazy import attach

if TYPE_CHECKING:
    from penstock.runtime.bundle.manifest import Manifest as Manifest
    from penstock.runtime.bundle.opening import as_main as as_main
    from penstock.runtime.bundle.opening import opened as opened
    from penstock.runtime.bundle.opening import reopened as reopened
    from penstock.runtime.bundle.own import is_running as is_running
    from penstock.runtime.bundle.own import penstock_of as penstock_of
    from penstock.runtime.bundle.packing import Packed as Packed
    from penstock.runtime.bundle.packing import packed as packed

__all__ = [
    "Manifest",
    "Packed",
    "as_main",
    "is_running",
    "opened",
    "packed",
    "penstock_of",
    "reopened",
]
__getattr__ = attach(
    __name__,
    {
        "Manifest": "penstock.runtime.bundle.manifest",
        "Packed": "penstock.runtime.bundle.packing",
        "as_main": "penstock.runtime.bundle.opening",
        "is_running": "penstock.runtime.bundle.own",
        "opened": "penstock.runtime.bundle.opening",
        "packed": "penstock.runtime.bundle.packing",
        "penstock_of": "penstock.runtime.bundle.own",
        "reopened": "penstock.runtime.bundle.opening",
    },
)
