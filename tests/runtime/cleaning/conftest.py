"""A store with a past: runs whose files are as old as a test says."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))  # in pytest's import mode a test sees no sibling

from past import Past  # noqa: E402


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path / "store")
