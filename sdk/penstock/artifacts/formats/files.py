"""Files in collections: the collection as plain data, and beside it the references."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from penstock.artifacts.formats.data import reading
from penstock.artifacts.formats.file import canonical, file_of
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.outside import look
from penstock.artifacts.store import Buffer
from penstock.model.file import File
from penstock.model.plain import NotPlain, decode, encode

Place = tuple[int, ...]
"""How to come to an item: the how-manieth of the collection, of that one, and so on."""


class Files(Materializer[Any]):
    """A list, tuple or dict that holds, at whatever depth, `File`s, and otherwise plain data."""

    format: ClassVar[str] = "files/1"
    suffix: ClassVar[str] = ".json"
    outside: ClassVar[bool] = True

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: Any) -> Sequence[Buffer]:
        found: dict[Place, File] = {}
        try:
            text = encode(_taken_out(value, found, ()))
        except (NotPlain, RecursionError) as error:
            raise NotThisFormat(str(error)) from None
        if not found:
            raise NotThisFormat("it holds no File")
        files = [[place, look.seen(file).to_data()] for place, file in found.items()]
        return [canonical({"files": files, "value": text})]

    def load(self, data: Buffer) -> Any:
        value, files = self._parsed(data)
        for file in files.values():
            look.check(file)
        with reading(self.format):
            return _put_back(value, files, ())

    def changed(self, data: Buffer) -> str:
        return look.changes(self._parsed(data)[1].values())

    def _parsed(self, data: Buffer) -> tuple[Any, dict[Place, File]]:
        with reading(self.format):
            found = json.loads(bytes(data))
            files = {tuple(place): file_of(told) for place, told in found["files"]}
            return decode(found["value"]), files


def _taken_out(value: Any, found: dict[Place, File], place: Place) -> Any:
    """The collection with None in the place of each file."""
    kind = type(value)
    if kind is File:
        found[place] = value
        return None
    if kind is dict:
        items = enumerate(value.items())
        return {key: _taken_out(item, found, (*place, n)) for n, (key, item) in items}
    if kind is list or kind is tuple:
        return kind(_taken_out(item, found, (*place, n)) for n, item in enumerate(value))
    return value


def _put_back(value: Any, files: Mapping[Place, File], place: Place) -> Any:
    if place in files:
        return files[place]
    kind = type(value)
    if kind is dict:
        items = enumerate(value.items())
        return {key: _put_back(item, files, (*place, n)) for n, (key, item) in items}
    if kind is list or kind is tuple:
        return kind(_put_back(item, files, (*place, n)) for n, item in enumerate(value))
    return value
