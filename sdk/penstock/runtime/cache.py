"""Cache keys, and whether what they lead to can be used. What is in a key is decided here only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.artifacts.formats import registry
from penstock.artifacts.values import Values
from penstock.digest import digest
from penstock.errors import CorruptArtifact, StoreUnavailable
from penstock.lazy import lazy
from penstock.model import plain
from penstock.model.binding import Binding, Group, Held, Literally, Use
from penstock.model.controls import ANYTHING, Controls
from penstock.model.graph import Call
from penstock.model.options import StepOptions
from penstock.model.records import Artifact, StepRun
from penstock.model.step import Step
from penstock.runtime.age import too_old
from penstock.runtime.asking import Asking, Singly
from penstock.runtime.environments import HERE, Environments
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger

if TYPE_CHECKING:
    from penstock.runtime import foreseen
else:
    foreseen = lazy("penstock.runtime.foreseen")  # only where the store is far away

LONG: Final = 4096
"""Characters of a parameter from which its digest stands for it."""

OFF: Final = "the cache is off"
"""Why a step ran that takes nothing from the cache, as its record says."""

REFRESHED: Final = "a new result was asked for: refresh=True"
"""Why a step ran whose result in the cache was to be replaced."""

_dump: Final = json.JSONEncoder(separators=(",", ":")).encode

Results = Mapping[str, StepRun]
"""What is known of the calls that another one needs."""


@dataclass(frozen=True, slots=True)
class Key:
    """A cache key, and the text that it is the digest of."""

    digest: str
    parts: str
    outputs: tuple[str, ...] = ()
    """Names of the outputs that a result has; empty if whoever has it looks nothing up."""


@dataclass(frozen=True, slots=True)
class Miss:
    """No result that can be used here."""

    key: Key
    why: str = ""
    """Why there is an entry that cannot be used, if there is one."""
    useless: bool = False
    """Whether nobody can use that entry."""


class Cache:
    """The results that a store has, by what they were computed from."""

    def __init__(
        self, ledger: Ledger, values: Values, fingerprints: Fingerprints,
        environments: Environments = HERE,
    ) -> None:  # fmt: skip
        """`environments` are those in which the steps will run whose keys are asked for."""
        self._ledger = ledger
        self._values = values
        self._asking: Asking = Singly(ledger, values)
        self._fingerprints = fingerprints
        self._environments = environments
        self._fixed: dict[int, tuple[Step[..., Any], str]] = {}

    def at_once(self) -> Cache:
        """The same, for whoever looks many results up now: of a distant store they are asked for
        together, as far as somebody says before which they are."""
        if not self._ledger.store.distant:
            return self
        other = copy(self)
        other._asking = foreseen.Foreseen(self._ledger, self._values)
        return other

    def waves(self, calls: Iterable[Call]) -> Iterator[Sequence[Call]]:
        """Calls in an order in which they can run, those together that are to be looked up
        together."""
        return self._asking.waves(calls)

    def look_ahead(self, keys: Iterable[str]) -> None:
        """Say which keys will be looked up now."""
        self._asking.look_ahead(keys)

    def tells(self, call: Call) -> bool:
        """Whether the key of a call can be told: it has the versions of the packages that are
        installed where the call will run."""
        reached = self._fingerprints.of_step(call.step).packages
        return self._environments.knows(call, reached)

    def key(self, call: Call, results: Results) -> Key:
        """The key of a call whose inputs are all known.

        Code and environment of the step, formats of its outputs, `version=` and `cache_env=`;
        parameters in canonical form; inputs as format, digest and code. Not the orchestrator, the
        host, the run or the step's name.
        """
        parameters = {}
        inputs = {}
        for name, binding in call.bindings.items():
            if type(binding) is Literally:
                text = binding.canonical
                parameters[name] = text if len(text) < LONG else digest("parameter/1", text)
            else:
                inputs[name] = self._input(binding, results)
        varying = _dump({"parameters": parameters, "inputs": inputs, **_way(call)})
        parts = f"{self._step_parts(call)},{varying[1:]}"
        outputs = tuple(output.name for output in call.outputs)
        return Key(digest("step/1", parts), parts, outputs)

    def code_now(self, artifact: Artifact) -> str:
        """The code that an artifact needs, as it is now."""
        return self._fingerprints.of_artifact(artifact)

    def canonical(self, value: Any, artifact: Artifact) -> str:
        """What a key says of a value that is given, in place of its digest; empty for that."""
        return self._fingerprints.canonical(value, artifact)

    def look_up(self, key: Key, controls: Controls = ANYTHING) -> StepRun | Miss:
        """A result that can be used under these controls, or why there is none."""
        if not controls.cache:
            return Miss(key, OFF)
        if controls.refresh:
            return Miss(key, REFRESHED)
        unread: list[str] = []
        found = self._asking.cached(key.digest, unread)
        if found is None:
            return self._nothing(key, unread)
        if (limit := controls.cache_for) is not None and (why := too_old(found, limit)):
            return Miss(key, why)
        return self.usable(found, key, cached=True)

    def _nothing(self, key: Key, unread: Sequence[str]) -> Miss:
        """The miss where there is no entry that can be read: perhaps something else is in its
        place."""
        if unread:
            return Miss(key, f"the cache entry cannot be read: {unread[0]}")
        if not (instead := self._ledger.in_the_way(key.digest)):
            return Miss(key)
        why = f"what lies in the place of the cache entry is {instead}"
        return Miss(key, why, useless=True)

    def usable(self, found: StepRun, key: Key, *, cached: bool = False) -> StepRun | Miss:
        """The result itself, if it is the one for this key and all of it is there.

        What is not `cached` may be of a run that is just being cleaned away: its objects are kept.
        """
        is_there = self._asking.is_there if cached else self._values.rely_on
        own = found.key == key.digest and found.outputs.keys() >= set(key.outputs)
        if not own or not found.status.usable:
            return Miss(key, "the cache entry is not the one that its name says", useless=True)
        for name, artifact in found.outputs.items():
            if not registry.is_known(artifact.format):
                why = f"output {name!r} has the format {artifact.format!r}, not known here"
                return Miss(key, why, useless=True)
            if registry.runs_code(artifact.format) and (why := self._untrusted(found)):
                return Miss(key, f"output {name!r} is a pickle{why}")
            if not is_there(artifact):
                return Miss(key, f"the object of output {name!r} was deleted", useless=True)
            if registry.is_outside(artifact.format):
                if not self._values.may_follow(found.verified):
                    return Miss(key, f"output {name!r} is a reference{_signed(found)}")
                if (miss := self._moved_on(key, name, artifact)) is not None:
                    return miss
        return found

    def _moved_on(self, key: Key, name: str, artifact: Artifact) -> Miss | None:
        """Why an output that lies outside of the store cannot be used any more, if so."""
        try:
            now = self._values.changed(artifact)
        except (StoreUnavailable, CorruptArtifact) as error:
            return Miss(key, f"output {name!r}: {error.message.rstrip('.')}")
        return Miss(key, f"output {name!r} has changed: {now}", useless=True) if now else None

    def forget(self, key: Key) -> None:
        """Make room for a new result where nobody can use the old one."""
        self._ledger.forget(key.digest)

    def _untrusted(self, found: StepRun) -> str:
        allowed = self._ledger.store.allow_pickle
        if allowed == "any" or (allowed == "signed" and found.verified):
            return ""
        if allowed == "never":
            return ", and the store says allow_pickle: never"
        return _signed(found)

    def _step_parts(self, call: Call) -> str:
        """What is the same for all calls of a step, as the beginning of a JSON object."""
        step = call.step
        known = self._fixed.get(id(step))
        if known is not None:
            return known[1]
        options = step.options
        fingerprint = self._fingerprints.of_step(step)
        text = _dump(
            {
                "code": fingerprint.digest,
                "environment": self._environments.versions(call, fingerprint.packages),
                "formats": {
                    output.name: registry.declared(output.hint) for output in step.signature.outputs
                },
                "version": options.version,
                "cache_env": {name: _variable(name, options) for name in options.cache_env},
            }
        )[:-1]
        self._fixed[id(step)] = (step, text)
        return text

    def _input(self, binding: Binding, results: Results) -> Any:
        """What the key says of an input."""
        if type(binding) is Use:
            artifact = results[binding.call].outputs[binding.output]
            return (artifact.format, artifact.digest, self._fingerprints.of_artifact(artifact))
        if type(binding) is Held:
            artifact = binding.artifact
            found = binding.canonical or artifact.digest
            return (artifact.format, found, self._fingerprints.of_artifact(artifact))
        if type(binding) is Literally:
            return {"value": binding.canonical}
        assert type(binding) is Group
        items = [self._input(item, results) for item in binding.items]
        if binding.kind != "dict":
            return {binding.kind: items, "keys": binding.keys}
        keys = [plain.canonical(key) for key in binding.keys]
        return {"dict": sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])}


def _way(call: Call) -> dict[str, Any]:
    """What else decides what a call gives: that it is one for each item of a list, and which of
    its outputs are stored item by item."""
    way: dict[str, Any] = {"over": call.over} if call.over else {}
    return {**way, "items": sorted(call.mapped)} if call.mapped else way


def _signed(found: StepRun) -> str:
    return f" signed with key {found.signer}, which is not here"


def _variable(name: str, options: StepOptions) -> str | None:
    """What the key says of a variable. The record shows it: of a secret there is a digest."""
    value = os.environ.get(name)
    secret = value is not None and name in options.secrets
    return digest("secret/1", name, value) if secret and value else value
