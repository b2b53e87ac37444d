"""Kubeflow does what every orchestrator must do: its pipelines are carried out by kfp itself."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from engine import Cluster, Volume, orchestrator

from penstock.stack.orchestrator import Orchestrator
from penstock.stack.stack import Stack
from penstock.testing.orchestrator import OrchestratorTests


class TestKubeflow(OrchestratorTests):
    """Each step is a process that starts from nothing, which takes a second."""

    wide: ClassVar[int] = 4
    long: ClassVar[int] = 4
    graphs: ClassVar[int] = 2
    asks: ClassVar[bool] = False

    @pytest.fixture
    def orchestrator(self, cluster: Cluster) -> Orchestrator:
        return orchestrator(cluster, defaults={"pods": 2})

    @pytest.fixture
    def stack(self, orchestrator: Orchestrator, tmp_path: Path) -> Stack:
        store = Volume(path=str(tmp_path / "store"))
        return Stack("tested", orchestrator=orchestrator, artifact_store=store)
