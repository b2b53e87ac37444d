"""What a place has besides objects with keys, and what touching and cleaning leave as it is."""

import time
from typing import Any

import pytest
from places import Made, maker
from servers import Server

from penstock.artifacts.store import ArtifactStore
from penstock.errors import BadConfiguration, NoSuchKey, StoreUnavailable
from penstock.testing.faults import ACCESS_DENIED, Fault, Refusal
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore
from penstock_s3.connection import Connection
from penstock_s3.listing import children
from penstock_s3.removing import delete_all
from penstock_s3.touching import touch


def asked(store: ArtifactStore, operation: str, **parameters: Any) -> Any:
    assert isinstance(store, S3ArtifactStore)
    connection = Connection.of(store)
    return connection.run(connection.request(operation, **parameters))


def test_what_others_keep_in_the_same_bucket_is_not_listed(made: Made) -> None:
    store, beside = made("here"), made("here-too")
    beside.put("a", [b"1"])
    store.put("a/b", [b"1"])
    for name in (" a", "a b", "ü", ".hidden/c"):
        asked(store, "put_object", key=name, Body=b"1")

    assert [entry.key for entry in store.keys("")] == ["a/"]


def test_deleting_a_folder_leaves_what_others_keep_in_it(moto: Server) -> None:
    store = maker(moto)("here")
    store.put("a/b", [b"1"])
    asked(store, "put_object", key="a/no key", Body=b"1")
    store.delete_all("a/")

    assert asked(store, "head_object", key="a/no key")["ContentLength"] == 1


def test_more_than_a_page_is_listed_and_deleted(made: Made) -> None:
    store = made("here")
    names = ["a/1", "a/2", "a/3/", "a/4", "a/5", "a/6/", "a/7"]
    for name in names:
        store.put(f"{name}x" if name.endswith("/") else name, [b"1"])
    connection = Connection.of(store)

    for start, left in (("", names), ("a/2", names[2:]), ("a/3/", names[3:]), ("a/7", [])):
        found = children(connection, "a/", start, page_size=2)
        assert [entry.key for entry in found] == left
    connection.run(delete_all(connection, "a/", page_size=2))
    assert list(store.keys("")) == []


@pytest.mark.parametrize("most", [1 << 30, 8 << 20], ids=["at once", "in parts"])
def test_touching_keeps_the_bytes_and_who_wrote_them(moto: Server, most: int) -> None:
    store = maker(moto)("here", part_size="16MiB")
    data = b"x" * (12 << 20)
    store.put("a", [data])
    connection = Connection.of(store)
    before = asked(store, "head_object", key="a")
    time.sleep(1.0 - time.time() % 1.0)
    connection.run(touch(connection, "a", most=most, part=6 << 20))
    after = asked(store, "head_object", key="a")

    assert bytes(store.get("a")) == data
    assert after["Metadata"] == before["Metadata"] != {}
    assert after["LastModified"] > before["LastModified"]


def test_touching_that_is_refused_says_why_and_not_why_nobody_could_clean_up(moto: Server) -> None:
    faults: dict[str, Fault] = {
        "part": ACCESS_DENIED,
        "abort": Refusal(status=403, code="ExpiredToken"),
    }
    with FaultProxy(moto.url, plan=lambda request: faults.get(request.kind)) as proxy:
        store = maker(moto)("here", through=proxy, part_size="16MiB")
        store.put("a", [b"x" * (12 << 20)])
        connection = Connection.of(store)
        with pytest.raises(StoreUnavailable, match="these credentials may not do that"):
            connection.run(touch(connection, "a", most=8 << 20, part=6 << 20))


def test_an_unfinished_upload_is_a_leftover_until_it_is_discarded(moto: Server) -> None:
    store, other = maker(moto)("here"), maker(moto)("there")
    for each in (store, other):
        asked(each, "create_multipart_upload", key="objects/a")
    late = time.time() + 60

    (found,) = store.leftovers(late)
    assert store.discard(found.key, late) is True
    assert list(store.leftovers(late)) == []
    assert len(list(other.leftovers(late))) == 1
    with pytest.raises(NoSuchKey):
        store.discard(found.key, late)


def test_an_upload_whose_last_part_is_young_is_not_discarded(moto: Server) -> None:
    store = maker(moto)("here")
    begun = asked(store, "create_multipart_upload", key="a")
    asked(store, "upload_part", key="a", UploadId=begun["UploadId"], PartNumber=1, Body=b"1")
    (found,) = store.leftovers(time.time() + 60)

    assert store.discard(found.key, time.time() - 60) is False
    assert len(list(store.leftovers(time.time() + 60))) == 1


def test_an_unfinished_upload_is_as_large_as_its_parts(moto: Server) -> None:
    store = maker(moto)("here")
    for key, parts in (("a", 2), ("b", 0), ("c", 1)):
        begun = asked(store, "create_multipart_upload", key=key)["UploadId"]
        for number in range(parts):
            asked(
                store, "upload_part", key=key, UploadId=begun, PartNumber=number + 1, Body=b"x" * 7
            )  # fmt: skip
    found = store.leftovers(time.time() + 60)

    assert [(entry.key[-1], entry.size) for entry in found] == [("a", 14), ("b", 0), ("c", 7)]


def test_the_file_system_is_that_of_the_place(made: Made) -> None:
    store = made("here")
    store.filesystem.pipe_file("a/b", b"data")

    assert bytes(store.get("a/b")) == b"data"
    assert store.filesystem.ls("a", detail=False) == ["a/b"]


def test_a_check_says_what_works(made: Made) -> None:
    findings = list(made("here").check())

    assert [finding.what for finding in findings if not finding.ok] == []
    assert {"endpoint", "credentials", "bucket", "clock", "write", "read"} <= {
        finding.what for finding in findings
    }


def test_a_check_of_a_missing_bucket_ends_there(moto: Server) -> None:
    *_, finding = maker(moto)("here", path="s3://nowhere/x").check()

    assert (finding.what, finding.ok) == ("bucket", False)
    assert finding.hint == "penstock artifact-store up tested"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"endpoint_url": "localhost:9000"}, "no URL"),
    ({"endpoint_url": "https://me:pw@host"}, "credentials in its endpoint_url"),
    ({"secret": None}, "one of key and secret"),
    ({"profile": "mine"}, "a profile and a key"),
    ({"part_size": "1MiB"}, "5 MiB to 5 GiB"),
    ({"part_size": "many"}, "5 MiB to 5 GiB"),
    ({"concurrency": 0}, "concurrency=0"),
    ({"deadline": 0}, "deadline=0"),
    ({"addressing_style": "host"}, "'host'"),
    ({"extra": {"use_ssl": object()}}, "no plain data"),
]


@pytest.mark.parametrize(("options", "said"), WRONG)
def test_what_is_wrong_as_it_is_written_is_refused(
    made: Made, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadConfiguration, match=said) as caught:
        made("here", **options)

    assert "pw" not in str(caught.value)


def test_a_profile_that_is_not_there_is_bad_configuration() -> None:
    store = S3ArtifactStore(path="s3://bucket/x", profile="nobody's")
    with pytest.raises(BadConfiguration, match="nobody's"):
        store.get("a")


def test_credentials_do_not_show(made: Made) -> None:
    store = made("here", secret="tell nobody", token="nor this")

    assert "tell nobody" not in repr(store)
    assert "nor this" not in repr(store)
