"""`up` makes a bucket, and `down --force` removes it if nothing is in it."""

from pathlib import Path

import pytest
from places import maker
from servers import Server

from penstock.errors import StoreUnavailable
from penstock.stack import provisioned
from penstock.stack.project import Project
from penstock.testing.asked import Request
from penstock.testing.faults import ACCESS_DENIED, Fault, Refusal, Reset
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore


def new(server: Server, proxy: FaultProxy | None = None) -> S3ArtifactStore:
    """A store in a bucket that is not there yet."""
    made = maker(server)
    return made(through=proxy, path=f"s3://{made.bucket}-later/x", deadline=5.0)


def through(proxy: FaultProxy, fault: Fault, method: str) -> None:
    """Have the first such request go wrong."""
    faults = [fault]

    def plan(asked: Request) -> Fault | None:
        return faults.pop() if asked.method == method and faults else None

    proxy.plan = plan


def test_up_makes_the_bucket_once_and_says_so(server: Server) -> None:
    store = new(server)

    assert store.up() == (f"made {store.site}",)
    assert store.up() == ()
    store.put("a", [b"1"])
    assert bytes(store.get("a")) == b"1"


def test_the_site_is_the_bucket_and_its_server_whoever_asks(
    moto: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maker(moto)

    assert made("a", secret="s3cret").site == made("b", concurrency=3).site
    assert made("a").site == f"the bucket {made.bucket} at {moto.url}"
    assert S3ArtifactStore(path="s3://bucket/x").site == "the bucket bucket at Amazon S3"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.example")
    assert (
        S3ArtifactStore(path="s3://bucket/x").site == "the bucket bucket at https://minio.example"
    )
    assert "s3cret" not in made("a", secret="s3cret").site


def test_down_removes_an_empty_bucket_with_force_only(server: Server) -> None:
    store = new(server)
    store.up()

    assert store.down() == ()
    assert store.down(force=True) == (f"removed {store.site}",)
    assert store.down(force=True) == ()
    with pytest.raises(StoreUnavailable, match="no such bucket"):
        store.get("a")


def test_a_bucket_with_anything_in_it_stays(server: Server) -> None:
    store, made = new(server), maker(server)
    store.up()
    beside = made(path=f"{store.path.removesuffix('x')}other")
    beside.put("a", [b"1"])

    assert store.down(force=True) == (f"left {store.site}, for something is in it",)
    assert bytes(beside.get("a")) == b"1"


def test_a_server_that_would_remove_a_full_bucket_is_not_asked_to(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        store = new(moto, proxy)
        store.up()
        store.put("a", [b"1"])
        asked: list[str] = []
        proxy.plan = lambda request: asked.append(request.method)
        store.down(force=True)

    assert set(asked) == {"GET"}


def test_what_no_listing_shows_keeps_a_bucket_as_well(moto: Server) -> None:
    """Old versions, for example: then the server refuses."""
    with FaultProxy(moto.url) as proxy:
        store = new(moto, proxy)
        store.up()
        through(proxy, Refusal(status=409, code="BucketNotEmpty"), "DELETE")

        assert store.down(force=True) == (f"left {store.site}, for something is in it",)


def test_an_answer_that_is_lost_is_no_error(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        store = new(moto, proxy)
        through(proxy, Reset(reaches=True), "PUT")
        store.up()
        through(proxy, Reset(reaches=True), "DELETE")
        store.down(force=True)

        assert store.down(force=True) == ()


def test_the_permission_that_is_missing_is_named(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        store = new(moto, proxy)
        store.up()
        through(proxy, ACCESS_DENIED, "DELETE")
        with pytest.raises(StoreUnavailable, match=r"cannot remove .* s3:DeleteBucket"):
            store.down(force=True)


def test_who_may_not_list_is_told_by_the_making(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        store = new(moto, proxy)
        through(proxy, ACCESS_DENIED, "GET")

        assert store.up() == (f"made {store.site}",)


def test_only_the_checkout_that_has_made_it_removes_it(moto: Server, tmp_path: Path) -> None:
    store = new(moto)
    here, there = Project(tmp_path / "here"), Project(tmp_path / "there")
    here.root.mkdir()
    there.root.mkdir()
    said = [
        next(iter(deeds)).said[0].partition(" ")[0]
        for deeds in (
            provisioned.up([store], here),
            provisioned.up([store], there),
            provisioned.down([store], there, force=True),
            provisioned.down([store], here, force=True),
        )
    ]

    assert said == ["made", "is", "is", "removed"]
