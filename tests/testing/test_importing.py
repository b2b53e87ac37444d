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


@pytest.mark.parametrize("library", ["pytest", "hypothesis"])
def test_a_suite_without_its_tools_says_what_to_type(library: str) -> None:
    code = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "try:\n    from penstock.testing import ArtifactStoreTests\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said, hint = done.stdout.splitlines()
    assert said == (
        f"MissingExtra penstock.testing.ArtifactStoreTests needs the library {library!r}, "
        "which is not installed."
    )
    assert "pip install " in hint
    assert "[testing]" in hint


@pytest.mark.parametrize("name", penstock.testing.__all__)
def test_every_name_leads_somewhere(name: str) -> None:
    assert getattr(penstock.testing, name).__name__ == name
