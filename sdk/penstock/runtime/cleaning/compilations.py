"""Compilations: pipelines that were compiled into a file, which needs what it names in the store.

Nobody knows where such a file lies, and when it is carried out next: a schedule may fire in a
month. So `compiled/<digest of the record>` says that there is one, and is young as long as it is
used.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from penstock.artifacts.objects import object_key
from penstock.artifacts.store import ArtifactStore
from penstock.digest import is_digest
from penstock.errors import NoSuchKey
from penstock.model.records import RunRecord
from penstock.runtime import notation

SHELF: Final = "compiled"

_dump: Final = json.JSONEncoder().encode


@dataclass(frozen=True, slots=True)
class Needed:
    """What one of them cannot do without: digests of objects."""

    whole: tuple[str, ...] = ()
    """All of them."""
    naming: tuple[str, ...] = ()
    """Those that name others: its plan, its record, and what the record says of the code."""


def note(store: ArtifactStore, pattern: RunRecord, record: str, code: str) -> None:
    """Say that there is one, or that it is in use. `record` is the digest of the pattern, `code`
    that of the project's code, if that is in the store."""
    said = {
        "plan": pattern.plan, "record": record, "code": code,
        "pipeline": pattern.pipeline, "user": pattern.user, "time": time.time(),
    }  # fmt: skip
    store.put(f"{SHELF}/{record}", [_dump(said).encode()])


def needed(store: ArtifactStore, record: str) -> Needed:
    """What the one with this record needs; nothing if what is written of it has another form, for
    anybody may have written it."""
    try:
        said = json.loads(bytes(store.get(f"{SHELF}/{record}")))
        said = {name: said[name] for name in ("plan", "record", "code")}
    except (NoSuchKey, *notation.MALFORMED):
        return Needed()
    code = [said["code"]] if said["code"] != "" else []  # else it is in the image
    if said["record"] != record or not all(map(is_digest, (said["plan"], *code))):
        return Needed()
    naming = (said["plan"], record, *_described(store, record))
    return Needed((*naming, *code), naming)


def _described(store: ArtifactStore, record: str) -> list[str]:
    """What a record says of the code of each step, as an object; nothing if it is gone."""
    with suppress(NoSuchKey, *notation.MALFORMED):
        pattern = notation.read_pattern(bytes(store.get(object_key(record))))
        return [pattern.code] if is_digest(pattern.code) else []
    return []
