"""Shipped: the project's code on a machine where it was not, from the store it travels through."""

from __future__ import annotations

import importlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from penstock.errors import CannotRun
from penstock.lazy import lazy
from penstock.stack.orchestrator import AGAIN

if TYPE_CHECKING:
    from penstock.artifacts.store import Buffer
    from penstock.runtime import bundle
    from penstock.runtime.bundle.manifest import Manifest
else:
    bundle = lazy("penstock.runtime.bundle")  # code that is there already needs none

_PRIVATE: Final = 0o700


def unpacked(digest: str, fetch: Callable[[], Buffer]) -> Manifest:
    """The code with this digest, unpacked: by this process, or by one of the same user before it.

    `fetch` gives the archive, checked. Raises `CannotRun` where nothing can be written.
    """
    folder = _private() / digest
    if folder.is_dir():
        with suppress(FileNotFoundError):  # somebody tidies up there
            return bundle.reopened(folder)
        shutil.rmtree(folder, ignore_errors=True)
    data = bytes(fetch())
    try:
        return _unpacked(data, folder)
    except OSError as error:
        raise _nowhere(error) from error


def _unpacked(data: bytes, folder: Path) -> Manifest:
    """Unpack it, and give it its name when it is whole."""
    fresh = Path(tempfile.mkdtemp(prefix="unpacking-", dir=folder.parent))
    try:
        bundle.opened(data, fresh)
        with suppress(OSError):  # another process was first, and its folder is as good
            fresh.rename(folder)
        return bundle.reopened(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def entered(code: Manifest) -> None:
    """Work in it: modules are looked for there first, and no more where this process was started,
    which is anywhere."""
    with suppress(OSError):  # that folder may be gone, or be none of ours
        start = os.getcwd()
        sys.path[:] = [entry for entry in sys.path if entry not in ("", start)]
    sys.path[:0] = code.path
    importlib.invalidate_caches()
    os.chdir(code.cwd)
    os.environ["PWD"] = code.cwd


def settle_penstock(digest: str, code: Manifest) -> None:
    """If another penstock came with the code than the one that runs, start once more with that."""
    before = os.environ.pop(AGAIN, "")
    if code.penstock is None or bundle.is_running(code):
        return
    if before == digest:
        raise CannotRun(
            "The penstock that came with the project's code is not the one that Python finds: "
            f"{sys.modules['penstock'].__file__} comes first.",
            hint="Take it out of the image, or install the same one there.",
        )
    _start_again(digest, bundle.penstock_of(code))


def _start_again(digest: str, folder: str) -> NoReturn:
    path = [folder, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), AGAIN: digest}
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Without -P whatever lies in the working directory would come before it.
    argv = [sys.executable, *flags, "-P", "-m", "penstock.runtime.entrypoint", *sys.argv[1:]]
    os.execve(sys.executable, argv, environment)


def _private() -> Path:
    """A folder of this user's, for all runs; if somebody else's is in its place, one for this
    process alone."""
    try:
        folder = Path(tempfile.gettempdir(), f"penstock-{os.geteuid()}")
        with suppress(FileExistsError):
            folder.mkdir(_PRIVATE)
        found = folder.lstat()
        is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
        if is_ours and stat.S_IMODE(found.st_mode) == _PRIVATE:
            return folder
        return Path(tempfile.mkdtemp(prefix="penstock-"))
    except OSError as error:
        raise _nowhere(error) from error


def _nowhere(error: OSError) -> CannotRun:
    why = ": ".join(map(str, filter(None, (error.strerror, error.filename))))  # not all name a file
    return CannotRun(
        f"The project's code cannot be unpacked in the pod: {why}.",
        hint="Give it a place for temporary files that it may write: an empty directory at /tmp.",
    )
