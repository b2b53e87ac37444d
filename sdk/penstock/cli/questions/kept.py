"""Secrets that were typed: each gets a file of its own, which only its user can read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from penstock.errors import BadConfiguration, StackError
from penstock.model.references import REFERENCE
from penstock.model.user import config_folder
from penstock.stack import secrets

FOLDER: Final = "secrets"

_SHORT: Final = re.compile(r"(env|file):\s*(.*)")
_VARIABLE: Final = "PENSTOCK_ANSWER_{}"


@dataclass(frozen=True, slots=True, repr=False)
class _Secret:
    path: Path
    text: str

    @property
    def place(self) -> str:
        """From the home folder, so that other people's machines have it as well."""
        home = Path(os.path.expanduser("~"))
        inside = self.path.is_relative_to(home)
        return f"~/{self.path.relative_to(home)}" if inside else str(self.path)

    @property
    def reference(self) -> str:
        return f"${{file:{self.place}}}"


class Kept:
    """Those of one form. They are in memory until `write`."""

    def __init__(self) -> None:
        self._secrets: dict[str, _Secret] = {}

    def reference(self, what: str, text: str) -> str:
        """What stands for a secret in a file of ours: the reference itself, if it is one, also as
        `env:NAME` or `file:PATH`. Raises `BadConfiguration` where a secret cannot be kept."""
        self._secrets.pop(what, None)  # an answer before this one
        said = text.strip()
        if REFERENCE.fullmatch(said):
            return said
        if short := _SHORT.fullmatch(said):
            return _led(*short.groups())
        if said.startswith("${"):
            raise BadConfiguration("That is no reference.", hint="Type env:NAME or file:PATH.")
        secret = self._secrets[what] = _Secret(self._place(what), text)
        return secret.reference

    def write(self, entry: Any) -> list[str]:
        """Make the files that are referred to in `entry`, and say where they are. Raises
        `StackError`; then there are none."""
        texts = set(_texts(entry))
        used = [each for each in self._secrets.values() if each.reference in texts]
        made: list[Path] = []
        try:
            for secret in used:
                _write(secret, made)
        except OSError as error:
            for path in made:
                path.unlink()
            raise StackError(f"{error.filename} cannot be written: {error.strerror}.") from error
        return [secret.place for secret in used]

    @contextmanager
    def at_hand(self) -> Iterator[dict[str, str]]:
        """For so long each is in a variable: what stands for it, and what does so meanwhile."""
        names = {_VARIABLE.format(n): each for n, each in enumerate(self._secrets.values())}
        os.environ.update({name: each.text for name, each in names.items()})
        try:
            yield {each.reference: f"${{env:{name}}}" for name, each in names.items()}
        finally:
            for name in names:
                del os.environ[name]

    def _place(self, what: str) -> Path:
        """A file that is not there yet, and that a reference can lead to."""
        folder = config_folder()
        if folder is None or "}" in str(folder):
            raise BadConfiguration(
                "There is no folder of yours that a secret could be kept in.",
                hint="Type env:NAME or file:PATH, which say where it is.",
            )
        name = re.sub(r"[^A-Za-z0-9._-]", "-", what)
        path, number = folder / FOLDER / name, 1
        while os.path.lexists(path) or any(each.path == path for each in self._secrets.values()):
            number += 1
            path = folder / FOLDER / f"{name}.{number}"
        return path


def replaced(value: Any, instead: Mapping[str, str]) -> Any:
    """What an option holds, with other references."""
    if isinstance(value, Mapping):
        return {key: replaced(item, instead) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, instead) for item in value]
    return instead.get(value, value) if isinstance(value, str) else value


def _led(kind: str, to: str) -> str:
    """The reference that `env:NAME` or `file:PATH` is short for."""
    if kind == "env" and not secrets.is_name(to):
        raise BadConfiguration("After env: comes the name of a variable, and nothing else.")
    if not to or "}" in to:
        raise BadConfiguration("After file: comes a path, without any '}'.")
    return f"${{{kind}:{to}}}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _write(secret: _Secret, made: list[Path]) -> None:
    secret.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(secret.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    made.append(secret.path)
    with open(descriptor, "wb") as file:
        file.write(secret.text.encode())
        file.flush()
        os.fsync(descriptor)
