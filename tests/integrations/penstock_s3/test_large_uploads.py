"""Large objects go up in parts: whole or not at all, and as they were when they were hashed."""

import os
import signal
import time

import pytest
from places import Made

from penstock import digest
from penstock.artifacts.source import Buffers
from penstock.errors import KeyTaken, NoSuchKey, StoreUnavailable, UnsupportedValue
from penstock.testing.asked import Request
from penstock.testing.faults import (
    ACCESS_DENIED,
    ANSWER_LOST,
    SLOW_DOWN,
    Fault,
    Flip,
    Refusal,
)  # fmt: skip
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore
from penstock_s3.parts import MOST, SMALLEST, cut

KEY = "objects/aa/large"
DATA = os.urandom(SMALLEST * 2 + 4321)
"""Three parts."""
GONE = Refusal(status=404, code="NoSuchUpload")
LATER = 1e9


def sent(store: S3ArtifactStore, data: bytes | bytearray) -> str:
    """Keep it under `KEY`. Returns the digest of what was seen."""
    with store.draft(Buffers([b"", data])) as draft:
        found = digest.of_buffers(draft.pieces())
        draft.keep(KEY, found)
    return found


def first(kind: str, fault: Fault, number: int = 0):  # type: ignore[no-untyped-def]
    """A plan: what goes wrong with the first request of a kind, and of a part."""
    faults = [fault]

    def plan(request: Request) -> Fault | None:
        right = request.kind == kind and request.query.get("partNumber", "0") == str(number)
        return faults.pop() if right and faults else None

    return plan


def unfinished(store: S3ArtifactStore) -> list[str]:
    return [entry.key for entry in store.leftovers(time.time() + LATER)]


def test_a_large_object_is_what_was_put_of_whatever_buffers(made: Made) -> None:
    store = made(part_size="5MiB")
    view = memoryview(DATA)
    store.put(KEY, [view[:1], b"", view[1:SMALLEST], view[SMALLEST:]])
    assert bytes(store.get(KEY)) == DATA


def test_a_draft_is_kept_as_it_was_hashed(made: Made) -> None:
    store = made(part_size="5MiB")
    assert sent(store, DATA) == digest.of_buffers([DATA])
    assert bytes(store.get(KEY)) == DATA
    assert unfinished(store) == []


def test_a_small_draft_is_one_request(made: Made, proxy: FaultProxy) -> None:
    store = made(through=proxy)
    store.put("small", [b"the first request finds out about the server"], exclusive=True)
    proxy.forget()
    sent(store, b"x" * 1_500_000)
    assert proxy.requests["put"] == 1
    assert proxy.requests["start"] == 0


def test_a_draft_finds_its_key_taken(made: Made) -> None:
    store = made(part_size="5MiB")
    store.put(KEY, [b"somebody was first"])
    with pytest.raises(KeyTaken):
        sent(store, DATA)
    assert bytes(store.get(KEY)) == b"somebody was first"
    assert unfinished(store) == []


@pytest.mark.parametrize("size", [2_000_000, len(DATA)])
def test_a_value_that_changes_after_it_was_hashed_is_not_stored(made: Made, size: int) -> None:
    store = made(part_size="5MiB")
    value = bytearray(DATA[:size])
    with store.draft(Buffers([value])) as draft:
        found = digest.of_buffers(draft.pieces())
        value[-1] ^= 1
        with pytest.raises(UnsupportedValue, match="was changed by somebody else"):
            draft.keep(KEY, found)
    with pytest.raises(NoSuchKey):
        store.stat(KEY)
    assert unfinished(store) == []


def test_a_value_that_changes_while_it_is_hashed_is_not_stored(made: Made) -> None:
    store = made(part_size="5MiB")
    value = bytearray(DATA)
    with store.draft(Buffers([value])) as draft:
        state = digest.hasher(0)
        for piece in draft.pieces():
            state.update(piece)
            value[0] ^= 1
        with pytest.raises(UnsupportedValue):
            draft.keep(KEY, state.hexdigest())
    assert unfinished(store) == []


@pytest.mark.parametrize("fault", [Flip(of="request"), SLOW_DOWN, ANSWER_LOST], ids=str)
def test_a_part_that_does_not_arrive_is_sent_again(
    made: Made, proxy: FaultProxy, fault: Fault
) -> None:
    """Or all of them: there is a server that takes no part a second time."""
    proxy.plan = first("part", fault, number=2)
    sent(made(through=proxy, part_size="5MiB"), DATA)
    assert (proxy.requests["start"], proxy.requests["part"]) in [(1, 4), (2, 7)]
    assert bytes(made().get(KEY)) == DATA


def test_a_server_that_takes_no_part_a_second_time_gets_all_of_them_anew(
    made: Made, proxy: FaultProxy
) -> None:
    faults = [ANSWER_LOST, Refusal(status=501, code="NotImplemented")]

    def plan(request: Request) -> Fault | None:
        return faults.pop(0) if request.query.get("partNumber") == "2" and faults else None

    proxy.plan = plan
    sent(made(through=proxy, part_size="5MiB"), DATA)
    assert proxy.requests["start"] == 2
    assert bytes(made().get(KEY)) == DATA
    assert unfinished(made()) == []


@pytest.mark.parametrize("fault", [ANSWER_LOST, SLOW_DOWN], ids=str)
def test_a_completion_whose_answer_is_lost_takes_no_key_from_itself(
    made: Made, proxy: FaultProxy, fault: Fault
) -> None:
    proxy.plan = first("complete", fault)
    sent(made(through=proxy, part_size="5MiB"), DATA)
    assert bytes(made().get(KEY)) == DATA


def test_an_upload_that_somebody_else_has_ended_begins_anew(made: Made, proxy: FaultProxy) -> None:
    begun: list[Request] = []

    def plan(request: Request) -> Fault | None:
        if request.kind == "complete":
            begun.append(request)
            return GONE if len(begun) == 1 else None
        return None

    proxy.plan = plan
    sent(made(through=proxy, part_size="5MiB"), DATA)
    assert proxy.requests["start"] == 2
    assert bytes(made().get(KEY)) == DATA


def test_an_upload_that_is_always_ended_is_given_up(made: Made, proxy: FaultProxy) -> None:
    proxy.plan = lambda request: GONE if request.kind == "part" else None
    with pytest.raises(StoreUnavailable, match="was ended 5 times by somebody else"):
        sent(made(through=proxy, part_size="5MiB"), DATA)


def test_an_upload_that_fails_is_aborted(made: Made, proxy: FaultProxy) -> None:
    proxy.plan = lambda request: ACCESS_DENIED if request.kind == "part" else None
    store = made(through=proxy, part_size="5MiB")
    with pytest.raises(StoreUnavailable, match="s3:PutObject"):
        sent(store, DATA)
    assert proxy.requests["abort"] == 1
    assert unfinished(store) == []


def test_an_upload_that_is_interrupted_is_aborted(made: Made, proxy: FaultProxy) -> None:
    def plan(request: Request) -> Fault | None:
        if request.kind == "part" and request.query["partNumber"] == "2" and not request.before:
            os.kill(os.getpid(), signal.SIGINT)
        return None

    proxy.plan = plan
    store = made(through=proxy, part_size="5MiB")
    with pytest.raises(KeyboardInterrupt):
        sent(store, DATA)
    assert unfinished(store) == []
    with pytest.raises(NoSuchKey):
        store.stat(KEY)


def test_there_are_never_more_parts_than_s3_takes() -> None:
    parts = cut([memoryview(bytes(1)).cast("B")], 1)
    assert [part.size for part in parts] == [1]
    step = 1 << 20
    many = cut([memoryview(bytes(step))] * (SMALLEST // step * MOST + 1), SMALLEST)
    assert len(many) <= MOST
    assert sum(part.size for part in many) == SMALLEST * MOST + step
