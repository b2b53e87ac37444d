"""Stored artifacts as users see them: a door to one value in a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.artifacts.values import Trust, Values
from penstock.model.binding import Held
from penstock.model.records import Artifact, StepRun
from penstock.model.refs import StoredValue
from penstock.runtime import loading, preview, scratch
from penstock.runtime.ledger import Ledger

if TYPE_CHECKING:
    # Deliberately more than it is: a stored artifact may be an argument of any type, because it
    # stands for the value that it holds.
    _AnyValue = Any
else:
    _AnyValue = object


class StoredArtifact(StoredValue, _AnyValue):  # type: ignore[misc]
    """One output of a step in a store. `load()` gives the value; as an argument it is the value."""

    def __init__(
        self, ledger: Ledger, values: Values, record: StepRun, name: str, hint: Any
    ) -> None:
        self._ledger = ledger
        self._values = values
        self._record = record
        self._hint = hint
        self.name = name
        """The output's name."""

    @property
    def run(self) -> str:
        """Id of the run that it belongs to."""
        return self._record.run

    @property
    def step(self) -> str:
        """Id of the step that it is an output of."""
        return self._record.call

    @property
    def record(self) -> StepRun:
        """What is written down of the step, or of the tag that it was found by."""
        return self._record

    @property
    def artifact(self) -> Artifact:
        """Format, digest and size."""
        return self._record.outputs[self.name]

    @property
    def store(self) -> str:
        """Where the store is that holds it."""
        return self._ledger.store.path

    def held(self, values: Values) -> Held:
        """How a plan names it, for a store that has it or gets it now."""
        if values.store != self._values.store:
            values.adopt(self.artifact, self._values, str(self))
        else:
            values.rely_on(self.artifact)  # if it is gone, whoever loads it says so
        run, call = self._record.source or (self._record.run, self._record.call)
        return Held(self.artifact, (run, call, self.name), self._record.verified)

    def load(self) -> Any:
        """The value, private to the caller. Raises `CorruptArtifact`, `NoSuchKey` or
        `UntrustedArtifact`."""
        trust = Trust(self._record.verified, self._record.signer)
        hint = self._hint if self._hint is not None else loading.hint(self._record.step, self.name)
        return self._values.load(self.artifact, hint, str(self), scratch.until_exit, trust)

    def preview(self, most: int = 2000) -> str | None:
        """What is in it, as far as that can be seen without loading it: text of at most about
        `most` characters, shapes, columns, names of files."""
        data = self._values.buffer(self.artifact, str(self))
        return preview.of(self.artifact.format, data, most)

    def export(self, path: str | Path = ".") -> Path:
        """Write it to a file, or a folder if it is one, as it lies in the store; nothing is
        unpickled. Into a folder that is there already it goes under a name of its own.

        Returns where it is. Raises `FileExistsError` rather than overwrite.
        """
        return self._values.export(self.artifact, Path(path), self._file_name, str(self))

    @property
    def _file_name(self) -> str:
        """A name for what has none itself, without the ending."""
        return self.step if self.name == "output" else self.name

    def __str__(self) -> str:
        return f"Output {self.name!r} of step {self.step} in run {self.run}"

    def __repr__(self) -> str:
        artifact = self.artifact
        return f"<{self.run}/{self.step}/{self.name} {artifact.format} {artifact.total:,} bytes>"
