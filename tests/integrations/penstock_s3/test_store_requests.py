"""How many requests the store makes: each of them takes as long as a step of a small pipeline."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from places import Made, maker
from servers import Server

from penstock.artifacts.store import ArtifactStore
from penstock.testing.asked import Request
from penstock.testing.faults import RESET, Fault
from penstock.testing.proxy import FaultProxy

DATA = b"data" * 100
ABLE = ("conditional_writes", "conditional_deletes", "metadata", "md5_etags")
ALL = dict.fromkeys(ABLE, True)

CASES: dict[str, tuple[Callable[[ArtifactStore], object], dict[str, int]]] = {
    "get": (lambda store: store.get("a/1"), {"get": 1}),
    "use": (lambda store: store.use("a/1"), {"get": 1}),
    "stat": (lambda store: store.stat("a/1"), {"head": 1}),
    "put": (lambda store: store.put("b", [DATA]), {"put": 1}),
    "put once": (lambda store: store.put("b", [DATA], exclusive=True), {"put": 1}),
    "publish": (lambda store: store.publish(["b", "c"], DATA), {"put": 2}),
    "several": (lambda store: store.get_all(["a/1", "a/2", "a/1", "gone"]), {"get": 3}),
    "several looks": (lambda store: store.stat_all(["a/1", "a/2", "gone"]), {"head": 3}),
    "none": (lambda store: store.use_all([]), {}),
    "keys": (lambda store: list(store.keys("a/")), {"list": 1}),
    "delete": (lambda store: store.delete("a/1"), {"head": 1, "delete": 1}),
    "delete all": (lambda store: store.delete_all("a/"), {"list": 1, "delete all": 1}),
    "touch": (lambda store: store.touch("a/1"), {"head": 1, "copy": 1}),
    "young": (lambda store: store.discard("a/1", 0.0), {"head": 1}),
}


@pytest.fixture
def proxy(moto: Server) -> Any:
    with FaultProxy(moto.url) as proxy:
        yield proxy


@pytest.mark.parametrize("extra", [{}, {"default_block_size": 5 << 20}], ids=["direct", "client"])
@pytest.mark.parametrize("case", CASES)
def test_nothing_is_asked_twice(
    moto: Server, proxy: FaultProxy, case: str, extra: dict[str, Any]
) -> None:
    store = maker(moto)("here", through=proxy, extra=extra)
    for name in ("a/1", "a/2"):
        store.put(name, [DATA], exclusive=True)
    proxy.forget()
    deed, wanted = CASES[case]
    deed(store)

    assert proxy.requests == Counter(wanted)


def test_what_the_server_can_do_is_tried_out_once(moto: Server, proxy: FaultProxy) -> None:
    make = maker(moto)
    found = make("one", through=proxy).abilities()
    proxy.forget()

    assert make("two", through=proxy).abilities() == found
    assert found == ALL
    assert proxy.requests.total() == 0


def test_what_was_found_out_before_is_not_tried_out(moto: Server, proxy: FaultProxy) -> None:
    store = maker(moto)("here", through=proxy, deadline=59.0)  # nobody else's line
    store.learn(ALL)
    store.put("a", [DATA], exclusive=True)

    assert proxy.requests == {"put": 1}


def test_a_name_is_there_before_the_next_one_is_written(moto: Server, proxy: FaultProxy) -> None:
    make = maker(moto)
    aside, seen = make("here"), list[bytes]()

    def plan(asked: Request) -> Fault | None:
        if asked.kind == "put" and asked.head.first.split()[1].endswith("/second"):
            seen.append(bytes(aside.get("first")))
        return None if asked.before else RESET

    store = make("here", through=proxy)
    store.learn(ALL)
    proxy.plan = plan
    store.publish(["first", "second"], DATA)

    assert seen == [DATA, DATA]  # its first attempt is lost, like that of the other one


def test_what_is_large_is_published_in_parts(moto: Server) -> None:
    store, data = maker(moto)("here", part_size="5MiB"), bytes(6 << 20)
    store.put("first", [b"somebody else's"])

    assert store.publish(["first", "second"], data) == ("first",)
    assert bytes(store.get("second")) == data


@pytest.mark.parametrize("told", [{}, {"conditional_writes": "no"}, {"conditional_writes": True}])
def test_what_anybody_wrote_there_is_not_believed(made: Made, told: dict[str, Any]) -> None:
    store = made("here", deadline=58.0)
    store.learn(told)

    assert {type(item) for item in store.abilities().values()} == {bool}


def test_who_keeps_nobody_out_is_remarked(rclone: Server, moto: Server) -> None:
    for server, said in ((rclone, ["no conditional writes"]), (moto, [])):
        store = maker(server)("here")
        store.abilities()

        found = list(store.remarks())
        assert [text in remark for text, remark in zip(said, found, strict=True)] == [True] * len(
            said
        )
