"""Failures of the items of a map, as what the next steps get in their place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer
from penstock.artifacts.store import Buffer
from penstock.model.records import Failure

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

FAILURE: Final = "failure/1"


class FailureFormat(Materializer[Failure]):
    """Written by the executor in the place of a value; never chosen for a value of the user's."""

    format: ClassVar[str] = FAILURE
    suffix: ClassVar[str] = ".json"

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: Failure) -> Sequence[Buffer]:
        return [_dump(asdict(value)).encode("ascii")]

    def load(self, data: Buffer) -> Failure:
        with reading(self.format):
            return Failure(**{name: str(text) for name, text in json.loads(bytes(data)).items()})
