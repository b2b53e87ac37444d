"""Metaflow: steps of one flow, run locally with the datastore in a folder. It reads a flow from its
source, so the source of a chain is written out first; then this process becomes the flow's."""

import os
import sys
from pathlib import Path

HEAD = """from metaflow import FlowSpec, step


class Chain(FlowSpec):
    @step
    def start(self):
        self.number = 0
        self.next(self.step_1)
"""
MIDDLE = """
    @step
    def step_{i}(self):
        self.number += 1
        self.next(self.{following})
"""
LAST = """
    @step
    def end(self):
        self.number += 1
        assert self.number == {last}


if __name__ == "__main__":
    Chain()
"""


def main(length: int) -> None:
    head = HEAD if length > 2 else HEAD.replace("step_1", "end")
    steps = [
        MIDDLE.format(i=i, following=f"step_{i + 1}" if i < length - 2 else "end")
        for i in range(1, length - 1)
    ]
    Path("flow.py").write_text("".join([head, *steps, LAST.format(last=length - 1)]))
    os.execv(sys.executable, [sys.executable, "flow.py", "run"])


if __name__ == "__main__":
    main(int(sys.argv[1]))
