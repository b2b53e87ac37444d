"""Secrets in the open: values of variables that stand in a pipeline as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock.model import credentials
from penstock.model.references import REFERENCE

_SECRET: Final = (
    r"(?i)(.*_)?(token|secret|password|passwd|passphrase|pwd|pat|credentials?"
    r"|(api|access|secret|private|account|signing|encryption|auth|master|team)_?key)"
)
"""Names of variables that hold a secret: `HF_TOKEN`, not `TOKENIZERS_PARALLELISM`."""
_HARMLESS: Final = r"(?i)|true|false|yes|no|none|on|off|[0-9.]{1,5}|/.*|\*+"
"""What no secret is: a switch, a small number, the path of a file that has one."""


def open_secrets(who: str, variables: Mapping[str, Any]) -> Iterator[str]:
    """Variables with a secret that everybody could read in the pipeline; no value is shown."""
    for name, value in variables.items():
        text = str(value)
        if found := REFERENCE.search(text):
            yield (
                f"{who} has the variable {name!r} in env as {found[0]}, and settings are taken as "
                f"they stand. Write secret_env: {{{name}: SECRET/KEY}}, or the value itself."
            )
        elif _is_open(name, text):
            yield (
                f"{who} has the variable {name!r} in env, a secret that would stand in the "
                f"pipeline. Write secret_env: {{{name}: SECRET/KEY}}, which names a Kubernetes "
                "Secret and its key."
            )


def _is_open(name: str, value: str) -> bool:
    if credentials.are_in(value):
        return True
    return bool(re.fullmatch(_SECRET, name)) and not re.fullmatch(_HARMLESS, value)
