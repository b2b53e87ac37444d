"""Large objects come down side by side: every byte once, in order, and of one version."""

import asyncio
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import Made

from penstock import Buffer
from penstock.errors import NoSuchKey
from penstock.testing.asked import Request
from penstock.testing.faults import RESET, SLOW_DOWN, Delay, Fault, Truncation
from penstock.testing.proxy import FaultProxy
from penstock_s3 import arrival
from penstock_s3.arrival import Arrival, Span

KEY = "objects/aa/large"
SIZE = 12 << 20
DATA = os.urandom(SIZE)
OTHER = os.urandom(SIZE)
BROKEN = Truncation(at=0.1)
"""Before it is known how fast the object comes: so the rest is asked for in parts."""


def breaking(then: Callable[[Request], Fault | None]) -> Callable[[Request], Fault | None]:
    """The first answer breaks off; then a plan for the ranges."""

    def plan(request: Request) -> Fault | None:
        if request.kind != "get":
            return None
        return then(request) if request.head["range"] else BROKEN

    return plan


def no_fault(request: Request) -> None:
    return None


def test_every_piece_is_seen_once_and_in_order(made: Made) -> None:
    store = made(part_size="5MiB")
    store.put(KEY, [DATA])
    pieces: list[Buffer] = []
    data = store.read(KEY, pieces.append)
    assert bytes(data) == DATA
    assert b"".join(pieces) == DATA


def test_what_is_read_is_private_and_may_be_changed(made: Made) -> None:
    store = made(part_size="5MiB")
    store.put(KEY, [DATA])
    view = memoryview(store.get(KEY))
    view[0] ^= 1
    assert view[0] != DATA[0]
    assert bytes(store.get(KEY)) == DATA


def test_a_small_object_is_seen_as_well(made: Made) -> None:
    store = made()
    store.put(KEY, [b"small"])
    pieces: list[Buffer] = []
    assert store.read(KEY, pieces.append) == b"small"
    assert b"".join(pieces) == b"small"


def test_an_answer_that_breaks_off_goes_on_where_it_broke(made: Made, proxy: FaultProxy) -> None:
    made().put(KEY, [DATA])
    ranges: list[str] = []

    def noted(request: Request) -> None:
        ranges.append(str(request.head["range"]))

    proxy.plan = breaking(noted)
    pieces: list[Buffer] = []
    assert bytes(made(through=proxy, part_size="5MiB").read(KEY, pieces.append)) == DATA
    assert b"".join(pieces) == DATA
    asked = sorted(tuple(map(int, text.removeprefix("bytes=").split("-"))) for text in ranges)
    assert 0 < asked[0][0] <= SIZE * 0.1 + 1
    assert [start for start, _ in asked[1:]] == [end + 1 for _, end in asked[:-1]]
    assert len(asked) == 3


@pytest.mark.parametrize("fault", [RESET, SLOW_DOWN, Truncation(at=0.5)], ids=str)
def test_a_range_that_fails_is_asked_for_again(made: Made, proxy: FaultProxy, fault: Fault) -> None:
    made().put(KEY, [DATA])
    failed: list[Request] = []

    def plan(request: Request) -> Fault | None:
        failed.append(request)
        return fault if len(failed) <= 3 else None

    proxy.plan = breaking(plan)
    pieces: list[Buffer] = []
    assert bytes(made(through=proxy, part_size="5MiB").read(KEY, pieces.append)) == DATA
    assert b"".join(pieces) == DATA


def test_two_versions_are_never_mixed(made: Made, proxy: FaultProxy) -> None:
    direct = made()
    direct.put(KEY, [DATA])
    asked: list[Request] = []

    def replaced(request: Request) -> None:
        if not asked:
            asked.append(request)
            direct.put(KEY, [OTHER])

    def plan(request: Request) -> Fault | None:
        return None if asked else breaking(replaced)(request)

    proxy.plan = plan
    assert bytes(made(through=proxy, part_size="5MiB").get(KEY)) == OTHER


def test_an_object_that_is_deleted_meanwhile_is_no_such_key(made: Made, proxy: FaultProxy) -> None:
    direct = made()
    direct.put(KEY, [DATA])
    asked: list[Request] = []

    def deleted(request: Request) -> None:
        if not asked:
            asked.append(request)
            direct.delete(KEY)

    proxy.plan = breaking(deleted)
    with pytest.raises(NoSuchKey):
        made(through=proxy, part_size="5MiB").get(KEY)


def test_an_error_of_who_sees_the_pieces_is_raised(made: Made) -> None:
    store = made(part_size="5MiB")
    store.put(KEY, [DATA])

    def full(piece: Buffer) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        store.read(KEY, full)


def test_where_the_first_byte_takes_long_all_come_in_one_stream(
    made: Made, proxy: FaultProxy
) -> None:
    made().put(KEY, [DATA])
    proxy.plan = lambda request: Delay(seconds=0.5) if request.kind == "get" else None
    assert bytes(made(through=proxy, part_size="5MiB").get(KEY)) == DATA
    assert proxy.requests["get"] == 1


@given(st.integers(1, 2000), st.data())
def test_bytes_that_come_in_any_order_are_shown_in_theirs(size: int, data: st.DataObject) -> None:
    wanted = bytes(n % 251 for n in range(size))
    coming = Arrival(size)
    spans: list[Span] = []
    shown: list[bytes] = []

    async def fill() -> None:
        while coming.free or any(span.left for span in spans):
            choices = [span for span in spans if span.left]
            if coming.free and (not choices or data.draw(st.booleans())):
                most = data.draw(st.integers(1, size))
                if not (spans and data.draw(st.booleans()) and coming.extend(spans[-1], most)):
                    span = coming.take(most)
                    assert span is not None
                    spans.append(span)
                continue
            span = data.draw(st.sampled_from(choices))
            length = data.draw(st.integers(1, span.left))
            coming.fill(span, wanted[span.at : span.at + length])
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(
            asyncio.wait_for(coming.show(lambda piece: shown.append(bytes(piece))), 30), fill()
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrival, "TOLD", 64)
        asyncio.run(both())
    assert bytes(coming.data) == wanted
    assert b"".join(shown) == wanted
    assert all(len(piece) <= 64 for piece in shown)
