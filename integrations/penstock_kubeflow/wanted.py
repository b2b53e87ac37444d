"""Wanted: the Kubernetes Secrets that an orchestrator's defaults name, and what goes into them.

A setting names a variable and a key of a Secret; the value is that of the variable of the same name
on this machine. It is looked at only to be sent, and to be compared with what is there.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock_kubeflow import settings
from penstock_kubeflow.references import files_of, key_of

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator


@dataclass(slots=True)
class Wanted:
    """One Secret."""

    name: str
    variables: dict[str, list[str]] = field(default_factory=dict)
    """By key: the variables of pods that it is for."""
    folders: list[str] = field(default_factory=list)
    """Of pods, that have a file for each of its keys, whichever there are."""
    needed: set[str] = field(default_factory=set)
    """The keys, and the folders, without which no pod starts."""

    def value(self, key: str) -> bytes | None:
        """Of a key, on this machine; None if no variable for it is set, or they do not agree."""
        found = self._values(key)
        return found.pop() if len(found) == 1 else None

    @property
    def values(self) -> Mapping[str, bytes]:
        """By key, as far as this machine has them."""
        found = {key: self.value(key) for key in self.variables}
        return {key: value for key, value in found.items() if value is not None}

    def lacks(self, keys: Collection[str] | None, namespace: str) -> Iterator[tuple[str, str]]:
        """What nobody knows, and what to type. `keys` are those that the Secret has already; None
        if it is not there."""
        for key, variables in self.variables.items():
            if key in (keys or ()) or self.value(key) is not None:
                continue
            if self._values(key):
                several = " and ".join(variables)
                yield (
                    f"the key {key!r} of the Secret {self.name!r}: {several} are different here",
                    "Write a key of its own for each.",
                )
            elif key in self.needed:
                yield (
                    f"the key {key!r} of the Secret {self.name!r}: {variables[0]} is not set here",
                    f"export {variables[0]}=…",
                )
        if keys is None and not self.values:
            for folder in self.needed.intersection(self.folders):
                yield (
                    f"the Secret {self.name!r}, for {folder}: what its files are is not known here",
                    self.command(namespace),
                )

    def command(self, namespace: str) -> str:
        """The line that makes it by hand."""
        if not self.variables:
            return f"kubectl create secret generic {self.name} -n {namespace} --from-file=FOLDER"
        said = [
            f'--from-literal={key}="${variables[0]}"' for key, variables in self.variables.items()
        ]
        return " ".join([f"kubectl create secret generic {self.name} -n {namespace}", *said])

    def _values(self, key: str) -> set[bytes]:
        found = (os.environ.get(variable) for variable in self.variables[key])
        return {os.fsencode(value) for value in found if value}


def wanted(kubeflow: KubeflowOrchestrator) -> Sequence[Wanted]:
    """All of them, in the order in which they are named."""
    made = settings.read(kubeflow.defaults)
    found: dict[str, Wanted] = {}
    for variable, said in made.secret_env.items():
        key = key_of(said)
        secret = found.setdefault(key.name, Wanted(key.name))
        secret.variables.setdefault(key.key, []).append(variable)
        secret.needed |= set() if key.optional else {key.key}
    for folder, files in made.secret_files.items():
        named = files_of(files)
        secret = found.setdefault(named.name, Wanted(named.name))
        secret.folders.append(folder)
        secret.needed |= set() if named.optional else {folder}
    return list(found.values())
