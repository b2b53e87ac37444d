"""Where the user keeps what is for all projects."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_folder() -> Path | None:
    """The folder of penstock's own; None for a user without a home."""
    if sys.platform != "linux":
        import platformdirs  # 11 ms, for what is one line on Linux

        folder = platformdirs.user_config_dir("penstock", appauthor=False)
    else:
        base = os.environ.get("XDG_CONFIG_HOME", "").strip() or os.path.expanduser("~/.config")
        folder = f"{base}/penstock"
    return Path(folder) if os.path.isabs(folder) else None
