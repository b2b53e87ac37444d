"""A folder as an artifact store: whole objects or none, without locks.

Our own code instead of fsspec's local file system, which writes in place: an object is written to
`tmp/` in the same tree and then given its name by `link` (where nothing is yet) or `rename`. No
file locks, because NFS is a supported place.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from stat import S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_ISREG
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NoReturn, Self

from penstock.artifacts import transfer
from penstock.artifacts.draft import Draft
from penstock.artifacts.exclusive import LINKS_REFUSED, exclusive_rename
from penstock.artifacts.hashed import settled_stamp
from penstock.artifacts.mapping import mapped
from penstock.artifacts.source import Source, read_all, write_all
from penstock.artifacts.store import (
    LARGE,
    PROBES,
    ArtifactStore,
    Buffer,
    Entry,
    check_key,
    check_prefix,
    is_key,
)  # fmt: skip
from penstock.artifacts.streamed import Streamed
from penstock.errors import (
    BadConfiguration,
    KeyTaken,
    NoSuchKey,
    StoreError,
    StoreUnavailable,
)  # fmt: skip

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from penstock.model.component import Finding

_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""For what may be a pipe that somebody has put there: nobody waits for its other end."""

_REASONS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
}
_ROOM: Final = "Make room and run again: finished steps are kept."
_ELSEWHERE: Final = "Use another stack, or a LocalArtifactStore(path=…) that you may write to."
_HINTS: Final = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
    errno.EOPNOTSUPP: _ELSEWHERE,
}
_NOWHERE: Final = (errno.ENOENT, errno.ELOOP)
"""What a file that is just gone, and a link that leads nowhere, fail with."""

_FULL: Final = (errno.ENOTEMPTY, errno.EEXIST)
"""What the removal of a folder fails with that has something in it."""

_KINDS: Final = {
    S_IFDIR: "a folder",
    S_IFLNK: "a link that leads to no file",
    S_IFIFO: "a pipe",
    S_IFREG: "a file",
}
"""What may lie under a key, for people."""

_FOLDERS: Final = 20
"""How often a folder is made for one file. More often it is the file that is not there."""

LOOKS: Final = 4
BLINK: Final = 0.005
"""How often a file is looked for that was just touched and is not there, and seconds in between."""

_numbers = count()


@dataclass(frozen=True, kw_only=True)
class LocalArtifactStore(ArtifactStore):
    """Keeps artifacts in a folder."""

    flavor: ClassVar[str] = "local"
    makes: ClassVar[str] = "its folder; one with anything in it is never removed"

    path: str = ".penstock"
    """The folder; a relative one lies in the project's folder."""
    durability: Literal["process", "power"] = "process"
    """What a finished write survives: the end of the process, or a power failure as well."""
    verify: Literal["once", "always"] = "once"
    """Whether a large object that this machine has written or hashed, and whose file has not been
    touched since, is hashed again whenever it is read."""

    def __post_init__(self) -> None:
        super().__post_init__()
        path = os.fspath(self.path)
        object.__setattr__(self, "path", path)
        if not path.strip() or "://" in path:
            raise BadConfiguration(
                f"The artifact store {self.name!r} has path={path!r}, which is not a folder.",
                hint="Write the path of a folder, for example path='artifacts'.",
            )

    def placed(self, root: Path) -> Self:
        return replace(self, path=os.path.normpath(root / Path(self.path).expanduser()))

    @property
    def only_here(self) -> bool:
        """A folder is on this machine, as far as anybody can know."""
        return True

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        target = self._file(key)
        temp = self._write(buffers)
        try:
            if not exclusive:
                _into_folder(os.replace, temp, target)
            elif not self._named(temp, target):
                raise self._taken(key)
            self._settle(key)
        except OSError as error:
            self._refuse(error, target)
        finally:
            _remove(temp)

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        """One file with a link for each name."""
        targets = [self._file(key) for key in keys]
        temp = self._write([data])
        taken = []
        number, target = 0, temp
        try:
            for number, target in enumerate(targets):
                if self._linked(temp, target):
                    self._settle(keys[number])
                else:
                    taken.append(keys[number])
        except _LinksRefused:
            return (*taken, *super().publish(keys[number:], data))
        except OSError as error:
            self._refuse(error, target)
        finally:
            _remove(temp)
        return tuple(taken)

    def get(self, key: str) -> Buffer:
        fd, status = self._opened(key)
        return self._read(key, fd, status.st_size)

    def use(self, key: str) -> Buffer:
        """Its age comes with the size: a young object costs no more than `get`."""
        fd, status = self._opened(key)
        if time.time() - status.st_mtime > self.fresh:
            try:
                # By its name: that is gone if somebody is just deleting the file that is open here.
                self.freshen(Entry(key, status.st_size, status.st_mtime))
            except BaseException:
                os.close(fd)
                raise
        return self._read(key, fd, status.st_size)

    def draft(self, source: Source) -> Draft:
        try:
            temp, fd = self._temporary()
        except OSError as error:
            self._refuse(error, self.path)

        def keep(key: str) -> None:
            target = self._file(key)
            try:
                if not self._named(temp, target):
                    raise self._taken(key)
                self._settle(key)
            except OSError as error:
                self._refuse(error, target)

        return Streamed(
            fd, source, keep, lambda: _remove(temp),
            lambda error: self._refuse(error, self.path), lasting=self.durability == "power",
        )  # fmt: skip

    def copy_into(self, key: str, fd: int) -> None:
        source, _ = self._opened(key)
        try:
            transfer.copy(source, fd)
        except OSError as error:
            self._refuse(error, self._file(key))
        finally:
            os.close(source)

    def stamp(self, key: str) -> str | None:
        if self.verify == "always":
            return None
        try:
            found = os.stat(self._file(key))
        except OSError:
            return None
        return settled_stamp(found)

    def obstacle(self, key: str) -> str:
        try:
            mode = os.lstat(self._file(key)).st_mode
        except OSError:
            return ""
        return _KINDS.get(S_IFMT(mode), "something that is no file")

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        folder, _, begin = check_prefix(prefix).rpartition("/")
        base = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._file(folder) if folder else self.path) as found:
                children = {
                    item.name + "/" * _is_folder(item): item
                    for item in found
                    if item.name.startswith(begin)
                    and is_key(item.name)
                    and (base or item.name != "tmp")
                }
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._refuse(error, self._file(folder) if folder else self.path)
        for name in sorted(children):
            if base + name <= start_after:
                continue
            if name.endswith("/"):
                yield Entry(base + name, 0, 0.0)
                continue
            try:
                stat = children[name].stat()
            except OSError as error:
                if error.errno in _NOWHERE:
                    continue
                self._refuse(error, self._file(base + name))
            yield Entry(base + name, stat.st_size, stat.st_mtime)

    def stat(self, key: str) -> Entry:
        try:
            stat = os.stat(self._file(key))
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(key) from None
        except OSError as error:
            self._refuse(error, self._file(key))
        if not S_ISREG(stat.st_mode):
            raise self._missing(key)
        return Entry(key, stat.st_size, stat.st_mtime)

    def delete(self, key: str) -> None:
        try:
            os.unlink(self._file(key))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise self._missing(key) from None
        except OSError as error:
            self._refuse(error, self._file(key))

    def check(self) -> Iterator[Finding]:
        """No folder stays behind either: that of a project is to be made with its .gitignore."""
        folders = (f"{self.path}/{PROBES}", f"{self.path}/tmp", self.path)
        made = [folder for folder in folders if not os.path.exists(folder)]
        try:
            yield from super().check()
        finally:
            for folder in made:
                with suppress(OSError):  # somebody else has begun to use it
                    os.rmdir(folder)

    @property
    def site(self) -> str:
        return f"the folder {self.path}"

    def up(self) -> Sequence[str]:
        """The first run would make it as well; here it shows whether it can be made."""
        try:
            os.makedirs(self.path)
        except FileExistsError as error:
            if not os.path.isdir(self.path):
                self._refuse(error, self.path)
            return ()
        except OSError as error:
            self._refuse(error, self.path)
        return (f"made {self.site}",)

    def down(self, *, force: bool = False) -> Sequence[str]:
        if not force:
            return ()
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            return ()
        except OSError as error:
            if error.errno not in _FULL:
                self._refuse(error, self.path)
            return (f"left {self.site}, for something is in it",)
        return (f"removed {self.site}",)

    def clock(self) -> float:
        """The file system's, which over a network is another than ours: what a new file says."""
        try:
            temp = self._write([])
            try:
                return os.stat(temp).st_mtime
            finally:
                _remove(temp)
        except (StoreUnavailable, OSError):  # who may only read asks the next best
            return super().clock()

    def touch(self, key: str) -> None:
        file = self._file(key)
        self.stat(key)  # a folder, which has a time, too, is no object
        try:
            os.utime(file)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(key) from None
        except PermissionError:  # somebody else's file, in a folder that we may write to
            super().touch(key)
        except OSError as error:
            self._refuse(error, file)
        if not _stays(file):
            raise self._missing(key)

    def discard(self, key: str, before: float) -> bool:
        """Moved aside first: whoever touches it from then on is told that it is gone, and whoever
        was just before that gets it back."""
        if self.stat(key).modified >= before:
            return False
        file, aside = self._file(key), self._temp_name()
        try:
            _into_folder(os.rename, file, aside)
            if os.stat(aside).st_mtime < before:
                return True
            self._named(aside, file)  # or it is taken: then it was just written anew
            return False
        except FileNotFoundError:
            raise self._missing(key) from None
        except OSError as error:
            self._refuse(error, file)
        finally:
            _remove(aside)

    def delete_all(self, folder: str) -> None:
        super().delete_all(folder)
        with suppress(OSError):  # what others keep in there stays
            os.rmdir(self._file(folder.rstrip("/")))

    def leftovers(self, before: float) -> Iterator[Entry]:
        for folder, _, names in os.walk(f"{self.path}/tmp"):
            for name in names:
                key = f"{folder.removeprefix(f'{self.path}/')}/{name}"
                with suppress(NoSuchKey, StoreError):  # just finished, or nobody's of ours
                    found = self.stat(key)
                    if found.modified < before:
                        yield found

    @property
    def filesystem(self) -> AbstractFileSystem:
        from fsspec.implementations.dirfs import DirFileSystem  # heavy, and only for users

        return DirFileSystem(self.path)

    def _read(self, key: str, fd: int, size: int) -> Buffer:
        """What is in a file that is open, and is closed then."""
        try:
            return mapped(fd, size) if size >= LARGE else read_all(fd, size)
        except OSError as error:
            self._refuse(error, self._file(key))
        finally:
            os.close(fd)

    def _opened(self, key: str) -> tuple[int, os.stat_result]:
        """An object that is open to be read, and what is known of it. Raises `NoSuchKey`."""
        file = self._file(key)
        try:
            fd = os.open(file, _READ)
        except (FileNotFoundError, NotADirectoryError):
            raise self._missing(key) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise self._missing(key) from None
            self._refuse(error, file)
        status = os.fstat(fd)
        if S_ISREG(status.st_mode):
            return fd, status
        os.close(fd)  # a folder, or a device without an end
        raise self._missing(key)

    def _file(self, key: str) -> str:
        return f"{self.path}/{check_key(key)}"

    def _write(self, buffers: Sequence[Buffer]) -> str:
        """A temporary file with these bytes."""
        try:
            temp, fd = self._temporary()
            try:
                try:
                    write_all(fd, [memoryview(item).cast("B") for item in buffers])
                    if self.durability == "power":
                        os.fsync(fd)
                finally:
                    os.close(fd)  # on a network file system this may be where a full disk is said
            except BaseException:
                _remove(temp)
                raise
        except OSError as error:
            self._refuse(error, self.path)
        return temp

    def _temporary(self) -> tuple[str, int]:
        """A new file, to be written and read."""
        temp = self._temp_name()
        return temp, _open(temp, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC)

    def _temp_name(self) -> str:
        return f"{self.path}/tmp/{os.getpid()}-{next(_numbers)}-{os.urandom(4).hex()}"

    def _named(self, temp: str, target: str) -> bool:
        """Give the file its name, or say that the name is taken."""
        try:
            return self._linked(temp, target)
        except _LinksRefused:
            return exclusive_rename(temp, target)

    def _linked(self, temp: str, target: str) -> bool:
        try:
            _into_folder(os.link, temp, target)
        except FileExistsError:
            # Over a network a link may be made and the answer lost; asked again, it is there.
            return _is_same(temp, target)
        except OSError as error:
            if error.errno in LINKS_REFUSED:
                raise _LinksRefused from error
            raise
        return True

    def _settle(self, key: str) -> None:
        """Make a new name last, as far as was asked for: in its folder, and that in those above."""
        while self.durability == "power" and key:
            key = key.rpartition("/")[0]
            folder = os.open(f"{self.path}/{key}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _taken(self, key: str) -> KeyTaken:
        return KeyTaken(f"There is an object under {key!r} in {self.path} already.")

    def _missing(self, key: str) -> NoSuchKey:
        return NoSuchKey(f"There is no object {key!r} in {self.path}.")

    def _refuse(self, error: OSError, file: str) -> NoReturn:
        number = error.errno or 0
        reason = _REASONS.get(number, error.strerror or str(error))
        raise StoreUnavailable(
            f"The artifact store {self.name!r} cannot use {file}: {reason}.",
            hint=_HINTS.get(number),
        ) from error


def _stays(file: str) -> bool:
    """Whether a file that was touched is there: it may have been moved aside in the very moment,
    and then it comes back if its new time was seen."""
    for _ in range(LOOKS):
        if os.path.exists(file):
            return True
        time.sleep(BLINK)
    return False


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link that leads to itself: what it is shows when it is looked at
        return False


def _open(path: str, flags: int) -> int:
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)


def _remove(path: str) -> None:
    """Remove a temporary file. If that fails it is in nobody's way, and no reason to complain."""
    with suppress(OSError):
        os.unlink(path)


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except FileNotFoundError:  # somebody has just deleted it
        return False


class _LinksRefused(Exception):
    """This file system has no hard links, or no more for this file."""


def _into_folder(give: Callable[[str, str], None], temp: str, target: str) -> None:
    """Give a file its name, in a folder that is made only if it turns out to be missing. As long
    as it is empty a cleaning may take it away again."""
    for _ in range(_FOLDERS):
        try:
            return give(temp, target)
        except FileNotFoundError:
            with suppress(FileNotFoundError):  # the one above it was just taken away
                os.makedirs(os.path.dirname(target), exist_ok=True)
    return give(temp, target)
