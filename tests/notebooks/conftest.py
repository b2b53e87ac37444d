"""A real kernel, started once for a file of tests, and used as a notebook uses it."""

import os
import queue
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

sys.path.append(str(Path(__file__).parents[1] / "runtime"))  # for its pods

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Cell:
    """What one cell has put out."""

    text: str = ""
    """What was printed, on both streams."""
    error: str = ""
    """The traceback as the notebook shows it, without colours."""
    shown: dict[str, Any] = field(default_factory=dict)
    """The value of its last line, by MIME type."""


class Notebook:
    """A kernel and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(
            cwd=str(folder), env={**os.environ, "HOME": str(folder), "NO_COLOR": "1"}
        )
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=180)

    def restart(self) -> None:
        """Start it anew: all names are gone, and the store is there."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self._connect()

    def run(self, code: str) -> Cell:
        """Run a cell, and wait for its end."""
        return self.outcome(self.start(code))

    def start(self, code: str) -> str:
        """Send a cell."""
        return str(self.client.execute(textwrap.dedent(code)))

    def outcome(self, cell: str) -> Cell:
        """What became of a cell that was sent."""
        found = Cell()
        for kind, content in self.messages(cell):
            if kind == "stream":
                found.text += content["text"]
            elif kind == "error":
                found.error = COLOURS.sub("", "\n".join(content["traceback"]))
            elif kind in ("execute_result", "display_data"):
                found.shown = content["data"]
        return found

    def messages(self, cell: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the kernel says of a cell, until it is idle again."""
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=180)
            except queue.Empty:
                pytest.fail("the kernel says nothing any more")
            if message["parent_header"].get("msg_id") != cell:
                continue
            if message["content"].get("execution_state") == "idle":
                return
            yield message["msg_type"], message["content"]

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """One for the whole file: each test defines what it needs."""
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        # Jupyter keeps things at home, and whoever runs these tests may have none.
        for name in ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
            patch.setenv(name, str(folder))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        notebook = Notebook(folder)
        yield notebook
        notebook.close()


@pytest.fixture
def cell(kernel: Notebook) -> Any:
    """Runs a cell that must not fail; what it prints."""

    def run(code: str) -> str:
        done = kernel.run(code)
        assert not done.error, done.error
        return done.text

    return run
