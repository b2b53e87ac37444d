"""Promises: what an object is to be, which its value may have been changed since."""

from __future__ import annotations

from blake3 import blake3

from penstock.errors import UnsupportedValue


class Promise:
    """The digest of what will have been sent; without one, anything may be."""

    def __init__(self, digest: str | None) -> None:
        self._digest = digest
        self._state = blake3()

    def copied(self, chunk: memoryview) -> None:
        """See all that is sent, in its order."""
        if self._digest is not None:
            self._state.update(chunk)

    def kept(self) -> None:
        """All was seen. Raises `UnsupportedValue` if it is not what was promised."""
        if self._digest not in (None, self._state.hexdigest()):
            raise UnsupportedValue(
                "A value was changed by somebody else while it was being stored.",
                hint="Return a copy from the step, or end whatever changes it before it returns.",
            )
