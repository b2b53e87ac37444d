"""A server that knows nothing of S3 is called so, and is not asked for long."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from places import Made, maker
from servers import Server

from penstock.errors import StoreUnavailable
from penstock.testing.faults import ERROR_IN_200, Refusal
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore

CURE = "What answers there is no S3 server: look at its endpoint_url."


class Asked:
    """How often anybody was asked, by method."""

    counts: dict[str, int]

    def log_request(self, *_: object) -> None:
        self.counts[self.command] = self.counts.get(self.command, 0) + 1  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None: ...


class Files(Asked, SimpleHTTPRequestHandler):
    """As `python -m http.server`: there is no PUT."""


class Agreeing(Asked, BaseHTTPRequestHandler):
    """Says yes to each PUT, and has nothing."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(200)

    def do_GET(self) -> None:
        self._say(404)

    def _say(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(params=[Files, Agreeing])
def foreign(
    moto: Server, request: pytest.FixtureRequest
) -> Iterator[tuple[S3ArtifactStore, dict[str, int]]]:
    counts: dict[str, int] = {}
    handler = type("Handler", (request.param,), {"counts": counts})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        yield maker(moto)(endpoint_url=url), counts
        server.shutdown()


def test_who_writes_there_is_told_soon(foreign: tuple[S3ArtifactStore, dict[str, int]]) -> None:
    store, counts = foreign
    with pytest.raises(StoreUnavailable) as caught:
        store.put("a", [b"data"])

    assert str(caught.value).splitlines()[1:] == [CURE]
    assert counts["PUT"] <= 3


def test_a_check_calls_it_the_endpoint(foreign: tuple[S3ArtifactStore, dict[str, int]]) -> None:
    (found,) = foreign[0].check()

    assert (found.what, found.hint) == ("endpoint", CURE)


def test_a_server_that_is_known_is_not_called_so(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        made: Made = maker(moto)
        store = made(through=proxy)
        list(store.keys())
        proxy.plan = lambda asked: Refusal(status=501, code="")
        with pytest.raises(StoreUnavailable, match="the server says 501") as caught:
            store.put("a", [b"data"])

    assert caught.value.hint is None
    assert proxy.requests["put"] == 1


def test_a_server_that_is_known_may_answer_with_nothing_as_often_as_there_is_time(
    moto: Server,
) -> None:
    with FaultProxy(moto.url) as proxy:
        store = maker(moto)(through=proxy)
        store.put("a", [b"data"])
        faults = [ERROR_IN_200] * 5
        proxy.plan = lambda asked: faults.pop() if asked.kind == "put" and faults else None
        store.put("a", [b"other"])
        assert (faults, bytes(store.get("a"))) == ([], b"other")
