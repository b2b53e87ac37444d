"""Search path: where a process of ours must look for the user's modules, to find what we found."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path


def for_same() -> list[str]:
    """Folders that this process has been told of, for another one of the same interpreter."""
    own = _own()
    return [entry for entry in _entries() if entry not in own]


def for_other(root: Path) -> list[str]:
    """The project's folders, for another interpreter: the libraries of this one are not for it."""
    own = _own()
    main = getattr(sys.modules["__main__"], "__file__", None)
    script = os.path.dirname(os.path.abspath(main)) if main else None
    return [
        entry
        for entry in _entries()
        if entry not in own
        and not _is_inside(entry, sys.prefix)
        and (_is_inside(entry, str(root)) or entry == script)
    ]


def _entries() -> list[str]:
    """What `sys.path` leads to, absolute; a text in it that is empty is the working directory."""
    found = map(os.path.abspath, sys.path)
    return [entry for entry in dict.fromkeys(found) if os.path.exists(entry)]


def _own() -> set[str]:
    """What every process of this interpreter has: the standard library and installed packages."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    libraries = [sysconfig.get_path(name) for name in names]
    dynamic = os.path.join(sysconfig.get_path("platstdlib"), "lib-dynload")
    folders = [*libraries, dynamic, *site.getsitepackages(), site.getusersitepackages()]
    return {os.path.abspath(folder) for folder in folders}


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
