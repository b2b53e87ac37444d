"""Beside the records of a run: its plan and its code, as objects that are most likely there."""

from __future__ import annotations

from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.model.records import Part


class Beside:
    """What is to be kept of one run. Of a distant store all of it is looked for at once."""

    def __init__(self, values: Values, *, later: bool = False) -> None:
        """`later`: nothing is to be stored before all that is kept is known."""
        self._values = values
        self._later: dict[Part, bytes] = {}
        self.keep = self._note if later or values.store.distant else values.keep
        """Stores bytes, by the time that all is `kept`, and says under which digest."""

    def kept(self) -> None:
        """Store what is not there yet."""
        if self._later:
            self._values.keep_all(self._later)

    def _note(self, data: bytes) -> Part:
        part = Part(of_buffers([data]), len(data))
        self._later[part] = data
        return part
