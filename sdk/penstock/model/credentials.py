"""Credentials: what lets somebody in, as names of options and parts of URLs give it away."""

from __future__ import annotations

import re
from typing import Final

from penstock.model.references import REFERENCE

MASK: Final = "***"

_NAMED: Final = "key|secret|token|passw|credential"

_LOGIN: Final = (
    r"(://(?:\$\{[^}]*\}|\[[^\]/@]*\]|[^/?#:])*+:)"  # a user, or a host: of IPv6, or to be resolved
    r"(?!\d{1,5}(?:[/?#]|$))"  # what follows is no port
    rf"({REFERENCE.pattern}|.+)(?=@)"  # there may be anything in a password, another '@' too
)

_SIGNED: Final = (
    r"([?&#;][^?&#;=]*(?:sig|signature|token|secret|password|passwd|pwd|credentials?"
    r"|(?:access|account|api|secret)[-_]?key)=)([^&#]+)"
)
"""Parameters by which a server knows who may; names end so: `X-Amz-Signature`, not `max_tokens`."""

# They are compiled when they are needed first, which in most processes is never.
_FLAGS: Final = re.IGNORECASE | re.DOTALL


def is_name(option: str) -> bool:
    """Whether what is called so is likely to be a secret."""
    return re.search(_NAMED, option, re.IGNORECASE) is not None


def are_in(text: str) -> bool:
    """Whether a URL in it has a password, a token or a signature, or a reference to one."""
    return any(re.search(pattern, text, _FLAGS) for pattern in (_LOGIN, _SIGNED))


def hidden(text: str) -> str:
    """The text with `***` for these; references stay."""
    for pattern in (_LOGIN, _SIGNED):
        text = re.sub(pattern, _masked, text, flags=_FLAGS)
    return text


def _masked(found: re.Match[str]) -> str:
    before, secret = found[1], found[2]
    return before + (secret if REFERENCE.fullmatch(secret) else MASK)
