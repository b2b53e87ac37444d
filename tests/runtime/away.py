"""Steps that run on other machines, as far as anybody here can tell: a store that others can reach,
and an orchestrator that says it sends steps there, and carries them out in this process."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from itertools import count
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any, ClassVar

import pytest

from penstock import LocalArtifactStore, Stack
from penstock.artifacts.store import Buffer
from penstock.model.graph import Call
from penstock.stack.orchestrator import Job
from penstock.testing.recording import Recorded, RecordingOrchestrator

_numbers = count()
_asked: dict[str, list[str]] = {}


@dataclass(frozen=True, kw_only=True)
class SharedStore(LocalArtifactStore):
    """A folder that other machines have, too."""

    flavor: ClassVar[str] = "shared"

    @property
    def asked(self) -> list[str]:
        """The keys that were read, by all stores of this folder."""
        return _asked.setdefault(self.path, [])

    @property
    def only_here(self) -> bool:
        return False

    def get(self, key: str) -> Buffer:
        self.asked.append(key)
        return super().get(key)


@dataclass(frozen=True, kw_only=True)
class Away(RecordingOrchestrator):
    flavor: ClassVar[str] = "away"
    elsewhere: ClassVar[bool] = True
    settings: ClassVar[tuple[str, ...]] = ("image", "env")

    image: str | None = None
    ships: bool = True

    @property
    def ships_code(self) -> bool:
        return self.ships

    def environment_of(self, call: Call, settings: Mapping[str, Mapping[str, Any]]) -> str | None:
        of_step = (call.step.options.settings or {}).get("away", {})
        found: str | None = {**settings.get("away", {}), **of_step}.get("image", self.image)
        return found

    def compile(self, job: Job) -> str:
        words = [" ".join(job.command(call, run="RUN", job="JOB")) for call in job.pending]
        return "".join(f"{line}\n" for line in words)


def store_of(stack: Stack) -> SharedStore:
    """Its artifact store."""
    assert isinstance(stack.artifact_store, SharedStore)
    return stack.artifact_store


def jobs(stack: Stack) -> list[Recorded]:
    """What was submitted."""
    assert isinstance(stack.orchestrator, Away)
    return stack.orchestrator.jobs


def stack(folder: Path, *, store: Mapping[str, Any] | None = None, **options: Any) -> Stack:
    """All of one folder have one store."""
    place = SharedStore(path=str(folder / "store"), **(store or {}))
    return Stack("prod", orchestrator=Away(**options), artifact_store=place)


def module(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, **others: str) -> ModuleType:
    """A project of its own in a folder, and what its file says: a module of a name of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "penstock.yaml").touch()
    name = f"away_steps_{next(_numbers)}"
    for each, content in {name: text, **others}.items():
        (folder / f"{each}.py").write_text(dedent(content))
        monkeypatch.setitem(sys.modules, each, ModuleType(each))  # so that it is forgotten again
        del sys.modules[each]
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    invalidate_caches()
    return import_module(name)


def objects(folder: Path) -> dict[str, int]:
    """The objects of the store, and their sizes."""
    found = (folder / "store").rglob("objects/*/*")
    return {each.name: each.stat().st_size for each in found}
