"""ETags: whether bytes are those that the server has, as far as it says."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from penstock.digest import Buffer

_MD5: Final = re.compile("[0-9a-f]{32}")


class Md5:
    """The MD5 of some bytes: not for security, but because it is what servers answer with."""

    def __init__(self, buffers: Iterable[Buffer]) -> None:
        state = hashlib.md5(usedforsecurity=False)
        for buffer in buffers:
            state.update(buffer)
        self._state = state

    @property
    def header(self) -> str:
        """For `ContentMD5`: then a server refuses other bytes."""
        return base64.b64encode(self._state.digest()).decode()

    def fits(self, answer: Mapping[str, Any]) -> bool | None:
        """Whether an answer is about these bytes; None where it does not say."""
        told = md5_of(answer)
        return None if told is None else told == self._state.hexdigest()


def md5_of(answer: Mapping[str, Any]) -> str | None:
    """The MD5 in an answer. Objects of several parts and encrypted ones have other ETags."""
    if answer.get("SSECustomerAlgorithm"):
        return None
    if str(answer.get("ServerSideEncryption", "")).startswith("aws:"):
        return None
    told = str(answer.get("ETag", "")).strip('"').lower()
    return told if _MD5.fullmatch(told) else None
