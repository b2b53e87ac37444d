"""The local orchestrator with worker processes does what every orchestrator must."""

import pytest

from penstock import LocalOrchestrator
from penstock.stack.orchestrator import Orchestrator
from penstock.testing.orchestrator import OrchestratorTests


class TestProcessWorkers(OrchestratorTests):
    wide = 20

    @pytest.fixture
    def orchestrator(self) -> Orchestrator:
        return LocalOrchestrator(workers="processes", max_workers=2)
