"""What this process has registered in code."""

from __future__ import annotations

from typing import Final

from penstock.model.component import StackComponent
from penstock.stack.stack import Stack

HERE: Final = "registered in this process"


class Registered:
    """What was registered in code. It is forgotten with the process."""

    def __init__(self) -> None:
        self.stacks: dict[str, Stack] = {}
        self.components: dict[tuple[str, str], StackComponent] = {}


REGISTERED: Final = Registered()
"""This process's own."""
