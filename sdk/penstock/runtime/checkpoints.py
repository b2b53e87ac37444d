"""Checkpoints: files that a step keeps on its way, for the attempt after one that was killed.

They lie under the step's cache key, so that the next attempt finds them on any machine that reads
the store, and so that a step whose code or inputs have changed begins anew.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from penstock.artifacts.store import check_key
from penstock.artifacts.values import PATH, Trust, Values
from penstock.errors import CorruptArtifact, NoSuchKey, UnsupportedValue
from penstock.model.controls import Controls
from penstock.model.records import Artifact
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import MALFORMED

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

KEPT: Final = "checkpoints"
"""The folder in the store: one object for each cache key, which names the files."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is written down of the last one."""

    run: str
    call: str
    attempt: int
    saved: float
    """Seconds since 1970, UTC."""
    artifact: Artifact


class Checkpoints:
    """The checkpoints of one call."""

    def __init__(
        self, ledger: Ledger, values: Values, run: str, call: str, key: str, controls: Controls
    ) -> None:
        self._ledger = ledger
        self._values = values
        self._run = run
        self._call = call
        self._key = check_key(f"{KEPT}/{key[:2]}/{key}")
        self._controls = controls
        """As of results, so of those that other runs have left."""

    def save(self, path: Path, attempt: int) -> None:
        """Keep a copy of a file or folder in place of the one before.

        Raises `UnsupportedValue` if there is nothing at the path.
        """
        artifact = self._values.save(path, Path, f"The checkpoint of step {self._call}")
        if artifact.format != PATH:
            raise UnsupportedValue(f"A checkpoint is a file or a folder; this is {path!r}.")
        data = {
            "run": self._run,
            "call": self._call,
            "key": self._key,
            "attempt": attempt,
            "saved": time.time(),
            "artifact": artifact.to_data(),
            "store": self._ledger.identity.id,
        }
        signed = self._ledger.keys.sign(_dump(data).encode())
        self._ledger.store.flush()  # its files are there first
        self._ledger.store.put(self._key, [signed])

    def last(self) -> Checkpoint | None:
        """The last one that may be used here.

        Whoever can write to the store can leave files there, and what loads a checkpoint is
        often `torch.load` or `pickle`: without a signature that counts it is as none.
        """
        try:
            signed = bytes(self._ledger.store.get(self._key))
        except NoSuchKey:
            return None
        try:
            record, _, verified = self._ledger.keys.verify(signed)
            data = json.loads(record)
            found = Checkpoint(
                str(data["run"]),
                str(data["call"]),
                int(data["attempt"]),
                float(data["saved"]),
                Artifact.from_data(data["artifact"]),
            )
            here = data["key"] == self._key and data["store"] == self._ledger.identity.id
        except MALFORMED:
            return None
        trusted = (verified and here) or self._ledger.store.allow_pickle == "any"
        return found if trusted and (found.run == self._run or self._takes(found)) else None

    def _takes(self, found: Checkpoint) -> bool:
        """Whether one that another run has left counts."""
        limit = self._controls.cache_for
        if not self._controls.cache or self._controls.refresh:
            return False
        return limit is None or abs(time.time() - found.saved) <= limit

    def load(self, found: Checkpoint, folder: Callable[[], Path]) -> Path | None:
        """A private copy of its files; None if they are gone or damaged."""
        who = f"The checkpoint of step {self._call}"
        try:
            path: Path = self._values.load(found.artifact, Path, who, folder, Trust(True))
        except (NoSuchKey, CorruptArtifact):
            return None
        return path

    def forget(self) -> None:
        """The step is done: its next attempt has something better."""
        try:
            self._ledger.store.delete(self._key)
        except NoSuchKey:
            return
