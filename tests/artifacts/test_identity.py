import json
import os
from collections.abc import Sequence
from pathlib import Path

import children
import pytest

from penstock.artifacts.identity import Identity, identify
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact, StoreTooNew


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"))


def test_a_new_store_gets_an_id(store: LocalArtifactStore) -> None:
    identity = identify(store)

    assert identity is not None
    assert json.loads(bytes(store.get("store.json"))) == {"version": 1, "id": identity.id}
    assert len(identity.id) == 16


def test_a_store_keeps_its_id(store: LocalArtifactStore) -> None:
    assert identify(store) == identify(store)


def test_who_only_reads_makes_none(store: LocalArtifactStore) -> None:
    assert identify(store, make=False) is None
    assert not os.path.exists(store.path)


def test_processes_that_begin_at_once_agree_on_one_id(store: LocalArtifactStore) -> None:
    assert len(set(children.at_once(lambda: identify(store), 16))) == 1


class SecondComer(LocalArtifactStore):
    """Somebody else puts whatever it puts a moment before."""

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        LocalArtifactStore(path=self.path).put(key, [b'{"version": 1, "id": "theirs"}'])
        super().put(key, buffers, exclusive=exclusive)


def test_who_comes_second_takes_the_id_that_is_there(store: LocalArtifactStore) -> None:
    assert identify(SecondComer(path=store.path)) == Identity("theirs", 1)


@pytest.mark.parametrize("rest", ['"id": "a"', '"layout": "another"'])
def test_a_store_from_a_later_version_is_refused(store: LocalArtifactStore, rest: str) -> None:
    store.put("store.json", [f'{{"version": 2, {rest}}}'.encode()])
    with pytest.raises(StoreTooNew) as caught:
        identify(store)

    assert str(caught.value) == (
        f"The artifact store {store.path} has format 2; this penstock knows up to 1.\n"
        "pip install -U penstock"
    )


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 9999),
        *(b'{"version": 1}', b'{"version": 1, "id": 5}', b'{"id": "a"}'),
        *(b'{"version": "1", "id": "a"}', b'{"version": Infinity, "id": "a"}'),
    ],
)
def test_a_damaged_one_is_said_with_a_cure(store: LocalArtifactStore, data: bytes) -> None:
    store.put("store.json", [data])
    with pytest.raises(CorruptArtifact) as caught:
        identify(store)

    message = f"store.json of the artifact store {store.path} cannot be read: "
    assert caught.value.message.startswith(message)
    assert '{"version": 1, "id": "…"}' in str(caught.value)


def test_a_folder_in_its_place_is_said_with_a_cure(store: LocalArtifactStore) -> None:
    Path(store.path, "store.json").mkdir(parents=True)
    with pytest.raises(CorruptArtifact) as caught:
        identify(store)

    assert str(caught.value) == (
        f"store.json of the artifact store {store.path} is there, and it is no file.\n"
        'Move it away. A store with runs needs it back: {"version": 1, "id": "…"}, with what the '
        'records in runs/ have as "store".'
    )
