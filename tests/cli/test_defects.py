"""Commands on a stack whose components have defects."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

LEAKY = """
from dataclasses import dataclass
from typing import ClassVar
from penstock import LocalArtifactStore

@dataclass(frozen=True, kw_only=True)
class Leaky(LocalArtifactStore):
    flavor: ClassVar[str] = "leaky"

    def get(self, key):
        raise ConnectionResetError("the pipe leaks")
"""

CONFIGURATION = """
flavors: {artifact-store: {leaky: "leaky_store:Leaky"}}
artifact_stores: {bucket: {flavor: leaky}}
stacks: {leaking: {orchestrator: default, artifact_store: bucket}}
"""


@pytest.fixture
def leaky(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (project / "leaky_store.py").write_text(LEAKY)
    (project / "penstock.yaml").write_text(CONFIGURATION)
    monkeypatch.syspath_prepend(str(project))
    yield project / "leaky_store.py"
    sys.modules.pop("leaky_store", None)


def test_a_store_that_raises_is_named_in_one_line(
    penstock: Callable[..., Any], leaky: Path
) -> None:
    said = penstock("run", "list", "--stack", "leaking")

    assert (said.code, said.out) == (5, "")
    assert said.err == (
        "Error: The artifact store 'bucket' (flavor 'leaky') failed: ConnectionResetError: "
        f"the pipe leaks ({leaky}:11)\n"
    )
