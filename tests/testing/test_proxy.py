"""A proxy passes on what it is given, and makes each fault that it is asked for, and no other."""

import gc
import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from penstock.testing.faults import (
    ANSWER_LOST,
    ERROR_IN_200,
    RESET,
    SLOW_DOWN,
    Clock,
    Delay,
    Fault,
    Flip,
    Hang,
    Refusal,
    Truncation,
)  # fmt: skip
from penstock.testing.proxy import FaultProxy

LARGE = 3 << 20


class Objects(BaseHTTPRequestHandler):
    """Keeps what is put, by path; answers as each test likes."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]
    way = "sized"

    def do_PUT(self) -> None:
        size = int(self.headers["Content-Length"])
        data = self.rfile.read(size)
        if len(data) < size:
            self.close_connection = True
            return
        self.kept[self.path] = data
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.kept.get(self.path, b"nothing"))

    do_HEAD = do_POST = do_DELETE = do_GET  # noqa: N815 - `http.server` wants them so

    def _answer(self, data: bytes) -> None:
        if self.way == "old":
            self.protocol_version = "HTTP/1.0"
        self.send_response(200)
        if self.way == "sized":
            self.send_header("Content-Length", str(len(data)))
        if self.way == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command != "HEAD":
            chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)
            self.wfile.write(chunked if self.way == "chunked" else data)
        self.close_connection = self.way == "old"

    def log_message(self, *words: Any) -> None:
        """A test has nothing to read."""


class Answer(NamedTuple):
    status: int
    data: bytes
    date: str


class Place(NamedTuple):
    proxy: FaultProxy
    kept: dict[str, bytes]
    handler: type[Objects]

    def ask(
        self,
        method: str = "GET",
        path: str = "/bucket/a",
        data: bytes | None = None,
        **headers: str,
    ) -> Answer:
        connection = http.client.HTTPConnection(self.proxy.url.removeprefix("http://"), timeout=120)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, data, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.headers["Date"])
        finally:
            connection.close()

    def put(self, data: bytes) -> Answer:
        return self.ask("PUT", data=data)


@pytest.fixture
def place() -> Iterator[Place]:
    handler = type("Handler", (Objects,), {"kept": {"/bucket/a": b"kept"}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01]).start()
        with FaultProxy(f"http://127.0.0.1:{server.server_port}") as proxy:
            yield Place(proxy, handler.kept, handler)
        server.shutdown()


@pytest.mark.parametrize("way", ["sized", "chunked", "old"])
@pytest.mark.parametrize("size", [0, 5, LARGE])
def test_what_is_asked_and_answered_is_passed_on(place: Place, way: str, size: int) -> None:
    data = os.urandom(size)
    place.handler.way = way
    place.put(data)

    assert place.kept["/bucket/a"] == data
    assert place.ask().data == data
    assert place.ask("HEAD").data == b""


def test_one_connection_serves_many_requests(place: Place) -> None:
    connection = http.client.HTTPConnection(place.proxy.url.removeprefix("http://"), timeout=120)
    for number in range(3):
        connection.request("PUT", "/bucket/b", b"%d" % number)
        connection.getresponse().read()
    kept = connection.sock
    connection.request("GET", "/bucket/b")

    assert connection.getresponse().read() == b"2"
    assert connection.sock is kept
    connection.close()


def test_who_waits_to_be_told_to_go_on_is_told(place: Place) -> None:
    url = urlsplit(place.proxy.url)
    with socket.create_connection((url.hostname, url.port), timeout=120) as client:
        client.sendall(
            b"PUT /bucket/a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        )
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")

    assert place.kept["/bucket/a"] == b"abc"


def test_requests_are_counted_by_what_s3_calls_them(place: Place) -> None:
    asked = {
        "put": ("PUT", "/b/k", {}),
        "get": ("GET", "/b/k", {}),
        "head": ("HEAD", "/b/k", {}),
        "list": ("GET", "/b?list-type=2&prefix=k", {}),
        "delete": ("DELETE", "/b/k", {}),
        "copy": ("PUT", "/b/k", {"x-amz-copy-source": "/b/k"}),
        "delete all": ("POST", "/b?delete", {}),
        "start": ("POST", "/b/k?uploads", {}),
        "part": ("PUT", "/b/k?partNumber=1&uploadId=x", {}),
        "complete": ("POST", "/b/k?uploadId=x", {}),
        "abort": ("DELETE", "/b/k?uploadId=x", {}),
        "list uploads": ("GET", "/b?uploads", {}),
        "make bucket": ("PUT", "/b", {}),
        "head bucket": ("HEAD", "/b", {}),
    }
    for method, path, headers in asked.values():
        place.ask(method, path, b"", **headers)

    assert place.proxy.requests == dict.fromkeys(asked, 1)


def test_a_plan_knows_what_is_asked_and_how_often(place: Place) -> None:
    seen: list[tuple[str, str, int, int, bytes]] = []
    place.proxy.plan = lambda it: seen.append((it.bucket, it.key, it.number, it.before, it.data))
    place.ask("PUT", "/bucket/a%20b/c", b"data")
    place.ask()
    place.ask()
    place.ask(Range="bytes=0-1")

    assert [one[:2] for one in seen] == [("bucket", "a b/c")] + [("bucket", "a")] * 3
    assert [one[2:4] for one in seen] == [(0, 0), (1, 0), (2, 1), (3, 0)]
    assert seen[0][4] == b"data"


def test_faults_are_counted_and_can_be_forgotten(place: Place) -> None:
    place.proxy.plan = lambda it: SLOW_DOWN if it.number else None
    place.ask()
    place.ask()
    assert place.proxy.injected == {"503 SlowDown": 1}
    place.proxy.forget()

    assert (place.proxy.injected, place.proxy.requests) == ({}, {})


def test_a_request_takes_longer_by_the_latency_and_others_do_not_wait(place: Place) -> None:
    place.proxy.latency = 0.5
    begin = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: place.ask().data, range(20)))
    took = time.monotonic() - begin

    assert answers == [b"kept"] * 20
    assert 0.5 <= took < 20 * 0.5


def test_a_refusal_is_an_answer_of_s3(place: Place) -> None:
    place.proxy.plan = lambda it: SLOW_DOWN
    answer = place.put(b"new")

    assert (answer.status, b"<Code>SlowDown</Code>" in answer.data) == (503, True)
    assert place.kept["/bucket/a"] == b"kept"


def test_a_refusal_after_the_fact_comes_when_it_is_done(place: Place) -> None:
    place.proxy.plan = lambda it: Refusal(status=500, code="InternalError", reaches=True)

    assert place.put(b"new").status == 500
    assert place.kept["/bucket/a"] == b"new"


def test_an_error_may_look_like_a_success(place: Place) -> None:
    place.proxy.plan = lambda it: ERROR_IN_200
    answer = place.put(b"new")

    assert (answer.status, b"<Error>" in answer.data) == (200, True)
    assert place.kept["/bucket/a"] == b"kept"


@pytest.mark.parametrize(
    ("fault", "kept"), [(RESET, b"kept"), (ANSWER_LOST, b"n" * LARGE), (Hang(seconds=0.1), b"kept")]
)
def test_a_connection_breaks_before_or_after_the_fact(
    place: Place, fault: Fault, kept: bytes
) -> None:
    place.proxy.plan = lambda it: fault
    with pytest.raises(OSError, match=r"reset|closed|pipe"):
        place.put(b"n" * LARGE)

    assert place.kept["/bucket/a"] == kept


def test_who_hangs_is_let_go_when_the_client_goes(place: Place) -> None:
    place.proxy.plan = lambda it: Hang()
    connection = http.client.HTTPConnection(place.proxy.url.removeprefix("http://"), timeout=0.1)
    connection.request("GET", "/bucket/a")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()

    while place.proxy.open_connections:
        time.sleep(0.01)


@pytest.mark.parametrize("way", ["sized", "chunked", "old"])
def test_a_body_may_end_too_early(place: Place, way: str) -> None:
    place.handler.way = way
    place.kept["/bucket/a"] = b"x" * LARGE
    place.proxy.plan = lambda it: Truncation(at=0.25)
    with pytest.raises(http.client.IncompleteRead) as caught:
        place.ask()

    assert len(caught.value.partial) == LARGE // 4


@pytest.mark.parametrize("size", [1, 5, LARGE])
def test_one_bit_of_an_answer_may_be_wrong(place: Place, size: int) -> None:
    data = place.kept["/bucket/a"] = os.urandom(size)
    place.proxy.plan = lambda it: Flip(at=0.9)

    assert _wrong_bits(place.ask().data, data) == 1


@pytest.mark.parametrize("size", [1, 5, LARGE])
def test_one_bit_of_a_request_may_be_wrong(place: Place, size: int) -> None:
    data = os.urandom(size)
    place.proxy.plan = lambda it: Flip(of="request", at=0.9)
    place.put(data)

    assert _wrong_bits(place.kept["/bucket/a"], data) == 1


def test_the_clock_of_the_server_may_be_wrong(place: Place) -> None:
    place.proxy.plan = lambda it: Clock(ahead=600)
    ahead = parsedate_to_datetime(place.ask().date).timestamp() - time.time()

    assert 500 < ahead < 700


def test_a_clock_that_is_far_off_refuses_what_is_signed_by_another(place: Place) -> None:
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    place.proxy.plan = lambda it: Clock(ahead=-3600)
    answer = place.ask(x_amz_date=now)

    assert (answer.status, b"RequestTimeTooSkewed" in answer.data) == (403, True)
    assert parsedate_to_datetime(answer.date).timestamp() < time.time() - 3000
    assert place.ask().status == 200  # not signed at all


def test_an_answer_may_take_its_time(place: Place) -> None:
    begin = time.monotonic()
    place.proxy.plan = lambda it: Delay(seconds=0.2)

    assert place.ask().data == b"kept"
    assert time.monotonic() - begin >= 0.2


def test_a_server_that_is_not_there_breaks_the_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with FaultProxy(f"http://127.0.0.1:{taken.getsockname()[1]}") as proxy:
            place = Place(proxy, {}, Objects)
            with pytest.raises(OSError, match=r"reset|closed"):
                place.ask()


def test_who_goes_in_the_middle_of_a_body_has_put_nothing(place: Place) -> None:
    url = urlsplit(place.proxy.url)
    with socket.create_connection((url.hostname, url.port), timeout=120) as client:
        client.sendall(
            b"PUT /bucket/a HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000
        )
    while place.proxy.open_connections:
        time.sleep(0.01)

    assert place.kept["/bucket/a"] == b"kept"


def _wrong_bits(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def test_who_comes_while_it_ends_leaves_nothing_behind() -> None:
    """A task that is left in a loop that has ended shows up as a warning, which is an error."""
    for number in range(30):
        with FaultProxy("http://127.0.0.1:9") as proxy:
            address = urlsplit(proxy.url)
            clients = [socket.socket() for _ in range(number)]
            for client in clients:
                client.setblocking(False)
                client.connect_ex((address.hostname, address.port))
                with suppress(BlockingIOError):
                    client.send(b"PUT /b/k HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        for client in clients:
            client.close()
        assert not proxy.open_connections
    gc.collect()
