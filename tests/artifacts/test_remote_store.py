"""The flavor `fsspec`: in memory, and over SFTP on a server that behaves as OpenSSH does."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.registry import _registry, known_implementations

from penstock import LocalOrchestrator, Stack
from penstock.artifacts.drivers import driver, told
from penstock.artifacts.drivers.at_once import AtOnce, Conditional, InMemory
from penstock.artifacts.drivers.renamed import OverSsh, Renamed
from penstock.artifacts.drivers.ways import way_of
from penstock.artifacts.identity import identify
from penstock.artifacts.remote import CREATES, RemoteArtifactStore
from penstock.artifacts.store import ArtifactStore
from penstock.errors import (
    BadConfiguration,
    KeyTaken,
    MissingExtra,
    NoSuchKey,
    StoreUnavailable,
)  # fmt: skip
from penstock.testing.artifact_store import ArtifactStoreTests

SESAME = "open sesame"
SERVER = Path(__file__).with_name("sftp_server.py")
numbers = count()


def over_ssh(port: int, place: str, **options: Any) -> RemoteArtifactStore:
    extra = {"port": port, "username": "you", "look_for_keys": False, "allow_agent": False}
    secrets = {"password": SESAME}
    given: dict[str, Any] = {"extra": extra, "secrets": secrets, **options}
    return RemoteArtifactStore(name="far", path=f"sftp://127.0.0.1/{place}", **given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """Of a server that has the folder."""
    command = [sys.executable, str(SERVER), str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.communicate()


@pytest.fixture
def far(port: int) -> RemoteArtifactStore:
    return over_ssh(port, f"place-{next(numbers)}/store")


class TestInMemory(ArtifactStoreTests):
    shared = False

    @pytest.fixture
    def store(self) -> ArtifactStore:
        return RemoteArtifactStore(path=f"memory://place-{next(numbers)}/store")


class TestOverSsh(ArtifactStoreTests):
    @pytest.fixture
    def store(self, far: RemoteArtifactStore) -> ArtifactStore:
        far.learn(far.abilities())
        return far


def test_what_a_server_does_is_found_out_and_written_down(far: RemoteArtifactStore) -> None:
    identify(far)

    assert json.loads(bytes(far.get("store.json")))["backend"] == {"conditional_writes": True}
    assert list(far.remarks()) == []
    assert list(far.keys()) == [far.stat("store.json")]


@pytest.mark.parametrize("known", [True, False])
def test_a_second_writer_is_refused_whatever_is_known(
    far: RemoteArtifactStore, known: bool
) -> None:
    far.learn({CREATES: known})
    far.put("a", [b"first"])
    with pytest.raises(KeyTaken):
        far.put("a", [b"second"], exclusive=True)

    assert bytes(far.get("a")) == b"first"


def test_what_was_learned_of_the_wrong_type_is_not_believed(far: RemoteArtifactStore) -> None:
    far.learn({CREATES: "yes"})

    assert len(list(far.remarks())) == 1


def test_a_place_without_conditional_writes_is_announced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = replaced_on_rename(monkeypatch)
    identify(store)

    assert json.loads(bytes(store.get("store.json")))["backend"] == {"conditional_writes": False}
    (remark,) = store.remarks()
    assert remark == (
        f"the artifact store 'far' at {store.path} has no conditional writes: one run at a time "
        "is safe (docs/how-to/other-stores.md)"
    )
    assert [each for each in store.check() if each.message and each.ok]
    assert all(each.ok for each in store.check())


def test_without_conditional_writes_one_writer_after_the_other_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = replaced_on_rename(monkeypatch)
    identify(store)
    store.put("a", [b"first"], exclusive=True)
    with pytest.raises(KeyTaken):
        store.put("a", [b"second"], exclusive=True)

    assert bytes(store.get("a")) == b"first"


class Replacing(MemoryFileSystem):  # type: ignore[misc]
    """A place whose renames replace what is there, and which writes in place."""

    protocol: ClassVar[str] = "replacing"

    def mv(self, old: str, new: str, **options: Any) -> None:
        self.store[new] = self.store.pop(old)


def replaced_on_rename(monkeypatch: pytest.MonkeyPatch) -> RemoteArtifactStore:
    monkeypatch.setitem(_registry, "replacing", Replacing)
    return RemoteArtifactStore(name="far", path=f"replacing://place-{next(numbers)}")


def test_what_is_half_written_is_a_leftover_and_no_object(
    far: RemoteArtifactStore, folder: Path
) -> None:
    far.put("a", [b"1"])
    place = folder / far.path.partition("127.0.0.1/")[2]
    (place / "tmp/inner").mkdir(parents=True)
    (place / "tmp/killed").write_bytes(b"half")
    (place / "tmp/inner/killed").write_bytes(b"half")
    found = [entry.key for entry in far.leftovers(time.time() + 60)]

    assert sorted(found) == ["tmp/inner/killed", "tmp/killed"]
    assert [entry.key for entry in far.keys("")] == ["a"]
    assert all(far.discard(key, time.time() + 60) for key in found)


def test_nothing_stays_in_tmp(far: RemoteArtifactStore, folder: Path) -> None:
    identify(far)
    far.put("a", [b"1"])
    with pytest.raises(KeyTaken):
        far.put("a", [b"2"], exclusive=True)
    with pytest.raises(StoreUnavailable):
        far.put("a/b", [b"below an object"])
    far.clock()

    assert list((folder / far.path.partition("127.0.0.1/")[2] / "tmp").iterdir()) == []


def test_connections_that_are_lost_are_made_anew(far: RemoteArtifactStore) -> None:
    far.put("a", [b"data"])
    far.get_all(["a", *(f"b/{number}" for number in range(20))])
    for systems in driver._idle.values():
        for system in systems:
            if hasattr(system, "client"):
                system.client.close()

    assert bytes(far.get("a")) == b"data"


def test_what_is_not_there_costs_no_connection(far: RemoteArtifactStore) -> None:
    far.put("a", [b"data"])
    before = [id(each) for systems in driver._idle.values() for each in systems]
    with pytest.raises(NoSuchKey):
        far.get("b")

    assert [id(each) for systems in driver._idle.values() for each in systems] == before


def test_no_listing_is_kept(far: RemoteArtifactStore) -> None:
    far.put("a", [b"data"])
    system = next(each for systems in driver._idle.values() for each in systems)
    system.dircache["folder"] = []

    assert "folder" not in system.dircache


def test_a_wrong_password_is_one_message_without_it(port: int) -> None:
    store = over_ssh(port, "place", secrets={"password": "guessed"})
    with pytest.raises(StoreUnavailable) as caught:
        store.get("a")

    assert str(caught.value) == (
        "The artifact store 'far' cannot use sftp://127.0.0.1/place: "
        "AuthenticationException: Authentication failed."
    )


def test_a_server_that_is_gone_is_one_message() -> None:
    with pytest.raises(StoreUnavailable, match=r"'far' cannot use sftp://.*: NoValidConn.*Unable"):
        over_ssh(1, "place").put("a", [b"data"])


def test_a_secret_is_not_shown_and_not_recorded(port: int) -> None:
    store = over_ssh(port, "place")
    stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)

    assert "sesame" not in f"{store!r} {stack.to_data()}"
    assert stack.environment == {"PENSTOCK_SECRET_ARTIFACT_STORE_FAR_SECRETS_PASSWORD": SESAME}


MISSING = {
    "gs": ("gcsfs", "gcsfs"),
    "az": ("adlfs", "adlfs"),
    "sftp": ("paramiko", "paramiko"),
    "webdav": ("webdav4", "webdav4"),
    "smb": ("smbclient", "smbprotocol"),
    "oss": ("ossfs", "ossfs"),
}
"""Protocol → the module that is missing, the package that has it."""


@pytest.mark.parametrize("protocol", MISSING)
def test_a_missing_driver_names_its_package(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, package = MISSING[protocol]
    target = known_implementations[protocol]["class"].rpartition(".")[0]
    monkeypatch.delitem(_registry, protocol, raising=False)
    monkeypatch.delitem(sys.modules, target, raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    store = RemoteArtifactStore(name="far", path=f"{protocol}://host/place")
    with pytest.raises(MissingExtra, match=f"'far' needs a driver for {protocol}://") as caught:
        store.get("a")

    assert caught.value.hint == f"pip install {package}"
    with pytest.raises(MissingExtra, match=f"needs a driver for {protocol}://"):
        _ = store.filesystem
    (problem,) = store.problems()
    assert problem.startswith(f"needs a driver for {protocol}:// that is not installed: ")


def test_a_protocol_that_nobody_knows_has_a_near_one() -> None:
    with pytest.raises(BadConfiguration) as caught:
        RemoteArtifactStore(name="far", path="sftq://host/place").get("a")

    assert str(caught.value) == (
        "The artifact store 'far' is at sftq://, which no driver of fsspec is for.\n"
        "Did you mean 'sftp'?"
    )


def test_a_protocol_that_is_near_none_has_examples() -> None:
    with pytest.raises(BadConfiguration, match=r"Write for example gs://, az:// or sftp://"):
        RemoteArtifactStore(name="far", path="nope://host/place").get("a")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "path='', which is no URL.\nWrite for example path='gs://bucket/penstock'."),
        ("folder", "which is no URL."),
        ("s3://bucket/x", "and s3:// is not for this flavor.\nUse the flavor 's3'"),
        ("S3A://bucket/x", "Use the flavor 's3'"),
        ("file:///tmp/x", "Use the flavor 'local'"),
        ("https://host/x", "A web server can be read only"),
        ("gs://bucket/../x", "and '.', '..' and '//' are not the same everywhere."),
        ("gs://bucket//x", "and '.', '..' and '//' are not the same everywhere."),
        ("simplecache::gs://bucket/x", "which is no URL"),
        ("zip://x::gs://bucket/y.zip", "which is a chain"),
    ],
)
def test_a_path_that_cannot_be_is_refused_at_once(path: str, message: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        RemoteArtifactStore(name="far", path=path)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "sftp://you:sesame@host/place", "sftp://you:ses/sesame@host/place",
        "sftp://you@example.com:sesame@host/place", "az://box/place?sig=sesame",
    ],
)  # fmt: skip
def test_a_secret_in_the_path_is_refused_and_not_repeated(path: str) -> None:
    with pytest.raises(BadConfiguration, match=r"\*\*\*.*, and everybody sees") as caught:
        RemoteArtifactStore(name="far", path=path)

    assert "sesame" not in str(caught.value)


def test_a_user_and_a_port_in_the_path_are_no_secret() -> None:
    path = "webdav://me@host:8080/me@example.com/store"

    assert RemoteArtifactStore(path=path).path == path


def test_a_slash_at_the_end_means_nothing() -> None:
    assert RemoteArtifactStore(path="GS://bucket/x/").path == "gs://bucket/x"
    assert RemoteArtifactStore(path="memory://").path == "memory://"


MOMENT = 1763825400.0


@pytest.mark.parametrize(
    "said",
    [
        {"mtime": datetime.fromtimestamp(MOMENT, UTC)},
        {"last_modified": datetime.fromtimestamp(MOMENT, UTC).replace(tzinfo=None)},
        {"mtime": None, "modified": MOMENT},
        {"updated": "2025-11-22T15:30:00.000Z"},
        {"modify": "20251122153000"},
        {"created": int(MOMENT), "mtime": True},
    ],
)
def test_every_driver_has_its_own_words_for_the_time(said: dict[str, object]) -> None:
    assert told.modified(said) == MOMENT


@pytest.mark.parametrize("said", [{}, {"mtime": "yesterday"}, {"mtime": [MOMENT]}])
def test_what_has_no_time_is_young(said: dict[str, object]) -> None:
    assert abs(told.modified(said) - time.time()) < 60


@pytest.mark.parametrize(
    ("protocol", "way"),
    [("memory", InMemory), ("gs", Conditional), ("az", Conditional), ("sftp", OverSsh)],
)
def test_every_protocol_is_written_to_in_its_own_way(protocol: str, way: type) -> None:
    assert type(way_of(protocol, MemoryFileSystem)) is way


def test_what_can_rename_writes_under_another_name_first() -> None:
    assert type(way_of("any", MemoryFileSystem)) is AtOnce
    assert type(way_of("any", LocalFileSystem)) is Renamed


PROGRAM = """
from penstock import pipeline, step

@step
def squares(upto: int) -> list[int]:
    return [n * n for n in range(1, upto + 1)]

@pipeline
def hello(upto: int = 3) -> list[int]:
    return squares(upto)

hello.cli()
"""


def test_what_one_process_stored_is_a_hit_for_the_next(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hello.py").write_text(PROGRAM)
    (tmp_path / "penstock.yaml").write_text(f"""
artifact_stores:
  far:
    flavor: fsspec
    path: sftp://127.0.0.1/shared
    extra: {{port: {port}, username: you, look_for_keys: false, allow_agent: false}}
    secrets: {{password: "${{env:FAR_PASSWORD}}"}}
stacks: {{far: {{orchestrator: default, artifact_store: far}}}}
""")
    monkeypatch.setenv("FAR_PASSWORD", SESAME)
    monkeypatch.setenv("PENSTOCK_STACK", "far")
    said = [
        subprocess.run(
            [sys.executable, "-W", "error", "hello.py"],
            capture_output=True, text=True, check=True, timeout=100,
        ).stderr.splitlines()
        for _ in range(2)
    ]  # fmt: skip

    assert said[0][1].split()[:2] != ["squares", "cached"]
    assert said[1][1].split()[:2] == ["squares", "cached"]


def test_up_makes_a_folder_once_and_down_removes_it_with_force_only(
    far: RemoteArtifactStore, folder: Path
) -> None:
    assert far.up() == (f"made {far.path}",)
    assert far.up() == far.down() == ()
    (place,) = (each for each in folder.iterdir() if far.path.endswith(f"{each.name}/store"))
    assert (place / "store").is_dir()
    assert far.down(force=True) == (f"removed {far.path}",)
    assert list(place.iterdir()) == []
    assert far.down(force=True) == ()


def test_a_folder_with_an_artifact_is_left(far: RemoteArtifactStore) -> None:
    assert far.up() == (f"made {far.path}",)
    far.put("objects/a", [b"1"])
    assert far.down(force=True) == (f"left {far.path}, for something is in it",)
    assert bytes(far.get("objects/a")) == b"1"


def test_memory_has_to_be_made_by_nobody() -> None:
    assert RemoteArtifactStore(path="memory://new/x").up() == ()


class Buckets(MemoryFileSystem):
    """An object store; one that removes full buckets, as some do."""

    protocol = "buckets"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("buckets://", "memory://")))

    def rmdir(self, path: str) -> None:
        raise AssertionError(path)


def test_the_bucket_of_an_object_store_is_made_and_never_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(_registry, "buckets", Buckets)
    store = RemoteArtifactStore(path="buckets://b/x")
    assert store.up() == ("made buckets://b",)
    beside = RemoteArtifactStore(path="buckets://b/y")
    assert beside.up() == ()
    assert beside.down(force=True) == (
        "left buckets://b: it is removed with the tools of its provider",
    )


def test_who_may_not_look_for_the_bucket_is_not_told_that_it_was_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Closed(Buckets):
        def info(self, path: str, **options: Any) -> Any:
            raise PermissionError(path)

    monkeypatch.setitem(_registry, "buckets", Closed)
    assert RemoteArtifactStore(path="buckets://closed/x").up() == ()
