"""What `penstock.testing` needs is imported with the name that needs it."""

import subprocess
import sys

import pytest

import penstock.testing

FAKES = ["MemoryArtifactStore", "RecordingObserver", "RecordingOrchestrator"]


@pytest.mark.parametrize("name", ["__all__", *FAKES])
def test_the_fakes_need_no_test_tools(name: str) -> None:
    code = (
        f"import sys; from penstock.testing import {name}; "
        "print(sorted({'pytest', 'hypothesis', 'fsspec'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", penstock.testing.__all__)
def test_every_name_leads_somewhere(name: str) -> None:
    assert getattr(penstock.testing, name).__name__ == name
