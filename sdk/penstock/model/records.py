"""Records: what happened, as data. They never load, save or ask for anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from penstock.digest import is_digest


class Status(StrEnum):
    """What became of a step or a run."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    CACHED = "cached"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"
    TIMED_OUT = "timed_out"
    LOST = "lost"

    @property
    def usable(self) -> bool:
        """Whether the outputs are there to be used."""
        return self in _USABLE


_USABLE: Final = frozenset({Status.COMPLETED, Status.CACHED, Status.SKIPPED})
_FAILED: Final = frozenset({Status.FAILED, Status.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Part:
    """An object of its own that belongs to a value of several objects."""

    digest: str
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a step left in the store: a format and the digest and size of the bytes."""

    format: str
    """Short id of the format, for example "npy/1"."""
    digest: str
    size: int
    """Bytes."""
    code: str = ""
    """Fingerprint of the project's classes and functions that the value names, if any."""
    data: bytes | None = None
    """The bytes themselves if they are few; then there is no object in the store."""
    names: tuple[str, ...] = ()
    """Those classes and functions, as `module:qualname`."""
    parts: tuple[Part, ...] = ()
    """The objects that belong to it, besides the one that its digest names."""

    @property
    def total(self) -> int:
        """Bytes of all of it."""
        return self.size + sum(part.size for part in self.parts)

    def to_data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"format": self.format, "digest": self.digest, "size": self.size}
        if self.code:
            data["code"] = self.code
            data["names"] = self.names
        if self.parts:
            data["parts"] = {part.digest: part.size for part in self.parts}
        if self.data is not None:
            try:
                data["text"] = self.data.decode()
            except UnicodeDecodeError:
                data["base64"] = base64.b64encode(self.data).decode()
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Artifact:
        """Raises `ValueError`, `LookupError`, `TypeError` or `AttributeError` for anything else."""
        inline = None
        if "text" in data:
            inline = data["text"].encode()
        elif "base64" in data:
            inline = base64.b64decode(data["base64"])
        format, size, code = data["format"], data["size"], data.get("code", "")
        names = tuple(data.get("names", ()))
        "".join((format, code, *names))  # which only texts can be
        parts = [
            Part(data["digest"], size),
            *(Part(*item) for item in data.get("parts", {}).items()),
        ]
        if not all(is_digest(part.digest) and type(part.size) is int for part in parts):
            raise ValueError(f"{data!r} describes no artifact")
        return cls(format, data["digest"], size, code, inline, names, tuple(parts[1:]))


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt did not succeed."""

    kind: str
    """The error's class, for example "ValueError"."""
    message: str
    traceback: str
    """The user's frames only, as Python prints them. Empty where a failure is passed on as data."""
    step: str = ""
    """The step that failed, where a failure is passed on as data."""


@dataclass(frozen=True, slots=True)
class StepRun:
    """What happened to one call of a step."""

    run: str
    call: str
    step: str
    """`module:qualname` of the function."""
    status: Status
    key: str = ""
    """The cache key."""
    parts: str = "{}"
    """What the key is the digest of: JSON, as text."""
    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    started: float = 0.0
    """Seconds since 1970, UTC."""
    wall: float = 0.0
    """Seconds from the loading of the inputs to the last output stored."""
    cpu: float = 0.0
    """Seconds of processor time of the thread that ran the step."""
    peak_memory: int = 0
    """Bytes: the most that the process had resident up to the end of the step."""
    read: int = 0
    """Bytes of the inputs."""
    written: int = 0
    """Bytes of the outputs."""
    attempt: int = 1
    failure: Failure | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """What the step said of itself with `context().log_metadata()`: plain data."""
    source: tuple[str, str] | None = None
    """Run and step that computed the outputs, if they were taken from the cache."""
    signer: str | None = None
    """Id of the key that the record says signed it. Not part of the record."""
    verified: bool = False
    """Whether that key is known here and the signature right. Not part of the record."""
    why: str = ""
    """Why it ran though the cache may have had a result: "the object of output 'a' was deleted"."""
    final: str = ""
    """Why no attempt was to follow a failed one, though there were some left; mostly empty."""

    @property
    def usable(self) -> bool:
        """Whether the steps that need this one can run: its outputs are there. Of a failed item of
        a map that was to be collected, they are its failure."""
        return self.status in _USABLE or (bool(self.outputs) and self.status in _FAILED)

    def reused(self, run: str, call: str) -> StepRun:
        """The same result as the record of a step that took it from the cache."""
        # Written out: `dataclasses.replace` takes ten times as long, for each step of a cached run.
        return StepRun(
            run, call, self.step, Status.CACHED, self.key, self.parts, self.outputs,
            self.started, self.wall, self.cpu, self.peak_memory, self.read, self.written,
            self.attempt, self.failure, self.metadata, self.source or (self.run, self.call),
            self.signer, self.verified,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is known of a run when it starts. Written once."""

    run: str
    pipeline: str
    reference: str
    """`module:qualname` of the pipeline."""
    plan: str
    """Digest of the plan."""
    parameters: Mapping[str, str]
    """What `run()` was given, plain data as text, anything else described."""
    stack: str
    stack_origin: str
    """Who chose the stack."""
    orchestrator: str
    user: str
    host: str
    process: int
    started: float
    """Seconds since 1970, UTC."""
    code: str
    """Digest of the code of all steps."""
    commit: str | None
    """The git commit of the project, if it is a checkout."""
    versions: Mapping[str, str]
    calls: tuple[str, ...]
    """The ids of all calls, in an order in which they can run."""
    hits: Mapping[str, str]
    """Call → cache key, for the calls whose results were there when the run was planned."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Call → `run/step` that had computed the result, for the same calls: under a key the cache
    may have another result by now."""
    maps: tuple[str, ...] = ()
    """Those of `calls` that map over lists known at run time: each becomes as many as they hold."""
    machine: str = ""
    """Digest that only processes with the same process ids share; empty if it is not known."""
    process_started: str = ""
    """When that process started, as its machine counts; another process has another."""
    described: tuple[str, ...] = ()
    """Those of `parameters` whose text only describes the value."""
    resumed: str = ""
    """Id of the run that it goes on with; empty if with none."""
    part: str = ""
    """Which steps of the pipeline it has, as they were asked for: "from train". Empty for all."""
    elsewhere: bool = False
    """Whether its steps run on other machines, each by itself."""
    job: str = ""
    """The engine's id of what it carries out, of a run that was made there."""
    verified: bool = True
    """Whether a known key has signed this. Not part of the record."""
