"""Servers whose ETags look like the MD5 of an object, and are none."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from places import Made
from servers import Server

from penstock.testing.asked import Request
from penstock.testing.faults import Client, Fault
from penstock.testing.messages import Message
from penstock.testing.proxy import FaultProxy
from penstock_s3.connection import Connection
from penstock_s3.parts import SMALLEST

MD5 = re.compile(b"[0-9a-f]{32}")
LARGE = os.urandom(SMALLEST * 2 + 1)


@dataclass(frozen=True, kw_only=True)
class Odd(Fault):
    """Another ETag: the MD5 from its end to its beginning."""

    def asked(self, message: Message) -> Message:
        async def pieces() -> AsyncIterator[bytes]:
            async for piece in message.pieces:  # who completes an upload tells what it was told
                yield MD5.sub(lambda found: found[0][::-1], piece)

        return Message(message.head, pieces())

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        assert real is not None
        head = real.head
        etag = head["etag"].strip('"')
        if MD5.fullmatch(etag.encode()):
            head = head.changed(etag=f'"{etag[::-1]}"')
        await client.send(Message(head, real.pieces))


@pytest.fixture
def server(moto: Server) -> Server:
    return moto


def test_they_are_learned_with_the_abilities(made: Made, proxy: FaultProxy) -> None:
    proxy.plan = lambda asked: Odd()
    found = made(through=proxy, deadline=57.0).abilities()

    assert found == {**made().abilities(), "md5_etags": False}


def test_one_odd_answer_changes_nothing(made: Made, proxy: FaultProxy) -> None:
    store = made("here", through=proxy)
    proxy.plan = lambda asked: Odd() if asked.kind == "put" and not asked.before else None
    store.put("a", [b"data"])

    assert Connection.of(store).etags_are_md5
    assert bytes(store.get("a")) == b"data"
    assert [entry.key for entry in store.keys("")] == ["a"]


def test_several_show_that_all_are_odd(made: Made, proxy: FaultProxy) -> None:
    store = made("here", through=proxy)
    proxy.plan = lambda asked: Odd()
    store.put("a", [b"data"])

    assert not Connection.of(store).etags_are_md5
    assert [entry.key for entry in store.keys("")] == ["a"]
    proxy.forget()
    store.put("b", [b"data"])
    assert bytes(store.get("b")) == b"data"
    assert proxy.requests == {"put": 1, "get": 1}


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("concurrency", [1, 32])
def test_a_large_object_may_be_the_first_that_is_written(
    made: Made, proxy: FaultProxy, concurrency: int, *, exclusive: bool
) -> None:
    store = made(through=proxy, part_size="5MiB", concurrency=concurrency)
    proxy.plan = lambda asked: Odd()
    store.put("a", [LARGE], exclusive=exclusive)

    assert bytes(store.get("a")) == LARGE


def test_who_was_told_does_not_try_it_out(made: Made, proxy: FaultProxy) -> None:
    store = made(through=proxy)
    store.learn({**made().abilities(), "md5_etags": False})
    proxy.plan = lambda asked: Odd()
    store.put("a", [b"data"])

    assert bytes(store.get("a")) == b"data"
    assert proxy.requests == {"put": 1, "get": 1}
