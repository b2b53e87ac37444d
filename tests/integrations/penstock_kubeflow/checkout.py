"""A checkout of a project whose team has a bucket and a cluster, and a terminal in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from engine import IMAGE, Carried, Cluster
from servers import REGION, Server

from penstock_s3 import S3ArtifactStore

STACKS: Final = """\
orchestrators:
  kf: {{flavor: kubeflow, image: {image}, defaults: {defaults}}}
artifact_stores:
  bucket:
    flavor: s3
    path: s3://{bucket}/penstock
    endpoint_url: {url}
    region: {region}
    key: "${{env:S3_KEY}}"
    secret: "${{env:S3_SECRET}}"
    signing_key: "${{env:TEAM_KEY}}"
stacks:
  near: {{orchestrator: default, artifact_store: bucket}}
  far: {{orchestrator: kf, artifact_store: bucket}}
"""
DEFAULTS: Final = {
    "secret_env": {name: f"bucket/{name}" for name in ("S3_KEY", "S3_SECRET", "TEAM_KEY")}
}
"""How pods get into the bucket."""

OURS: Final = {
    "S3_KEY": "AKIA2Q7RPENSTOCKTEST",
    "S3_SECRET": "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",
    "TEAM_KEY": "Kz7-our-team-signs-with-this-key",
}
"""The same, on this machine and in the cluster's secret. The server takes any."""


class Checkout:
    """A folder with a project, and what is typed there."""

    def __init__(
        self, folder: Path, cluster: Cluster, server: Server, bucket: str, *, stacks: str = STACKS
    ) -> None:
        self.folder = folder / "a project"
        self.cluster = cluster
        self._server = server
        self._bucket = bucket
        self.folder.mkdir(parents=True)
        (self.folder / "pyproject.toml").write_text('[project]\nname = "ours"\nversion = "1"\n')
        written = stacks.format(
            bucket=bucket, url=server.url, region=REGION, image=IMAGE, defaults=json.dumps(DEFAULTS)
        )
        (self.folder / "penstock.yaml").write_text(written)
        cluster.secrets["bucket"] = dict(OURS)
        home = folder / "home"
        self.variables = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CACHE_HOME": str(home / ".cache"),
            "PYTHONWARNINGS": "error",
            "MPLCONFIGDIR": str(Path(sys.prefix, "share/matplotlib")),  # fonts are found only once
            **OURS,
        }

    @property
    def store(self) -> S3ArtifactStore:
        """The bucket."""
        return S3ArtifactStore(
            path=f"s3://{self._bucket}/penstock", endpoint_url=self._server.url, region=REGION,
            key=OURS["S3_KEY"], secret=OURS["S3_SECRET"],
        )  # fmt: skip

    def objects(self) -> dict[str, bytes]:
        """All that is in the bucket below its prefix, by their keys."""
        system: Any = self.store.filesystem
        return {name: system.cat_file(name) for name in system.find("")}

    def typed(
        self, *words: str, stack: str = "far", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """What a line in a terminal does."""
        return subprocess.run(
            words, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={"PENSTOCK_STACK": stack, **self.variables, **variables}, check=False,
        )  # fmt: skip

    def compiled(self, target: str, *flags: str) -> str:
        """A pipeline for Kubeflow; nothing if all of it is in the cache."""
        file = self.folder.parent / "compiled.yaml"
        file.unlink(missing_ok=True)
        done = self.typed("penstock", "pipeline", "compile", target, "-o", str(file), *flags)
        assert done.returncode == 0, done.stderr
        return file.read_text() if file.exists() else ""

    def carried_out(self, target: str, *flags: str) -> Carried:
        """A pipeline that was compiled and handed to the cluster, as a person does that."""
        return self.cluster.carry_out(self.compiled(target, *flags))

    def json(self, *words: str, stack: str = "far") -> Any:
        """What a command says with `--json`."""
        done = self.typed("penstock", *words, "--json", stack=stack)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def digests(self, stack: str = "far") -> Mapping[tuple[str, str], str]:
        """Of all outputs of the last run, but those whose format promises no equal bytes."""
        return {
            (each["step"], each["output"]): each["digest"]
            for each in self.json("artifact", "list", "--run", "last", stack=stack)
            if "pickle" not in each["format"]
        }
