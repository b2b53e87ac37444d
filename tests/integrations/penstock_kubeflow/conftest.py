"""Makes the harness of this folder importable, and starts what is asked for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

here = Path(__file__).parent
sys.path += [str(here), str(here / "standin")]

from engine import Cluster, Engine  # noqa: E402
from standins import Hatchery, Standin  # noqa: E402


@pytest.fixture(scope="session")
def hatchery() -> Iterator[Hatchery]:
    """Imports kfp when the first pipeline or stand-in of Kubeflow Pipelines is asked for."""
    with Hatchery() as hatchery:
        yield hatchery


@pytest.fixture(scope="session")
def engine(hatchery: Hatchery) -> Engine:
    """kfp's runner."""
    return Engine(hatchery)


@pytest.fixture
def cluster(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A namespace of its own, with nothing in it."""
    return Cluster(engine, tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def standin(hatchery: Hatchery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """A stand-in that knows nothing yet."""
    with hatchery.standin(tmp_path_factory.mktemp("standin")) as standin:
        yield standin
