"""Secrets: what steps ask for by name, found in the stack or in the environment."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final

from penstock.errors import CannotRun, MissingReference
from penstock.model.component import Secret
from penstock.model.graph import Call
from penstock.model.references import from_root, resolve
from penstock.runtime import masking
from penstock.runtime.masking import Mask
from penstock.stack import secrets as written
from penstock.stack.component import secrets_in, spoken
from penstock.stack.settings import ByFlavor
from penstock.stack.stack import Stack

_HARMLESS: Final = r"|[A-Za-z]{1,8}|[0-9.]{1,5}|[a-z]{2}(-[a-z]+)+-[0-9]"
"""What secrets of an engine hold, too, and would be found everywhere: switches, ports, regions, and
short words, such as the user `minio` with the server of that name."""


class Secrets:
    """The secrets that the steps of one graph ask for; the stack's before the environment's."""

    def __init__(
        self, stack: Stack, calls: Iterable[Call], root: Path, settings: ByFlavor | None = None
    ) -> None:
        """`settings` are those of the pipeline, by flavor."""
        self._stack = stack
        self._root = root
        self._settings = settings or {}
        self._all = list(calls)
        self._calls = [call for call in self._all if call.step.options.secrets]

    def problems(self) -> Iterator[str]:
        """The secrets that are not there, a sentence each."""
        told = set()
        for call in self._calls:
            for name in call.step.options.secrets:
                try:
                    self._value(name)
                except MissingReference as error:
                    if (call.step.name, name) not in told:
                        told.add((call.step.name, name))
                        yield (
                            f"step {call.id} ({call.where}) needs the secret {name!r}: "
                            + " ".join(str(error).splitlines())
                        )

    @cached_property
    def values(self) -> Mapping[str, str]:
        """All that are there."""
        found = {}
        for name in {name for call in self._calls for name in call.step.options.secrets}:
            try:
                found[name] = self._value(name)
            except MissingReference:  # in a process of one step those of the others may be missing
                continue
        return found

    @cached_property
    def known(self) -> Mapping[str, str]:
        """All that nobody may be told, by where it is from: what the stack's components and the
        stack itself refer to, be it asked for or not, what steps ask for, and what an engine gives
        to steps from its own secrets, as far as it is here."""
        found: dict[str, Secret] = {}
        for component in self._stack.components:
            who = f"of the {spoken(component.category)} {component.name!r}"
            for option, _, secret in secrets_in(component):
                found[f"{option} {who}"] = secret
        found |= self._stack.secrets
        return {**dict(_revealed(found, self._root)), **dict(self._of_engine()), **self.values}

    @cached_property
    def mask(self) -> Mask:
        """Hides all of them, and what the stack's components have written out; for steps on other
        machines all that is known, since there it stands in the environment of each."""
        mine = self.known if self._stack.orchestrator.elsewhere else self.values
        hidden = [*mine.values(), *self._stack.environment.values()]
        return Mask(hidden) if hidden else masking.NOTHING

    def of(self, call: Call) -> dict[str, str]:
        """What a process of its own is given for this step, and for no other."""
        names = [name for name in call.step.options.secrets if name in self.values]
        return {name: self.values[name] for name in names} | self._literal(names)

    @property
    def literal(self) -> dict[str, str]:
        """What no plan shows, by the variable that stands there: for a process of any step."""
        return self._literal(self.values)

    @contextmanager
    def provided(self, only: Call | None = None) -> Iterator[None]:
        """In this process's environment, as long as this lasts. Raises `CannotRun`."""
        names = self.values if only is None else only.step.options.secrets
        mine = {
            name: self.values[name]
            for name in names
            if name in self._stack.secrets and name in self.values
        }
        if not mine:
            yield
            return
        _put.begin(mine, self._stack.name)
        try:
            yield
        finally:
            _put.end(mine)

    def _of_engine(self) -> Iterator[tuple[str, str]]:
        orchestrator = self._stack.orchestrator
        for name in orchestrator.secret_variables(self._settings, self._all):
            value = os.environ.get(name, "")
            if not re.fullmatch(_HARMLESS, value):
                yield name, value

    def _value(self, name: str) -> str:
        """Raises `MissingReference`."""
        secret = self._stack.secrets.get(name)
        if secret is not None and secret.is_reference:
            return resolve(from_root(secret.written, self._root))
        if secret is not None:
            return secret.reveal()
        if name in os.environ:
            return os.environ[name]
        raise MissingReference(
            f"it is neither in the environment nor among the secrets of the stack "
            f"{self._stack.name!r}.",
            hint=f"Type: export {name}=…",
        )

    def _literal(self, names: Iterable[str]) -> dict[str, str]:
        own = self._stack.secrets
        return {
            written.variable(name): self.values[name]
            for name in names
            if name in own and not own[name].is_reference
        }


def _revealed(secrets: Mapping[str, Secret], root: Path) -> Iterator[tuple[str, str]]:
    """Those that are there."""
    for name, secret in secrets.items():
        written = from_root(secret.written, root) if secret.is_reference else ""
        with suppress(MissingReference):
            yield name, resolve(written) if written else secret.reveal()


class _Put:
    """What runs of this process have put into its environment, until the last of them is over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before: dict[str, str | None] = {}
        self._users: dict[str, int] = {}

    def begin(self, values: Mapping[str, str], stack: str) -> None:
        with self._lock:
            for name, value in values.items():
                if name in self._before and os.environ.get(name) != value:
                    raise CannotRun(
                        f"Another run of this process has another value for the secret {name!r} "
                        f"than the stack {stack!r}.",
                        hint="Run one after the other, or each in a process of its own.",
                    )
            for name, value in values.items():
                if name not in self._before:
                    self._before[name] = os.environ.get(name)
                    os.environ[name] = value
                self._users[name] = self._users.get(name, 0) + 1

    def end(self, names: Iterable[str]) -> None:
        with self._lock:
            for name in names:
                self._users[name] -= 1
                if not self._users[name]:
                    _set(os.environ, name, self._before.pop(name))

    def outside(self) -> dict[str, str]:
        """The environment as it would be without them."""
        with self._lock:
            found = dict(os.environ)
            for name, value in self._before.items():
                _set(found, name, value)
            return found


def _set(environment: dict[str, str] | os._Environ[str], name: str, value: str | None) -> None:
    if value is None:
        environment.pop(name, None)
    else:
        environment[name] = value


_put = _Put()
outside = _put.outside
