"""What is wrong with a place is said in one sentence, with its cause and with what cures it."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from places import Made, maker
from servers import Server

from penstock import LocalOrchestrator, Stack, Status, pipeline, step
from penstock.artifacts.store import ArtifactStore
from penstock.errors import BadConfiguration, NoSuchKey, StoreUnavailable
from penstock.testing.faults import (
    ACCESS_DENIED,
    EXPIRED_TOKEN,
    SLOW_DOWN,
    Clock,
    Fault,
    Hang,
    Refusal,
)
from penstock.testing.proxy import FaultProxy

MALFORMED = "The authorization header is malformed; the region 'us-east-1' is wrong"

REFUSED: list[tuple[Fault, str, str]] = [
    (Refusal(status=404, code="NoSuchBucket"), "no such bucket", "artifact-store up tested"),
    (Refusal(status=403, code="InvalidAccessKeyId"), "access key", "key and secret"),
    (Refusal(status=403, code="SignatureDoesNotMatch"), "secret", "key and secret"),
    (EXPIRED_TOKEN, "expired", "key, secret and token"),
    (
        Refusal(status=400, code="InvalidBucketName"),
        "no bucket of this name",
        "3 to 63 lower-case letters",
    ),
    (Clock(ahead=3600), "clock of this machine is 60 minutes slow", "Set the clock"),
    (Clock(ahead=-7200), "clock of this machine is 120 minutes fast", "Set the clock"),
    (
        Refusal(
            status=301, code="PermanentRedirect", headers=(("x-amz-bucket-region", "eu-west-3"),)
        ),
        "'eu-west-3'",
        "Type: penstock artifact-store update tested --region=eu-west-3",
    ),
    (
        Refusal(
            status=400,
            code="AuthorizationHeaderMalformed",
            message=MALFORMED,
            more="<Region>eu-west-3</Region>",
        ),
        "'eu-west-3'",
        "Type: penstock artifact-store update tested --region=eu-west-3",
    ),
]

DEEDS: dict[str, Callable[[ArtifactStore], object]] = {
    "get": lambda store: store.get("a"),
    "put": lambda store: store.put("a", [b"data"]),
    "exclusive": lambda store: store.put("a", [b"data"], exclusive=True),
    "keys": lambda store: list(store.keys()),
}


@pytest.fixture
def server(moto: Server) -> Server:
    return moto


@pytest.mark.parametrize(
    ("fault", "cause", "cure"), REFUSED, ids=lambda it: getattr(it, "name", "")
)
def test_what_cannot_get_better_is_said_at_once(
    made: Made, proxy: FaultProxy, fault: Fault, cause: str, cure: str
) -> None:
    store = made(through=proxy, secret="tell nobody")
    proxy.plan = lambda asked: fault
    for name, deed in DEEDS.items():
        proxy.forget()
        with pytest.raises(StoreUnavailable) as caught:
            deed(store)
        said = str(caught.value)
        assert (cause in said, cure in said, "tell nobody" in said) == (True, True, False), name
        assert caught.value.exit_code == 5
        assert proxy.requests.total() <= 4  # an exclusive write tries out first what there is


@pytest.mark.parametrize(
    ("name", "action"),
    [("get", "s3:GetObject"), ("put", "s3:PutObject"), ("keys", "s3:ListBucket")],
)
def test_a_missing_permission_is_named(
    made: Made, proxy: FaultProxy, name: str, action: str
) -> None:
    store = made(through=proxy)
    proxy.plan = lambda asked: ACCESS_DENIED
    with pytest.raises(StoreUnavailable, match=action):
        DEEDS[name](store)


def test_a_bucket_that_is_not_there_is_no_missing_object(moto: Server, server: Server) -> None:
    store = maker(server)(path="s3://nowhere-to-be-found/x")
    for deed in DEEDS.values():
        with pytest.raises(StoreUnavailable, match="no such bucket"):
            deed(store)


def test_an_endpoint_where_nobody_is_is_said_with_its_name(made: Made) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        store = made(endpoint_url=f"http://127.0.0.1:{port}", deadline=1.0)
        with pytest.raises(StoreUnavailable, match=str(port)) as caught:
            store.get("a")

    assert "endpoint_url" in str(caught.value)


@pytest.mark.parametrize("fault", [SLOW_DOWN, Hang()], ids=["503", "hang"])
@pytest.mark.parametrize("name", DEEDS)
def test_what_never_gets_better_is_given_up(
    made: Made, proxy: FaultProxy, fault: Fault, name: str
) -> None:
    store = made(through=proxy, deadline=3.0)
    list(store.keys())
    proxy.plan = lambda asked: fault
    with pytest.raises(StoreUnavailable, match=r"\d times") as caught:
        DEEDS[name](store)

    assert proxy.injected.total() > 1
    _, *cures = str(caught.value).splitlines()
    for cure in ("penstock stack check", "penstock run resume last", "deadline (it is 3 s)"):
        assert cure in " ".join(cures)


def test_a_certificate_of_nobody_known_is_refused_and_can_be_trusted(
    moto: Server, made: Made, tmp_path: Path
) -> None:
    file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with FaultProxy(moto.url, tls=context) as proxy:
        with pytest.raises(StoreUnavailable, match="ca_bundle"):
            made(through=proxy).get("a")
        with pytest.raises(NoSuchKey):
            made(through=proxy, ca_bundle=str(file)).get("a")


@pytest.mark.parametrize("path", [
    "s3://bucket/../other", "s3://bucket/a/../b", "s3://bucket//a", "s3://bucket/a//b", "s3://",
    "s3:///a", "bucket/a", "gs://bucket/a", "s3://bucket/a b", "s3://bucket/.hidden", "/bucket/a",
])  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused_as_it_is_written(made: Made, path: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        made(path=path)

    assert repr(path) in str(caught.value)
    assert caught.value.exit_code == 3


@step
def first() -> int:
    return 1


@step
def second(number: int) -> int:
    return number + 1


@pipeline(progress=False)
def both() -> int:
    return second(first())


def _stack(store: ArtifactStore) -> Stack:
    return Stack("there", orchestrator=LocalOrchestrator(), artifact_store=store)


def test_who_may_only_read_reads(made: Made, proxy: FaultProxy) -> None:
    made().put("a", [b"theirs"])
    proxy.plan = lambda asked: ACCESS_DENIED if asked.method != "GET" else None
    store = made(through=proxy)

    assert bytes(store.get("a")) == bytes(store.use("a")) == b"theirs"
    assert [entry.key for entry in store.keys("")] == ["a"]
    with pytest.raises(StoreUnavailable, match="s3:PutObject"):
        store.put("b", [b"ours"])


def test_a_run_ends_with_what_is_wrong_and_the_next_one_goes_on(
    made: Made, proxy: FaultProxy
) -> None:
    stack = _stack(made(through=proxy))
    ran: list[Any] = []

    @step
    def closing(number: int) -> int:
        ran.append(number)
        proxy.plan = lambda asked: EXPIRED_TOKEN if len(ran) == 1 else None
        return number

    @pipeline(progress=False)
    def closed() -> int:
        return second(closing(first()))

    with pytest.raises(StoreUnavailable, match="expired") as caught:
        closed.on(stack).run()
    assert caught.value.exit_code == 5
    proxy.plan = None
    again = closed.on(stack).run()

    assert again.result() == 2
    assert again["first"].status is Status.CACHED
