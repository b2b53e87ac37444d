"""Files by reference: where something is and what it was, and nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final, NoReturn

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer
from penstock.artifacts.outside import look
from penstock.artifacts.store import Buffer
from penstock.errors import BadArguments, UnsupportedValue
from penstock.model.file import File

_dump: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class FileFormat(Materializer[File]):
    """A `penstock.File`. Dumping looks at what is there, loading whether it is still the same."""

    format: ClassVar[str] = "file/1"
    suffix: ClassVar[str] = ".json"
    outside: ClassVar[bool] = True

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: File) -> Sequence[Buffer]:
        return [canonical(look.seen(value).to_data())]

    def load(self, data: Buffer) -> File:
        return look.check(self._file(data))

    def changed(self, data: Buffer) -> str:
        return look.changes([self._file(data)])

    def _file(self, data: Buffer) -> File:
        with reading(self.format):
            return file_of(json.loads(bytes(data)))


def refuse_inside(value: File) -> NoReturn:
    """Raise for a file in an object that is pickled: nobody would see it change."""
    raise UnsupportedValue(
        f"{value!r} lies in an object, where nobody would look whether it has changed.",
        hint="Return it as an output of its own, or in a list, a tuple or a dict.",
    )


def canonical(value: Any) -> bytes:
    """The one way to write this as JSON."""
    return _dump(value).encode("ascii")


def file_of(data: Any) -> File:
    """The file of a reference. Raises `ValueError`, `LookupError` or `TypeError`."""
    try:
        return File.from_data(data)
    except BadArguments as error:  # no File that anybody made leads there
        raise ValueError(error.message) from error
