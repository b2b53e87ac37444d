"""Files by reference: what lies outside of the store, and stays there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, Literal, TextIO, final, overload

from penstock.errors import BadArguments, NotFound
from penstock.model import credentials

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_CHAIN: Final = re.compile(r"[A-Za-z0-9+.-]+::")

LOCAL: Final = frozenset({"file", "local"})
"""What stands before '://' in the URL of a local file."""

WRAPPING: Final = frozenset(
    {
        *("simplecache", "filecache", "blockcache", "cached", "asynclocal", "asyncwrapper", "dir"),
        *("zip", "tar", "libarchive", "reference", "generic", "dask", "data", "git", "chained"),
    }
)
"""fsspec's file systems that only show what lies in another one, or on this machine."""


@dataclass(frozen=True, slots=True)
class Content:
    """What was found at a place: enough to tell whether the same is still there."""

    kind: Literal["file", "folder"]
    size: int
    """Bytes; of a folder, of all files in it."""
    digest: str = ""
    """The BLAKE3 digest of a file's bytes; of a folder, of what can be said of each file in it."""
    etag: str = ""
    """What an object store calls this version, if it says so. Then there is no digest."""
    files: int = 1
    """How many files there are."""

    def __str__(self) -> str:
        what = "a file of" if self.kind == "file" else f"a folder of {self.files:,} files with"
        named = f"ETag {self.etag}" if self.etag else f"digest {self.digest}"
        told = f" ({named})" if self.etag or self.digest else ""
        return f"{what} {self.size:,} bytes{told}"


@final
class File:
    """A file or folder that steps are given where it lies: it is never copied, and never deleted.

    `path` is a path, a `~` in front of it allowed, or any URL that fsspec understands. A relative
    path counts from the working directory of this moment. What lies there is looked at when a run
    begins, or when a step returns it.
    """

    __slots__ = ("_content", "_path")

    def __init__(self, path: str | os.PathLike[str], *, content: Content | None = None) -> None:
        self._path = _absolute(path)
        self._content = content

    @property
    def path(self) -> str:
        """The absolute path, or the URL."""
        return self._path

    @property
    def is_remote(self) -> bool:
        """Whether it is a URL."""
        return is_url(self._path)

    @property
    def content(self) -> Content:
        """What was there when somebody looked. Raises `NotFound` if nobody has, yet."""
        if self._content is None:
            raise NotFound(
                f"What lies at {self._path} has not been looked at: that is done when a run begins "
                "with this File, or when a step returns it.",
                hint="Ask the File that the step is given, or that the run has as a result.",
            )
        return self._content

    @property
    def size(self) -> int:
        """Bytes; of a folder, of all files in it. Raises `NotFound` if nobody has looked, yet."""
        return self.content.size

    @property
    def digest(self) -> str | None:
        """The BLAKE3 digest of a file's bytes, or of all that is in a folder. None for an object
        with an ETag."""
        return self.content.digest or None

    @property
    def etag(self) -> str | None:
        """The object store's name for this version of an object."""
        return self.content.etag or None

    @overload
    def open(self, mode: Literal["rb"] = "rb") -> BinaryIO: ...
    @overload
    def open(self, mode: Literal["r", "rt"], *, encoding: str | None = None) -> TextIO: ...

    def open(self, mode: str = "rb", *, encoding: str | None = None) -> IO[Any]:
        """Open it for reading, wherever it is."""
        if mode not in ("r", "rt", "rb"):
            raise BadArguments(
                f"{self!r} was to be opened with mode {mode!r}; a File is only read.",
                hint="Write with open(…) or fsspec.open(…), and return File(…) of what is written.",
            )
        if not self.is_remote:
            return open(self._path, mode, encoding=encoding)
        import fsspec  # heavy, and only for what is elsewhere

        found: IO[Any] = fsspec.open(self._path, mode, encoding=encoding).open()
        return found

    def __fspath__(self) -> str:
        if self.is_remote:
            raise BadArguments(
                f"{self!r} is not on this machine, so it has no path here.",
                hint="Read it with .open(); pandas, polars and pyarrow take .path, the URL.",
            )
        return self._path

    def __eq__(self, other: object) -> bool:
        """Whether both lead to the same place."""
        return self._path == other._path if isinstance(other, File) else NotImplemented

    def __hash__(self) -> int:
        return hash((File, self._path))

    def __repr__(self) -> str:
        return f"File({self._path!r})"

    def __str__(self) -> str:
        return self._path

    def to_data(self) -> dict[str, Any]:
        """Where it is, and what was there, as plain data."""
        content = self.content
        data = {"path": self._path, "kind": content.kind, "size": content.size}
        told = {"digest": content.digest, "etag": content.etag}
        counted = {"files": content.files} if content.kind == "folder" else {}
        return {**data, **counted, **{name: item for name, item in told.items() if item}}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> File:
        """Raises `ValueError`, `LookupError`, `TypeError` or `BadArguments` for anything else."""
        content = Content(
            data["kind"], data["size"], data.get("digest", ""), data.get("etag", ""),
            data.get("files", 1),
        )  # fmt: skip
        texts, numbers = (content.digest, content.etag), (content.size, content.files)
        if content.kind not in ("file", "folder") or any(type(text) is not str for text in texts):
            raise ValueError("it does not say what is there")
        if any(type(number) is not int or number < 0 for number in numbers) or not any(texts):
            raise ValueError("it does not say what is there")
        file = cls.__new__(cls)
        file._path, file._content = _written(data["path"]), content
        return file

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """How a file, a flag or a pydantic model says it: by its path or URL."""
        from pydantic_core import core_schema  # only pydantic calls this

        return core_schema.no_info_plain_validator_function(_read)


def _read(value: Any) -> File:
    try:
        return value if isinstance(value, File) else File(value)
    except BadArguments as error:  # pydantic says where it stands
        raise ValueError(error.message.rstrip(".")) from error


def is_url(path: str) -> bool:
    """Whether it is a URL, and not a path of this machine."""
    return _URL.fullmatch(path) is not None


def _absolute(path: str | os.PathLike[str]) -> str:
    """The one way to write where it is."""
    text: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if not isinstance(text, str) or not text or "\0" in text:
        raise BadArguments(
            f"File({path!r}) leads nowhere.", hint='Write a path or a URL: File("data/rows.csv").'
        )
    if (match := _URL.fullmatch(text)) is None:
        if _CHAIN.match(text):
            raise _wrapped(text)
        return os.path.abspath(os.path.expanduser(text))
    protocol, rest = match[1].lower(), match[2]
    if protocol not in LOCAL:
        return _plain_url(protocol, rest)
    if not os.path.isabs(rest):
        raise BadArguments(f"File({text!r}) is not absolute.", hint="Leave the 'file://' out.")
    return os.path.abspath(rest)


def _plain_url(protocol: str, rest: str) -> str:
    url = f"{protocol}://{rest}"
    if protocol in WRAPPING or "::" in rest:
        raise _wrapped(url)
    if credentials.are_in(url):
        raise BadArguments(
            f"The URL {credentials.hidden(url)!r} of a File holds a password or a signature, and "
            "references are written down.",
            hint="Leave it out, and configure fsspec: ~/.config/fsspec/ or FSSPEC_… variables.",
        )
    return url


def _wrapped(url: str) -> BadArguments:
    return BadArguments(
        f"The URL {credentials.hidden(url)!r} goes through another file system.",
        hint="Write the URL of the file itself, such as s3://bucket/key.",
    )


def _written(path: object) -> str:
    """A place as a reference names it: never one that depends on who reads it.

    A path of another kind of system is possible: then nothing is there.
    """
    if type(path) is not str or not path or "\0" in path:
        raise ValueError(f"{path!r} is no place")
    if (is_url(path) or os.path.isabs(path)) and _absolute(path) != path:
        raise ValueError(f"{path!r} is not written as it should be")
    return path
