"""What a check tells of a bucket: all that works, and what does not by its own name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from places import Made, maker
from servers import Server

from penstock import LocalOrchestrator, Stack
from penstock.errors import BadConfiguration, StoreUnavailable
from penstock.model.component import Finding
from penstock.testing.asked import Request
from penstock.testing.faults import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    Client,
    Clock,
    Fault,
    Refusal,
)
from penstock.testing.messages import Head, Message, at_hand
from penstock.testing.proxy import FaultProxy
from penstock_s3.store import CHECK

ELSEWHERE = Refusal(
    status=301, code="PermanentRedirect", headers=(("x-amz-bucket-region", "eu-west-3"),)
)


@pytest.fixture
def server(moto: Server) -> Server:
    return moto


def marks(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.mark, finding.what) for finding in findings]


@pytest.mark.parametrize(("fault", "passed", "wrong"), [
    (Refusal(status=404, code="NoSuchBucket"), ["endpoint", "credentials"], "bucket"),
    (ACCESS_DENIED, ["endpoint", "credentials"], "permissions"),
    (Refusal(status=403, code="InvalidAccessKeyId"), ["endpoint"], "credentials"),
    (EXPIRED_TOKEN, ["endpoint"], "credentials"),
    (Clock(ahead=3600), ["endpoint"], "clock"),
    (ELSEWHERE, ["endpoint"], "region"),
])  # fmt: skip
def test_what_has_passed_stands_before_what_is_wrong(
    made: Made, proxy: FaultProxy, fault: Fault, passed: list[str], wrong: str
) -> None:
    proxy.plan = lambda asked: fault

    assert marks(made(through=proxy).check()) == [
        *(("ok", what) for what in passed), ("WRONG", wrong)
    ]  # fmt: skip


@pytest.mark.parametrize(("options", "what"), [
    ({"endpoint_url": "http://127.0.0.1:1"}, "endpoint"),
    ({"ca_bundle": "nowhere.pem"}, "options"),
    ({"extra": {"nosuch": 1}}, "options"),
    ({"key": "${env:NOWHERE}"}, "options"),
    ({"key": None, "secret": None}, "credentials"),
])  # fmt: skip
def test_what_stops_it_before_anybody_answers_has_its_own_name(
    made: Made, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], what: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert marks(made(**{"deadline": 1.0, **options}).check()) == [("WRONG", what)]


@pytest.mark.parametrize("options", [{"profile": "nosuch"}, {"ca_bundle": "nowhere.pem"}])
def test_a_check_ends_as_a_run_does(made: Made, options: dict[str, Any]) -> None:
    if "profile" in options:
        options = {**options, "key": None, "secret": None}
    store = made(**options)
    checked = Stack("s", orchestrator=LocalOrchestrator(), artifact_store=store).check()
    with pytest.raises(BadConfiguration) as caught:
        store.get("a")

    assert checked.exit_code == caught.value.exit_code == 3


def test_a_check_does_not_tell_to_check(made: Made, proxy: FaultProxy) -> None:
    proxy.plan = lambda asked: INTERNAL_ERROR
    (found,) = made(through=proxy, deadline=1.0).check()

    assert (found.what, "stack check" in found.hint) == ("endpoint", False)
    assert found.exit_code == 5


def test_a_check_has_less_patience_than_a_run_and_says_what_still_works(
    made: Made, proxy: FaultProxy
) -> None:
    def plan(asked: Request) -> Fault | None:
        return INTERNAL_ERROR if asked.method not in ("GET", "HEAD") else None

    proxy.plan = plan
    store = made(through=proxy, deadline=1.0)
    *before, written, listed = store.check()

    assert all(finding.ok for finding in before)
    assert ("perhaps it is read-only" in written.hint, listed.ok) == (True, True)
    assert CHECK <= 10.0 < made().deadline


def test_a_remark_has_a_mark_of_its_own(rclone: Server) -> None:
    found = marks(maker(rclone)("here").check())

    assert ("ok", "write once") in found
    assert found[-1] == ("note", "conditional writes")


@dataclass(frozen=True, kw_only=True)
class Improper(Fault):
    """An answer that no client can read."""

    reaches: bool = False

    async def answer(self, request: Request, real: Message | None, client: Client) -> None:
        head = Head("HTTP/1.1 200 OK", (("Content-Length", "some"),))
        await client.send(Message(head, at_hand(b"")))
        client.close()


@pytest.mark.parametrize("deed", [
    lambda store: store.get("a"), lambda store: list(store.keys()),
], ids=["directly", "by botocore"])  # fmt: skip
def test_what_is_no_http_is_called_so_and_given_up_soon(
    made: Made, proxy: FaultProxy, deed: Callable[[Any], object]
) -> None:
    store = made(through=proxy)
    store.put("a", [b"data"])
    proxy.plan = lambda asked: Improper()
    proxy.forget()
    with pytest.raises(StoreUnavailable, match=r"is no proper HTTP .*3 times"):
        deed(store)

    assert proxy.requests.total() == 3


def test_once_in_a_while_it_is_an_accident(made: Made, proxy: FaultProxy) -> None:
    store = made(through=proxy)
    store.put("a", [b"data"])
    faults = [Improper(), Improper(), INTERNAL_ERROR, Improper(), Improper()]
    proxy.plan = lambda asked: faults.pop() if faults else None

    assert bytes(store.get("a")) == b"data"


@pytest.mark.parametrize("name", ["InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_credentials_of_the_file_are_looked_up_in_the_file(
    made: Made, proxy: FaultProxy, name: str
) -> None:
    proxy.plan = lambda asked: Refusal(status=403, code=name)
    with pytest.raises(StoreUnavailable) as caught:
        made(through=proxy).get("a")

    assert ("key and secret" in str(caught.value), "aws " in str(caught.value)) == (True, False)


def test_up_is_not_promised_for_a_name_that_s3_does_not_give(made: Made) -> None:
    with pytest.raises(StoreUnavailable, match="no such bucket") as caught:
        made(path="s3://My_bucket/x").get("a")

    assert "only if this server makes one" in str(caught.value.hint)


def test_nobody_waits_to_be_asked_for_what_is_written(made: Made, proxy: FaultProxy) -> None:
    """A server that is read-only may never ask, and then its refusal is not heard either."""
    expected: list[str] = []
    proxy.plan = lambda asked: expected.append(asked.head["expect"])
    for extra in ({}, {"default_block_size": 5 << 20}):
        made(through=proxy, part_size="5MiB", extra=extra).put("a", [b"x" * (6 << 20)])

    assert {*expected} == {""}
