"""Makes the harness of this folder importable, and that of the S3 servers; starts what is asked
for."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

here = Path(__file__).parent
sys.path += [str(here), str(here.parent / "penstock_s3")]

from engine import Cluster, Engine  # noqa: E402
from servers import Server  # noqa: E402

Start = Callable[[str], Server]


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """kfp's runner, which starts with the first pipeline."""
    with Engine() as engine:
        yield engine


@pytest.fixture
def cluster(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A namespace of its own, with nothing in it."""
    return Cluster(engine, tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="session")
def started() -> Iterator[Start]:
    """Gives the S3 server of a kind, which is started once for all tests."""
    servers: dict[str, Server] = {}
    with ExitStack() as stack:

        def start(kind: str) -> Server:
            if kind not in servers:
                servers[kind] = stack.enter_context(Server(kind))
            return servers[kind]

        yield start


@pytest.fixture
def moto(started: Start) -> Server:
    """A server with conditional writes."""
    return started("moto")
