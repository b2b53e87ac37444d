"""Makes the harness of this folder importable, and stores on the servers."""

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from botocore.loaders import JSONFileLoader

from penstock.testing.proxy import FaultProxy

here = Path(__file__).parent
sys.path += [str(here)]

from places import Made, maker  # noqa: E402
from servers import Server  # noqa: E402

# What botocore knows of S3 are megabytes of JSON, the same for every client. It would read them for
# each of the hundreds that these tests make, one for each proxy, and keep them all.
known = cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda _, path: known(path)  # type: ignore[method-assign]

Start = Callable[[str], Server]


@pytest.fixture(params=["moto", "rclone"])
def server(started: Start, request: pytest.FixtureRequest) -> Server:
    """One after the other."""
    return started(request.param)


@pytest.fixture
def made(server: Server) -> Made:
    """Makes stores in a bucket of their own: `made("prefix", part_size="5MiB")`."""
    return maker(server)


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    """Stands before the server; `made(through=proxy)` goes through it."""
    with FaultProxy(server.url) as proxy:
        yield proxy
