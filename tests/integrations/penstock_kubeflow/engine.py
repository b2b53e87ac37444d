"""kfp's local runner in place of a cluster, and an orchestrator that submits to it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from standins import Hatchery

from penstock.artifacts.local import LocalArtifactStore
from penstock.model.records import Status
from penstock.stack.engine import Seen
from penstock.stack.orchestrator import Job, Observer, Submitted
from penstock_kubeflow import KubeflowOrchestrator

IMAGE: Final = "registry.example/team/python:3"


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a pipeline that kfp has carried out."""

    text: str
    job: str
    succeeded: bool
    pods: list[dict[str, Any]]
    """Those that were started: `command` and exit `code`."""
    said: str
    """What they have said."""

    @property
    def calls(self) -> list[str]:
        """What the pods were to carry out, sorted: kfp has no order for what does not depend on
        each other. `--end` for that which ends the run."""
        commands = [pod["command"] for pod in self.pods]
        return sorted(
            words[words.index("--call") + 1] if "--call" in words else "--end" for words in commands
        )


class Engine:
    """kfp's runner. Without a process that has imported kfp it carries out nothing."""

    def __init__(self, hatchery: Hatchery | None = None) -> None:
        self._hatchery = hatchery

    def carry_out(self, text: str, folder: Path, options: Mapping[str, Any]) -> int:
        """The exit code of `by_kfp.py`."""
        assert self._hatchery is not None, "nobody carries this out"
        folder.mkdir(parents=True)
        (folder / "pipeline.yaml").write_text(text, "utf-8")
        (folder / "options.json").write_text(json.dumps(options))
        return self._hatchery.carried_out(folder)


@dataclass
class Cluster:
    """A namespace: what its pods find, and the pipelines that it was handed."""

    engine: Engine
    folder: Path
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    configs: dict[str, dict[str, str]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    """What its images have set."""
    carried: list[Carried] = field(default_factory=list)

    def carry_out(self, text: str, run: str = "", job: str = "") -> Carried:
        """What kfp makes of the text of a pipeline. `job` again is that job, tried once more."""
        job = job or str(uuid.uuid4())
        place = self.folder / f"job-{len(self.carried)}"
        options = {
            "secrets": self.secrets, "configs": self.configs, "environment": self.environment,
            "job": job, "parameters": {"run": run} if run else {},
        }  # fmt: skip
        code = self.engine.carry_out(text, place, options)
        assert code in (0, 1), (place / "kfp").read_text()
        pods = [json.loads(line) for line in (place / "pods").read_text().splitlines()]
        said = place / "said"
        told = said.read_text("utf-8", "replace") if said.exists() else ""
        self.carried.append(Carried(text, job, code == 0, pods, told))
        return self.carried[-1]


def orchestrator(cluster: Cluster, **options: Any) -> KubeflowOrchestrator:
    """Kubeflow as users configure it, but that its pipelines go to this cluster."""

    @dataclass(frozen=True, kw_only=True)
    class ByKfp(KubeflowOrchestrator):
        def ready(self) -> None:
            """It needs no host."""

        def submit(self, job: Job, observer: Observer) -> Submitted:
            carried = cluster.carry_out(self.compile(job), job.plan.run)
            return Submitted(carried.job)

        def seen(self, run: str, remote_id: str | None = None) -> Seen | None:
            carried = next((each for each in cluster.carried if each.job == remote_id), None)
            if carried is None:
                return None
            done = carried.succeeded
            status = Status.COMPLETED if done else Status.FAILED
            return Seen(carried.job, run, status, "SUCCEEDED" if done else "FAILED")

    return ByKfp(**{"image": IMAGE, **options})


@dataclass(frozen=True, kw_only=True)
class Volume(LocalArtifactStore):
    """A folder that the pods reach, too, as if it were mounted there."""

    @property
    def only_here(self) -> bool:
        return False
