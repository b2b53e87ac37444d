"""Where the user keeps what is for all projects."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_folder() -> Path | None:
    """What the user decided, and keys; None for a user without a home."""
    if sys.platform != "linux":
        import platformdirs  # 11 ms, for what is one line on Linux

        return _absolute(platformdirs.user_config_dir("penstock", appauthor=False))
    return _absolute(_base("XDG_CONFIG_HOME", "~/.config"))


def cache_folder() -> Path | None:
    """What can be found out again; None for a user without a home."""
    if sys.platform != "linux":
        import platformdirs  # as above

        return _absolute(platformdirs.user_cache_dir("penstock", appauthor=False))
    return _absolute(_base("XDG_CACHE_HOME", "~/.cache"))


def _base(variable: str, usual: str) -> str:
    return f"{os.environ.get(variable, '').strip() or os.path.expanduser(usual)}/penstock"


def _absolute(folder: str) -> Path | None:
    return Path(folder) if os.path.isabs(folder) else None
