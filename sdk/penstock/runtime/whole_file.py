"""Files of the user's, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from penstock.runtime.runid import nonce


def write(path: Path, pieces: Iterable[str]) -> None:
    """Put a text there, in place of an earlier one. Raises `OSError`."""
    fresh = path.with_name(f".penstock-{nonce()}")
    try:
        with open(fresh, "x", encoding="utf-8", newline="\n") as file:
            file.writelines(pieces)
        os.replace(fresh, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh)
