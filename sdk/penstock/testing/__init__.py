"""For authors of flavors: the tests that every flavor of a category must pass, and real fakes.

Inherit a suite, give it a fixture, and pytest runs all of it:

    from penstock.testing import ArtifactStoreTests

    class TestMyStore(ArtifactStoreTests):
        @pytest.fixture
        def store(self, tmp_path: Path) -> ArtifactStore:
            return MyStore(path=str(tmp_path))

The suites need pytest and hypothesis, `pip install "penstock[testing]"`; the fakes need neither.
Names are found on first use.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from penstock.lazy import attach
from penstock.stack.install import library

if TYPE_CHECKING:
    from penstock.testing.artifact_store import ArtifactStoreTests as ArtifactStoreTests
    from penstock.testing.distant import DistantArtifactStore as DistantArtifactStore
    from penstock.testing.materializer import MaterializerTests as MaterializerTests
    from penstock.testing.memory import MemoryArtifactStore as MemoryArtifactStore
    from penstock.testing.orchestrator import OrchestratorTests as OrchestratorTests
    from penstock.testing.proxy import FaultProxy as FaultProxy
    from penstock.testing.recording import RecordingObserver as RecordingObserver
    from penstock.testing.recording import RecordingOrchestrator as RecordingOrchestrator
    from penstock.testing.step_operator import StepOperatorTests as StepOperatorTests

_HOMES = {
    "ArtifactStoreTests": "penstock.testing.artifact_store",
    "DistantArtifactStore": "penstock.testing.distant",
    "FaultProxy": "penstock.testing.proxy",
    "MaterializerTests": "penstock.testing.materializer",
    "MemoryArtifactStore": "penstock.testing.memory",
    "OrchestratorTests": "penstock.testing.orchestrator",
    "RecordingObserver": "penstock.testing.recording",
    "RecordingOrchestrator": "penstock.testing.recording",
    "StepOperatorTests": "penstock.testing.step_operator",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - the keys are the one list of names
_named = attach(__name__, _HOMES)


def _found(name: str) -> object:
    if name in _HOMES:
        library(_HOMES[name], extra="testing", who=f"penstock.testing.{name}")
    return _named(name)


__getattr__ = _found  # by assignment, as a `def` would tell type checkers that every name exists

# A failed assertion in a suite shows its values, as in a test of one's own.
if (pytest := sys.modules.get("pytest")) is not None:
    pytest.register_assert_rewrite(
        *(home for name, home in _HOMES.items() if name.endswith("Tests"))
    )


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
