"""Which job a run is lies in a store that others may write: Kubeflow has to say so, too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine import IMAGE, Volume
from small_projects import SMALL, imported
from standins import Standin

from penstock.errors import RunFailed
from penstock.model.records import Status
from penstock.stack.stack import Stack
from penstock_kubeflow import KubeflowOrchestrator

PROJECT = {"pyproject.toml": '[project]\nname = "ours"\nversion = "1"\n', "forged.py": SMALL}


class Ours:
    """The pipeline on Kubeflow, where its pods do nothing for long."""

    def __init__(self, small: Any, engine: Standin, folder: Path) -> None:
        self.engine = engine
        self.store = folder / "store"
        self.stack = Stack(
            "prod",
            orchestrator=KubeflowOrchestrator(name="kf", host=engine.url, image=IMAGE),
            artifact_store=Volume(path=str(self.store)),
        )
        self._pipeline = small.on(self.stack).with_options(wait=False, progress=False)

    def run(self, number: int) -> Any:
        return self._pipeline.run(number)

    def noted(self, run: Any) -> Path:
        """Where it lies as which job it was submitted."""
        return self.store / "runs" / str(run.id) / "submitted.json"

    def job(self, run: Any) -> str:
        return str(json.loads(self.noted(run).read_text())["remote_id"])

    @property
    def ended(self) -> list[str]:
        """The jobs that somebody has ended."""
        return [each["id"] for each in self.engine.runs() if each.get("terminated")]


@pytest.fixture
def ours(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    standin.set(starter=["sh", "-c", "sleep 60"])
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    with imported(project, PROJECT, "forged") as module:
        yield Ours(module.small, standin, tmp_path)


def test_the_job_of_another_run_is_neither_ended_nor_believed(
    ours: Ours, caplog: pytest.LogCaptureFixture
) -> None:
    run, other = ours.run(1), ours.run(2)
    own, others = ours.job(run), ours.job(other)
    ours.noted(run).write_bytes(ours.noted(other).read_bytes())

    run.cancel()
    assert ours.ended == [own]
    line = f"kf's job {others} is not this run's: it was submitted for run {other.id}"
    assert caplog.messages == [line]
    with pytest.raises(RunFailed, match="cancelled by"):
        run.wait()
    assert other.status is Status.RUNNING
    other.cancel()
    assert ours.ended == [own, others]
