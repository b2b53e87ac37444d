"""What shows that a part has arrived as it was sent: its ETag, or Content-MD5."""

import os
from dataclasses import dataclass

import pytest
from places import Made
from servers import Server

from penstock.errors import StoreUnavailable
from penstock.testing.asked import Request
from penstock.testing.faults import Client, Fault, Flip, Refusal
from penstock.testing.messages import Message
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore
from penstock_s3.parts import SMALLEST

DATA = os.urandom(SMALLEST * 2 + 1)
"""Three parts."""
INVALID = Refusal(status=400, code="InvalidRequest")


@dataclass(frozen=True, kw_only=True)
class Encrypted(Fault):
    """An answer whose ETag is said to be something else than an MD5."""

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        assert real is not None
        head = real.head.changed(**{"x-amz-server-side-encryption": "aws:kms"})
        await client.send(Message(head, real.pieces))


@pytest.fixture
def server(moto: Server) -> Server:
    return moto


@pytest.fixture
def store(made: Made, proxy: FaultProxy) -> S3ArtifactStore:
    return made("here", through=proxy, part_size="5MiB")


def proven(proxy: FaultProxy, fault: Fault | None = None) -> list[bool]:
    """Of each part from now on whether it has Content-MD5; what has none meets the fault."""
    seen: list[bool] = []

    def plan(asked: Request) -> Fault | None:
        if asked.kind != "part":
            return None
        seen.append(bool(asked.head["content-md5"]))
        return None if seen[-1] else fault

    proxy.plan = plan
    return seen


def test_an_etag_that_is_the_md5_is_proof_enough(store: S3ArtifactStore, proxy: FaultProxy) -> None:
    seen = proven(proxy)
    store.put("a", [DATA])

    assert seen == [False] * 3


def test_a_flipped_bit_is_noticed_by_the_etag(store: S3ArtifactStore, proxy: FaultProxy) -> None:
    flips = [Flip(of="request")]
    proxy.plan = lambda asked: flips.pop() if asked.kind == "part" and flips else None
    store.put("a", [DATA])

    assert proxy.requests["part"] == 4
    assert bytes(store.get("a")) == DATA


@pytest.mark.parametrize("fault", [INVALID, Encrypted()], ids=["refused", "encrypted"])
def test_a_server_that_takes_it_for_none_gets_content_md5_with_every_part(
    store: S3ArtifactStore, proxy: FaultProxy, fault: Fault
) -> None:
    seen = proven(proxy, fault)
    store.put("a", [DATA])
    assert not seen[0]
    assert seen.count(True) == 3
    assert bytes(store.get("a")) == DATA

    seen.clear()
    store.put("b", [DATA])
    assert seen == [True] * 3


def test_with_a_key_of_kms_no_etag_tells(made: Made, proxy: FaultProxy) -> None:
    seen = proven(proxy)
    made("sealed", through=proxy, part_size="5MiB", kms_key="alias/mine").put("a", [DATA])

    assert seen == [True] * 3


def test_a_part_that_is_refused_with_its_proof_is_an_error(made: Made, proxy: FaultProxy) -> None:
    proxy.plan = lambda asked: INVALID if asked.kind == "part" else None
    with pytest.raises(StoreUnavailable, match="InvalidRequest"):
        made("anew", through=proxy, part_size="5MiB").put("a", [DATA])
