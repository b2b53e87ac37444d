"""Laptops: checkouts of their own, each with a home of its own, that share one bucket."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from servers import KEY, REGION, SECRET, Server

ROOT: Final = Path(__file__).resolve().parents[3]

STACKS: Final = """\
artifact_stores:
  bucket:
    flavor: s3
    path: s3://{bucket}/penstock
    endpoint_url: {url}
    region: {region}
    key: "${{env:S3_KEY}}"
    secret: "${{env:S3_SECRET}}"
    {signing}
stacks:
  s3: {{orchestrator: default, artifact_store: bucket}}
"""
SIGNING: Final = 'signing_key: "${env:TEAM_KEY}"'
"""What makes two users one team: each verifies what the other has signed."""


class Laptop:
    """A new user on a new machine, as far as files and variables tell."""

    def __init__(self, folder: Path, server: Server, bucket: str, *, team: bool = True) -> None:
        home = folder / "home"
        self.folder = folder / "a project"
        shutil.copytree(
            ROOT / "examples", self.folder / "examples", ignore=shutil.ignore_patterns(".penstock")
        )
        (self.folder / "pyproject.toml").touch()
        stacks = STACKS.format(
            bucket=bucket, url=server.url, region=REGION, signing=SIGNING if team else ""
        )
        for place in (home / ".config/penstock", home / "Library/Application Support/penstock"):
            place.mkdir(parents=True)
            (place / "penstock.yaml").write_text(stacks)
        self._environment = {
            **os.environ,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "PYTHONWARNINGS": "error",
            "MPLCONFIGDIR": str(Path(sys.prefix, "share/matplotlib")),  # fonts are found only once
            "S3_KEY": KEY,
            "S3_SECRET": SECRET,
            "TEAM_KEY": "ours" * 8,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def typed(self, line: str, stack: str = "s3") -> subprocess.CompletedProcess[str]:
        """What a line in a terminal does, while this stack is the active one."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env={**self._environment, "PENSTOCK_STACK": stack},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def steps(self, script: str, stack: str = "s3") -> dict[str, str]:
        """What a run says of each of its steps, without the run that a result is from."""
        done = self.typed(f"python {script}", stack)
        assert done.returncode == 0, done.stderr
        lines = re.findall(r"^  (\S+) +(cached|.*)", done.stderr, re.MULTILINE)
        return {step: said for step, said in lines if not step.endswith(":")}

    def artifacts(self, stack: str = "s3") -> list[dict[str, Any]]:
        """All outputs of the last run."""
        done = self.typed("penstock artifact list --run last --json", stack)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found
