"""A checkout with a stack `prod`: the stand-in of Kubeflow, and a bucket."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from checkout import Checkout
from engine import Cluster, Engine
from servers import Server
from standins import Standin
from warm import Typed, Warm

STACKS: Final = """\
orchestrators:
  kf:
    flavor: kubeflow
    host: "${{env:KFP_HOST}}"
    image: {image}
    defaults:
      env: {{S3_URL: "{url}"}}
      secret_env: {{S3_KEY: bucket/S3_KEY, S3_SECRET: bucket/S3_SECRET, TEAM_KEY: bucket/TEAM_KEY}}
artifact_stores:
  bucket:
    flavor: s3
    path: s3://{bucket}/penstock
    endpoint_url: "${{env:S3_URL}}"
    region: {region}
    key: "${{env:S3_KEY}}"
    secret: "${{env:S3_SECRET}}"
    signing_key: "${{env:TEAM_KEY}}"
stacks:
  near: {{orchestrator: default, artifact_store: bucket}}
  prod: {{orchestrator: kf, artifact_store: bucket}}
"""
"""Each process is told by variables where the two servers are: pods go straight to the store, and
another process can be made to go through a proxy."""

UNPULLABLE: Final = "registry.example/nobody/has:1"
"""The image of pods that wait for ever."""


class Prod(Checkout):
    """Whoever works there, with the stand-in as Kubeflow."""

    def __init__(
        self, folder: Path, engine: Standin, server: Server, *, stacks: str = STACKS,
        **secrets: str,
    ) -> None:  # fmt: skip
        """Variables of whoever works there; pods have `secrets` in the same one as the keys."""
        self._engine = engine
        self.bucket = server.bucket()
        cluster = Cluster(Engine(), folder)
        super().__init__(folder, cluster, server, self.bucket, stacks=stacks)
        self.variables |= {"KFP_HOST": engine.url, "S3_URL": server.url, **secrets}
        cluster.secrets["bucket"] |= secrets
        found = {"MPLCONFIGDIR": self.variables["MPLCONFIGDIR"]}
        engine.set(secrets=cluster.secrets, environment=found, unpullable=[UNPULLABLE])

    def typed(
        self, *words: str, stack: str = "prod", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return super().typed(*words, stack=stack, **variables)

    def begun(self, warm: Warm, *words: str, **variables: str) -> Typed:
        """The same in a Python that is warm, where it goes on by itself."""
        told = {"PENSTOCK_STACK": "prod", **self.variables, **variables}
        return warm.typed(*words, folder=self.folder, variables=told)

    @property
    def jobs(self) -> Sequence[Mapping[str, Any]]:
        """What was submitted from here, whoever it was: by where its pods have their artifacts."""
        return [each for each in self._engine.runs() if f"s3://{self.bucket}/" in each["text"]]

    @property
    def runs(self) -> list[str]:
        """The runs that there are in the bucket: those with a record."""
        return [
            entry.name
            for entry in self.store.keys("runs/")
            if any(self.store.keys(f"runs/{entry.name}/run.json"))
        ]
