"""Environments: which packages are installed where a step will run, if that is not this process.

The key of a step has the versions of what it reaches. Of an image only its own processes can tell
them: the first one writes them down, `environments/<id>` in the store, and whoever plans a run
looks there. Of an image that nobody has noted yet no key can be told, and nothing is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock.artifacts.store import ArtifactStore
from penstock.digest import digest
from penstock.errors import NoSuchKey
from penstock.model.graph import Call
from penstock.runtime.fingerprints import libraries
from penstock.runtime.notation import MALFORMED
from penstock.stack.orchestrator import Orchestrator

if TYPE_CHECKING:
    from penstock.stack.settings import ByFlavor
    from penstock.stack.stack import Stack

_dump: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode

_log: Final = logging.getLogger("penstock.environments")

Versions = Mapping[str, str]
"""Of Python, and of installed libraries by their top-level modules: as a key has them."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed somewhere."""

    text: str
    """What decides that: see `Orchestrator.environment_of`."""
    stamp: str
    """Another one as soon as anything else is installed: cheap to find out."""
    packages: Versions
    """Of all that can be imported there."""


class Environments(Protocol):
    """Those in which the steps of one graph will run."""

    @property
    def unknown(self) -> Iterable[str]:
        """Those that somebody has asked for, and nobody has noted yet."""

    def knows(self, call: Call, reached: Iterable[str]) -> bool:
        """Whether the versions of all that a call reaches are known where it will run."""

    def versions(self, call: Call, reached: Versions) -> Versions:
        """Those of what a call reaches, where it will run. `reached` are those of this process."""


class Here:
    """All run with the packages of this process."""

    unknown: Iterable[str] = ()

    def knows(self, call: Call, reached: Iterable[str]) -> bool:
        return True

    def versions(self, call: Call, reached: Versions) -> Versions:
        return reached


HERE: Final = Here()


class There:
    """Steps run in other environments, or some of them do."""

    def __init__(self, stack: Stack, settings: ByFlavor) -> None:
        self._orchestrator = stack.orchestrator
        self._store = stack.artifact_store
        self._settings = settings
        self._apart = {each.name for each in stack.step_operators if each.own_environment}
        self._found: dict[str, Environment | None] = {}
        self._texts: dict[int, tuple[object, str | None]] = {}

    @property
    def unknown(self) -> Iterable[str]:
        return [text for text, found in self._found.items() if found is None]

    def knows(self, call: Call, reached: Iterable[str]) -> bool:
        if call.step.options.step_operator in self._apart:
            return False
        if (text := self._text(call)) is None:
            return True
        found = self._environment(text)
        return found is not None and found.packages.keys() >= set(reached)

    def versions(self, call: Call, reached: Versions) -> Versions:
        text = self._text(call)
        found = None if text is None else self._environment(text)
        if found is None:
            return reached
        return {name: found.packages.get(name, version) for name, version in reached.items()}

    def _text(self, call: Call) -> str | None:
        step = call.step
        if id(step) not in self._texts:
            text = self._orchestrator.environment_of(call, self._settings)
            self._texts[id(step)] = (step, text)  # the step is kept: no other one gets its id
        return self._texts[id(step)][1]

    def _environment(self, text: str) -> Environment | None:
        if text not in self._found:
            self._found[text] = known(self._store, text)
        return self._found[text]


def of(stack: Stack, settings: ByFlavor | None) -> Environments:
    """Where the steps of a pipeline with these settings run."""
    told = type(stack.orchestrator).environment_of is not Orchestrator.environment_of
    if not told and not any(each.own_environment for each in stack.step_operators):
        return HERE
    return There(stack, settings or {})


def key(text: str) -> str:
    """Where an environment is noted."""
    return f"environments/{digest('environment/1', text)}"


def known(store: ArtifactStore, text: str) -> Environment | None:
    """What was noted of an environment; None if nothing was that can be read."""
    try:
        return _read(json.loads(bytes(store.get(key(text)))), text)
    except NoSuchKey:
        return None
    except MALFORMED as error:  # anybody may have written it; the next process there does it again
        _log.warning("%s in %s is left out: %s", key(text), store.path, error)
        return None


def noted(store: ArtifactStore, text: str) -> None:
    """Note what is installed in this process's environment, unless that is known.

    An image may be another one by now under the same name: then it is noted again.
    """
    found = known(store, text)
    stamp = libraries.stamp()
    if found is not None and found.stamp == stamp:
        return
    said = {
        "text": text,
        "stamp": stamp,
        "python": libraries.PYTHON,
        "packages": libraries.versions(),
    }
    store.put(key(text), [_dump(said).encode()])


def _read(data: Any, text: str) -> Environment:
    """Raises one of `MALFORMED`."""
    said = {"python": data["python"], **data["packages"]}
    if data["text"] != text:
        raise ValueError(f"it is of {data['text']!r}")
    "".join((data["stamp"], *said.values()))  # which only texts can be
    return Environment(text, data["stamp"], said)
