"""Compiled: files that an orchestrator has written for its engine. They name the archive, so an
archive with one in it would be another one after each compilation."""

from __future__ import annotations

import os
from typing import Final

from penstock.stack.orchestrator import MARK

_ENDS: Final = (".yaml", ".yml")
_MARK: Final = MARK.encode()


def is_one(path: str) -> bool:
    """Whether a file begins as they do. Of one that cannot be read somebody else will tell."""
    if not path.endswith(_ENDS) or not os.path.isfile(path):
        return False
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(len(_MARK)) == _MARK
    except OSError:
        return False
