"""Stores with one defect each, and the test of the suite that must find it.

Run by `test_local_store.py` in a pytest of its own; every class but the last is meant to fail.
"""

from __future__ import annotations

import mmap
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock.artifacts.draft import Draft, Late
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.source import Buffers, Source
from penstock.artifacts.store import LARGE, ArtifactStore, Buffer, Entry
from penstock.errors import KeyTaken, NoSuchKey
from penstock.testing.artifact_store import ArtifactStoreTests


class NeverExclusive(LocalArtifactStore):
    caught_by: ClassVar = "test_an_exclusive_put_refuses_a_taken_key[first]"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        super().put(key, buffers)


class ExclusiveOnlyAlone(LocalArtifactStore):
    caught_by: ClassVar = "test_of_many_threads_one_gets_a_key"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        if exclusive and Path(self.path, key).exists():
            raise KeyTaken(key)
        time.sleep(0.001 * exclusive)
        super().put(key, buffers)


class EmptyIsFree(LocalArtifactStore):
    caught_by: ClassVar = "test_an_exclusive_put_refuses_a_taken_key[]"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        file = Path(self.path, key)
        super().put(key, buffers, exclusive=exclusive and bool(file.exists() and file.read_bytes()))


class NeverReplaces(LocalArtifactStore):
    caught_by: ClassVar = "test_put_replaces_what_is_there"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        try:
            super().put(key, buffers, exclusive=True)
        except KeyTaken:
            if exclusive:
                raise


class InPlace(LocalArtifactStore):
    caught_by: ClassVar = "test_nobody_sees_half_an_object"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        with Path(self.path, key).open("wb") as file:
            for buffer in buffers:
                file.write(buffer)
                file.flush()
                time.sleep(0.001)


class SharedMappings(LocalArtifactStore):
    caught_by: ClassVar = "test_what_get_gave_is_private[3145728]"

    def get(self, key: str) -> Buffer:
        data = super().get(key)
        if len(data) < LARGE:
            return data
        with Path(self.path, key).open("r+b") as file:
            return mmap.mmap(file.fileno(), 0)


class EagerDraft(LocalArtifactStore):
    caught_by: ClassVar = "test_a_draft_that_is_not_kept_leaves_nothing[5]"

    def draft(self, source: Source) -> Draft:
        self.put("draft", source.buffers())
        return super().draft(source)


class OverwritingDraft(LocalArtifactStore):
    caught_by: ClassVar = "test_a_draft_refuses_a_taken_key"

    def draft(self, source: Source) -> Draft:
        return Late(source, self.put)


class _Views(Draft):
    """Sends what the value is by then."""

    def __init__(self, store: LocalArtifactStore, source: Source) -> None:
        self._store = store
        self._source = source

    def pieces(self) -> Iterator[Buffer]:
        return iter(self._source.buffers())

    def keep(self, key: str, digest: str) -> None:
        self._store.put(key, self._source.buffers(), exclusive=True)

    def __exit__(self, *_: object) -> None:
        return


class DraftOfViews(LocalArtifactStore):
    caught_by: ClassVar = "test_a_value_that_changes_after_it_was_hashed_poisons_nothing[5]"

    def draft(self, source: Source) -> Draft:
        return _Views(self, source)


class FirstPieceOnly(LocalArtifactStore):
    caught_by: ClassVar = "test_a_draft_that_is_kept_is_an_object[9437185]"

    def draft(self, source: Source) -> Draft:
        return super().draft(Buffers(source.buffers()[:1]))


class LinkingCopies(LocalArtifactStore):
    caught_by: ClassVar = "test_an_object_can_be_copied_into_a_file[5]"

    def copy_into(self, key: str, fd: int) -> None:
        opened = os.open(Path(self.path, key), os.O_RDWR)
        os.dup2(opened, fd)
        os.close(opened)


class StampOfTheName(LocalArtifactStore):
    caught_by: ClassVar = "test_a_stamp_tells_one_object_from_the_next"

    def stamp(self, key: str) -> str | None:
        return key if Path(self.path, key).exists() else None


class Remembering(LocalArtifactStore):
    caught_by: ClassVar = "test_what_get_gave_is_private[5]"
    known: ClassVar[dict[str, Any]] = {}

    def get(self, key: str) -> Buffer:
        place = f"{self.path}/{key}"
        return self.known.setdefault(place, super().get(key))


class LastBufferOnly(LocalArtifactStore):
    caught_by: ClassVar = "test_a_buffer_may_be_of_any_kind[bytes]"

    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        super().put(key, buffers[-1:], exclusive=exclusive)


class MissingIsEmpty(LocalArtifactStore):
    caught_by: ClassVar = "test_a_missing_key_is_no_such_key[get-a]"

    def get(self, key: str) -> Buffer:
        try:
            return super().get(key)
        except NoSuchKey:
            return b""


class DeletesInSilence(LocalArtifactStore):
    caught_by: ClassVar = "test_a_missing_key_is_no_such_key[delete-a]"

    def delete(self, key: str) -> None:
        Path(self.path, key).unlink(missing_ok=True)


class Anywhere(LocalArtifactStore):
    caught_by: ClassVar = "test_what_is_no_key_is_refused[../a]"

    def get(self, key: str) -> Buffer:
        try:
            return bytearray(Path(self.path, key).read_bytes())
        except (OSError, ValueError):
            raise NoSuchKey(key) from None


class Unsorted(LocalArtifactStore):
    caught_by: ClassVar = "test_keys_ascend_as_text_with_the_slash"

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        return reversed(list(super().keys(prefix, start_after=start_after)))


class SortedWithoutSlash(LocalArtifactStore):
    caught_by: ClassVar = "test_keys_ascend_as_text_with_the_slash"

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        found = super().keys(prefix, start_after=start_after)
        yield from sorted(found, key=lambda entry: entry.name)


class FromTheBeginning(LocalArtifactStore):
    caught_by: ClassVar = "test_keys_can_start_after_one"

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        return super().keys(prefix)


class WholeNamesOnly(LocalArtifactStore):
    caught_by: ClassVar = "test_a_prefix_may_end_within_a_name"

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        whole = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
        return super().keys(whole, start_after=start_after)


class AllAtOnce(LocalArtifactStore):
    caught_by: ClassVar = "test_keys_come_one_by_one"

    def keys(self, prefix: str = "", *, start_after: str = "") -> Any:
        return list(super().keys(prefix, start_after=start_after))


class OneLevelIsATree(LocalArtifactStore):
    caught_by: ClassVar = "test_a_tree_is_all_that_lies_below"

    def tree(self, folder: str) -> Iterator[Entry]:
        return super().keys(folder)


class NothingWasTaken(LocalArtifactStore):
    caught_by: ClassVar = "test_publish_says_which_keys_were_taken"

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        super().publish(keys, data)
        return ()


class LastNameFirst(LocalArtifactStore):
    caught_by: ClassVar = "test_publish_goes_in_order"

    def publish(self, keys: Sequence[str], data: Buffer) -> tuple[str, ...]:
        taken: list[str] = []
        for key in reversed(keys):
            taken += super().publish([key], data)
            time.sleep(0.001)
        return tuple(taken)


class TouchLooksOnly(LocalArtifactStore):
    caught_by: ClassVar = "test_touch_makes_an_object_young"

    def touch(self, key: str) -> None:
        self.stat(key)


class TouchMakesIt(LocalArtifactStore):
    caught_by: ClassVar = "test_a_missing_key_is_no_such_key[touch-a]"

    def touch(self, key: str) -> None:
        try:
            super().touch(key)
        except NoSuchKey:
            self.put(key, [])


class UseGivesTheFile(LocalArtifactStore):
    caught_by: ClassVar = "test_use_gives_what_get_gives[3145728]"

    def use(self, key: str) -> Buffer:
        with Path(self.path, key).open("r+b") as file:
            return mmap.mmap(file.fileno(), 0)


class DiscardWhatever(LocalArtifactStore):
    caught_by: ClassVar = "test_discard_leaves_what_is_young_again[touch]"

    def discard(self, key: str, before: float) -> bool:
        self.delete(key)
        return True


class DiscardNothing(LocalArtifactStore):
    caught_by: ClassVar = "test_discard_deletes_what_is_older"

    def discard(self, key: str, before: float) -> bool:
        return False


class AllThatBeginsSo(LocalArtifactStore):
    caught_by: ClassVar = "test_delete_all_leaves_nothing_of_a_folder"

    def delete_all(self, folder: str) -> None:
        for entry in self.keys(folder.rstrip("/")):
            if entry.key.endswith("/"):
                super().delete_all(entry.key)
            else:
                self.delete(entry.key)


class EverythingIsLeftOver(LocalArtifactStore):
    caught_by: ClassVar = "test_what_is_stored_is_no_leftover"

    def leftovers(self, before: float) -> Iterator[Entry]:
        yield from (entry for entry in self.keys("") if entry.modified < before)


class UpBeginsAnew(LocalArtifactStore):
    caught_by: ClassVar = "test_up_leaves_what_is_there"

    def up(self) -> Sequence[str]:
        shutil.rmtree(self.path, ignore_errors=True)
        return super().up()


class DownTakesEverythingAlong(LocalArtifactStore):
    caught_by: ClassVar = "test_down_leaves_every_artifact"

    def down(self, *, force: bool = False) -> Sequence[str]:
        if force:
            shutil.rmtree(self.path, ignore_errors=True)
        return ()


class DownNeedsNoForce(LocalArtifactStore):
    caught_by: ClassVar = "test_down_removes_nothing_unless_it_is_forced"

    def down(self, *, force: bool = False) -> Sequence[str]:
        return super().down(force=True)


PLANTED = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and hasattr(kind, "caught_by")
]


def _suite(kind: type[LocalArtifactStore]) -> type:
    class Suite(ArtifactStoreTests):
        @pytest.fixture
        def store(self, tmp_path: Path) -> ArtifactStore:
            return kind(path=str(tmp_path))

    return Suite


for _kind in [*PLANTED, LocalArtifactStore]:
    globals()[f"Test{_kind.__name__}"] = _suite(_kind)
