"""The daemon that is started where none answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import psutil
import pytest
from docker_daemon import started, swept

HERE: Final = Path(__file__).parent
HOLDS: Final = """\
import sys, time
from pathlib import Path
from docker_daemon import docker, started, swept

with started(Path(sys.argv[1])), swept():
    print("network", docker("network", "create", "--label=penstock-tests", "left"), flush=True)
    time.sleep(600)
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a docker daemon")


def daemons(folder: Path) -> list[int]:
    """Those with their images in a folder."""
    found = psutil.process_iter(["cmdline"])
    return [each.pid for each in found if f"--data-root={folder}" in (each.info["cmdline"] or ())]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_ends_with_whoever_has_started_it(number: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "docker"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, folder],
        env={**os.environ, "PYTHONPATH": str(HERE)}, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        network = next(line.split()[1] for line in process.stdout if line.startswith("network"))
        assert len(daemons(folder)) == 1
    finally:
        process.send_signal(number)
        process.communicate(timeout=60)
    if number == signal.SIGKILL:
        with started(folder), swept():
            assert len(daemons(folder)) == 1  # the next one waits for its end, and tidies up
    assert not daemons(folder)
    assert not Path(f"/sys/class/net/br-{network[:12]}").exists()
    assert not Path((tmp_path / "docker-place").read_text()).exists()
