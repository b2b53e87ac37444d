"""Writing a penstock.yaml: one process at a time, whole or not at all, the old one kept."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from penstock.errors import BadConfiguration, StackError
from penstock.lazy import lazy
from penstock.stack.changing.document import Document
from penstock.stack.changing.editing.replacing import replace
from penstock.stack.complaints import Complaints, shown
from penstock.stack.parsing import content, decoded
from penstock.stack.project import Project

if TYPE_CHECKING:
    from penstock.stack import schema
else:
    schema = lazy("penstock.stack.schema")  # only for a new file

PATIENCE: Final = 30.0
"""Seconds that we wait while somebody has the lock and writes nothing."""

_BOM: Final = b"\xef\xbb\xbf"


@contextmanager
def writing(path: Path, *, patience: float = PATIENCE) -> Iterator[Document]:
    """The file to be edited; it is written at the end if its text has changed.

    Nobody else edits it meanwhile. The old one stays in the `.penstock` folder beside it, where git
    does not look. Raises `BadConfiguration` if it cannot be read, `StackError` if not written.
    """
    real = Path(os.path.realpath(path))  # a link stays a link
    _check_writable(real, path)
    folder = _beside(real, path)
    with _locked(real, folder / f"{real.name}.lock", path, patience):
        old = _bytes(real, path)
        document = Document(_text(old, path), path)
        before = document.text
        yield document
        if document.text != before:
            _write(real, path, folder, old, document.text)


def seen(path: Path) -> str:
    """The text as it is now, for `unchanged`; nothing if there is no file. Raises `StackError` for
    one that could not be written."""
    real = Path(os.path.realpath(path))
    _check_writable(real, path)
    try:
        status = real.stat()
    except OSError:
        return ""
    complaints = Complaints(shown(path))
    text = content(real, status, complaints)
    complaints.tell()
    return text


def unchanged(path: Path, text: str) -> None:
    """Raises `BadConfiguration` if the file is not any more what `seen` has given."""
    if seen(path) != text:
        raise _changed(path)


def _changed(path: Path) -> BadConfiguration:
    return BadConfiguration(
        f"{shown(path)} was changed by somebody else in the meantime. Nothing was written to it.",
        hint="Look at it, and do that once more.",
    )


def _check_writable(real: Path, path: Path) -> None:
    complaints = Complaints(shown(path))
    try:
        status = real.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _failed(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        content(real, status, complaints)
        complaints.tell()
    if os.statvfs(real).f_flag & os.ST_RDONLY:
        raise _failed(path, OSError(errno.EROFS, os.strerror(errno.EROFS)))
    if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
        raise StackError(
            f"{shown(path)} cannot be written: it is read-only.", hint=f"chmod u+w {shown(path)}"
        )


def _beside(real: Path, path: Path) -> Path:
    """Where the lock and the old file are kept. A `.gitignore` hides all of it."""
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _failed(path, error) from error
    if not os.access(real.parent, os.W_OK):
        raise StackError(f"{shown(path)} cannot be written: its folder is read-only.")
    return Project(real.parent).prepared()


@contextmanager
def _locked(real: Path, lock: Path, path: Path, patience: float) -> Iterator[None]:
    """Wait for the others as long as they get on."""
    from filelock import FileLock, Timeout  # only who writes needs it: it brings asyncio along

    guard = FileLock(lock)
    stamp = _stamp(real)
    while not guard.is_locked:
        try:
            guard.acquire(timeout=patience)
        except Timeout as error:
            if (now := _stamp(real)) == stamp:
                raise StackError(
                    f"{shown(path)} cannot be written: another process has kept the lock "
                    f"{shown(lock)} for {patience:g} seconds.",
                    hint="Look for a penstock that hangs or is stopped, and end it.",
                ) from error
            stamp = now
        except OSError as error:
            raise _failed(path, error) from error
    try:
        yield
    finally:
        guard.release()


def _stamp(real: Path) -> object:
    try:
        status = real.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _bytes(real: Path, path: Path) -> bytes | None:
    """What is in the file; None if there is no file."""
    try:
        return real.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, error) from error


def _text(data: bytes | None, path: Path) -> str:
    """The text to be edited: of a file that does not exist, the line that helps editors."""
    if data is None:
        return f"{schema.schema_line(path)}\n"
    complaints = Complaints(shown(path))
    text = decoded(data, complaints)
    complaints.tell()
    return text


def _write(real: Path, path: Path, folder: Path, old: bytes | None, text: str) -> None:
    """Put the new text in place, unless an editor, which knows of no lock, was quicker."""
    new = text.encode()
    if old is not None and old.startswith(_BOM):
        new = _BOM + new
    try:
        if _bytes(real, path) != old:
            raise _changed(path)
        if old is not None:
            replace(folder / f"{real.name}.bak", old, real, folder)
        replace(real, new, real, folder)
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> StackError:
    return StackError(f"{shown(path)} cannot be written: {error.strerror or error}.")
