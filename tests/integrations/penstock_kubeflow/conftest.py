"""Makes the harness of this folder importable, and starts what is asked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

here = Path(__file__).parent
sys.path += [str(here)]

from engine import Cluster, Engine  # noqa: E402


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """kfp's runner, which starts with the first pipeline."""
    with Engine() as engine:
        yield engine


@pytest.fixture
def cluster(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A namespace of its own, with nothing in it."""
    return Cluster(engine, tmp_path_factory.mktemp("cluster"))
