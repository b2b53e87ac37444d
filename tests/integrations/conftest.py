"""S3 servers, which are started when they are asked for; each kind once for all tests."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent / "penstock_s3")]

from servers import Server

Start = Callable[[str], Server]


@pytest.fixture(scope="session")
def started() -> Iterator[Start]:
    """Gives the server of a kind."""
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


@pytest.fixture
def rclone(started: Start) -> Server:
    """A server without conditional writes."""
    return started("rclone")
