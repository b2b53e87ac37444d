"""The secrets of a stack: names that steps ask for, and what stands behind each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock.model.component import Secret
from penstock.model.credentials import MASK
from penstock.model.references import REFERENCE, misspelt

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_VARIABLE: Final = "PENSTOCK_SECRET_stack_{}"
"""In small letters, as no variable of a component is."""


def is_name(name: object) -> bool:
    """Whether a variable of the environment can have this name."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def complaints(written: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong: under which name, and a sentence that shows no secret."""
    for name, secret in written.items():
        if not is_name(name):
            yield (
                name,
                (
                    f"the secret {name!r} cannot be a variable of the environment: letters, digits "
                    "and '_' are needed, and no digit at the beginning."
                ),
            )
        elif not isinstance(secret, str | Secret):
            yield name, f"the secret {name!r} must be text: ${{env:NAME}} or ${{file:PATH}}."
        elif isinstance(secret, str) and (wrong := misspelt(secret)):
            yield name, f"the secret {name!r}: {wrong}"
        elif secret == "":
            yield name, f"the secret {name!r} is empty; write ${{env:NAME}} or ${{file:PATH}}."


def made(written: Mapping[str, Secret | str]) -> dict[str, Secret]:
    """Each as a `Secret`, which shows itself to nobody."""
    return {
        name: secret if isinstance(secret, Secret) else Secret(secret)
        for name, secret in written.items()
    }


def to_data(secrets: Mapping[str, Secret]) -> dict[str, str]:
    """For a plan: references as they were written, and in place of a secret itself the variable
    that a process of our own has it in."""
    return {
        name: secret.written if secret.is_reference else f"${{env:{variable(name)}}}"
        for name, secret in secrets.items()
    }


def variable(name: str) -> str:
    """What stands for a secret in `to_data` that is no reference."""
    return _VARIABLE.format(name)


def masked(written: Mapping[str, str]) -> dict[str, str]:
    """As they may be shown to anybody: references, and `***`."""
    return {name: text if REFERENCE.fullmatch(text) else MASK for name, text in written.items()}
