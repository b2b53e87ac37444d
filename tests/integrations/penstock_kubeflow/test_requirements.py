"""Requirements: what a pod installs for itself before it begins, with no shell and no home."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest
from drawn_jobs import Drawn, job, pods
from large_graphs import hello

from penstock_kubeflow import KubeflowOrchestrator
from penstock_kubeflow.compiling import compile

PROGRAM = "import sys, waterwheel; print(waterwheel.TURNS, sys.argv[1:])"


class Imports(Drawn):
    """A job whose command line tells what it imports."""

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        return ["python", "-c", PROGRAM, "--stack", "{}", "--call", "a -- b"]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A distribution that no index has."""
    file = tmp_path / "waterwheel-1.0-py3-none-any.whl"
    info = "waterwheel-1.0.dist-info"
    with ZipFile(file, "w") as archive:
        archive.writestr("waterwheel.py", "TURNS = 12\n")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: waterwheel\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return file


def argv(*requirements: str) -> list[str]:
    drawn = job(hello.graph())
    made = compile(
        Imports(drawn.plan),
        KubeflowOrchestrator(image="a:1", python=sys.executable, requirements=requirements),
    )
    container = pods(made)["load"].container
    return [*container.command, *container.args]


def ran(words: Sequence[str], folder: Path, *before: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    environment = {"PATH": "", "TMPDIR": str(folder), "PIP_NO_INDEX": "1", "PYTHONPATH": ""}
    return subprocess.run(
        [*before, *words], capture_output=True, text=True, env=environment, cwd="/", check=False
    )


def test_they_are_there_when_the_entry_point_begins(wheel: Path, tmp_path: Path) -> None:
    done = ran(argv(str(wheel)), tmp_path / "work")
    assert done.stdout == "12 ['--stack', '{}', '--call', 'a -- b']\n", done.stderr


def test_what_cannot_be_installed_ends_the_pod_with_its_name(tmp_path: Path) -> None:
    done = ran(argv("waterwheel==9"), tmp_path / "work")
    assert done.returncode == 1
    assert "pip could not install the requirements: waterwheel==9" in done.stderr


def test_somebody_whom_nobody_knows_can_install_them(wheel: Path, tmp_path: Path) -> None:
    somebody = ["/usr/bin/unshare", "--user", "--map-user=12345", "--map-group=12345"]
    who = subprocess.run([*somebody, "/usr/bin/id", "-un"], capture_output=True, check=False)
    if b"cannot find name for user ID 12345" not in who.stderr:
        pytest.skip(f"this kernel makes nobody somebody else: {who.stderr.decode().strip()}")
    done = ran(argv(str(wheel)), tmp_path / "work", *somebody)
    assert done.stdout.startswith("12 "), done.stderr
