import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import children
import numpy as np
import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import LARGE, Buffer
from penstock.artifacts.values import INLINE, Code, Trust, Values
from penstock.errors import CorruptArtifact, NoSuchKey, RunFailed
from penstock.model.records import Artifact

BIG = bytes(range(256)) * 100
OURS = Trust(True)


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"), signing_key="ours")  # type: ignore[arg-type]


@pytest.fixture
def values(store: LocalArtifactStore) -> Values:
    return Values(store, lambda names: Code())


def objects(store: Any) -> list[str]:
    return [entry.key for folder in store.keys("objects/") for entry in store.keys(folder.key)]


def load(values: Values, artifact: Artifact, folder: Path | None = None) -> Any:
    return values.load(artifact, None, "The value", lambda: folder or Path("unused"), OURS)


def file_of(store: Any, artifact: Artifact) -> Path:
    return Path(store.path, object_key(artifact.digest))


def flip(file: Path, position: int = 1000) -> None:
    data = bytearray(file.read_bytes())
    data[position % len(data)] ^= 1
    file.write_bytes(data)


def cut(file: Path) -> None:
    os.truncate(file, 100)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def lengthened(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


DAMAGES = [flip, cut, emptied, lengthened]


@pytest.mark.parametrize(("size", "expected"), [(0, 0), (INLINE - 1, 0), (INLINE, 1)])
def test_small_values_lie_in_the_record(
    store: LocalArtifactStore, values: Values, size: int, expected: int
) -> None:
    artifact = values.save(b"x" * size, bytes, "The value")

    assert len(objects(store)) == expected
    assert (artifact.data is None) is bool(expected)
    assert load(values, artifact) == b"x" * size


def test_equal_bytes_are_stored_once(store: LocalArtifactStore, values: Values) -> None:
    text = "x" * INLINE
    one = values.save(text, str, "The value")
    before = file_of(store, one).stat().st_ino
    others = [values.save(text, str, "The value"), values.save(text.encode(), bytes, "The value")]

    assert objects(store) == [object_key(one.digest)]
    assert file_of(store, one).stat().st_ino == before
    assert [load(values, other) for other in others] == [text, text.encode()]


@pytest.mark.parametrize("size", [10, INLINE, 2 << 20])
def test_what_is_loaded_is_private(values: Values, size: int) -> None:
    artifact = values.save(bytearray(b"x" * size), bytearray, "The value")
    memoryview(load(values, artifact))[:3] = b"yyy"

    assert bytes(load(values, artifact)) == b"x" * size


@pytest.mark.parametrize("damage", [cut, emptied, lengthened])
def test_an_object_of_the_wrong_size_is_healed_by_the_next_put(
    store: LocalArtifactStore, values: Values, damage: Callable[[Path], None]
) -> None:
    artifact = values.save(BIG, bytes, "The value")
    damage(file_of(store, artifact))
    values.save(BIG, bytes, "The value")

    assert load(values, artifact) == BIG


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_object_is_moved_aside(
    store: LocalArtifactStore, values: Values, damage: Callable[[Path], None]
) -> None:
    artifact = values.save(BIG, bytes, "The value")
    damage(file_of(store, artifact))
    damaged = file_of(store, artifact).read_bytes()
    with pytest.raises(CorruptArtifact) as caught:
        load(values, artifact)

    assert str(caught.value) == (
        f"The value: the object {object_key(artifact.digest)} in {store.path} is not what its "
        f"digest says ({len(damaged)} bytes, {len(BIG)} expected). It was moved to "
        f"corrupt/{artifact.digest}.\n"
        "Run the pipeline again: the step that made it will make it anew."
    )
    assert objects(store) == []
    assert bytes(store.get(f"corrupt/{artifact.digest}")) == damaged


def test_every_bit_counts(store: LocalArtifactStore, values: Values) -> None:
    artifact = values.save(BIG, bytes, "The value")
    for position in range(0, len(BIG), 997):
        flip(file_of(store, artifact), position)
        with pytest.raises(CorruptArtifact):
            load(values, artifact)
        values.save(BIG, bytes, "The value")

    assert load(values, artifact) == BIG


def test_who_may_not_write_says_that_a_damaged_object_is_still_there() -> None:
    with children.open_folder() as folder:
        store = LocalArtifactStore(path=str(folder / "store"))
        artifact = Values(store, lambda names: Code()).save(BIG, bytes, "The value")
        flip(file_of(store, artifact))

        def read() -> str:
            with pytest.raises(CorruptArtifact) as caught:
                load(Values(store, lambda names: Code()), artifact)
            return str(caught.value)

        places = [Path(place) for place, _, _ in os.walk(store.path)]
        try:
            for place in places:
                place.chmod(0o555)
            said = children.child(read, uid=None if os.getuid() else 65534)
        finally:
            for place in places:
                place.chmod(0o755)
        assert "It could not be moved aside: whoever may write there must delete it." in said
        assert file_of(store, artifact).exists()


@dataclass(frozen=True, kw_only=True)
class HealedMeanwhile(LocalArtifactStore):
    """Another process moves the damaged object aside, and a third one puts it again."""

    looked: ClassVar[list[str]] = []

    def get(self, key: str) -> Buffer:
        self.looked.append(key)
        if len(self.looked) == 1:
            return bytearray(b"damaged")
        return super().get(key)


def test_an_object_that_was_healed_meanwhile_stays(store: LocalArtifactStore) -> None:
    HealedMeanwhile.looked.clear()
    values = Values(HealedMeanwhile(path=store.path), lambda names: Code())
    artifact = values.save(BIG, bytes, "The value")
    with pytest.raises(CorruptArtifact):
        load(values, artifact)

    assert load(values, artifact) == BIG


def test_bytes_in_the_record_are_checked_too(values: Values) -> None:
    artifact = values.save(b"small", bytes, "The value")
    for wrong in (replace(artifact, data=b"Small"), replace(artifact, size=4)):
        assert not values.is_there(wrong)
        with pytest.raises(CorruptArtifact, match="The value: the bytes in the record"):
            load(values, wrong)


def test_an_object_that_is_gone_is_said_with_a_cure(
    store: LocalArtifactStore, values: Values
) -> None:
    artifact = values.save(BIG, bytes, "The value")
    store.delete(object_key(artifact.digest))
    with pytest.raises(NoSuchKey) as caught:
        load(values, artifact)

    assert str(caught.value) == (
        f"The value is gone from the store {store.path}: there is no object "
        f"{object_key(artifact.digest)}.\n"
        "Run the pipeline again: the step that made it will make it anew."
    )


@pytest.mark.parametrize("digest", ["", "../../../etc/passwd", "x" * 64, "ab" * 31, 5, None])
def test_what_is_no_digest_names_no_object(digest: Any) -> None:
    with pytest.raises(CorruptArtifact, match="is no digest"):
        object_key(digest)


def many_files(folder: Path) -> Path:
    """A tree whose manifest is an object of its own."""
    tree = folder / "tree"
    tree.mkdir()
    for number in range(60):
        (tree / f"file-{number}").write_bytes(b"%d" % number * 10)
    return tree


def test_a_value_is_there_with_all_its_files_or_not(
    store: LocalArtifactStore, values: Values, tmp_path: Path
) -> None:
    artifact = values.save(many_files(tmp_path), Path, "The value")
    assert values.is_there(artifact)

    store.delete(object_key(artifact.parts[7].digest))
    assert not values.is_there(artifact)


def test_of_a_damaged_tree_every_damaged_file_is_moved_aside(
    store: LocalArtifactStore, values: Values, tmp_path: Path
) -> None:
    tree = many_files(tmp_path)
    artifact = values.save(tree, Path, "The value")
    for part in artifact.parts[3:6]:
        flip(Path(store.path, object_key(part.digest)))
    (tmp_path / "out").mkdir()
    with pytest.raises(CorruptArtifact):
        load(values, artifact, tmp_path / "out")
    values.save(tree, Path, "The value")

    (tmp_path / "again").mkdir()
    assert load(values, artifact, tmp_path / "again")


def test_a_damaged_file_of_a_tree_is_said_once(
    store: LocalArtifactStore, values: Values, tmp_path: Path
) -> None:
    artifact = values.save(many_files(tmp_path), Path, "The value")
    digest = artifact.parts[7].digest
    flip(Path(store.path, object_key(digest)))
    (tmp_path / "out").mkdir()
    with pytest.raises(CorruptArtifact) as caught:
        load(values, artifact, tmp_path / "out")

    assert caught.value.message.count("The value: ") == 1
    assert object_key(digest) in caught.value.message


@step
def rows() -> bytes:
    return BIG


@step
def count(rows: bytes, add: int) -> int:
    return len(rows) + add


@pipeline(progress=False)
def counting(add: int) -> Any:
    return count(rows(), add)


@pytest.fixture
def stack(store: LocalArtifactStore) -> Stack:
    return Stack("test", orchestrator=LocalOrchestrator(), artifact_store=store)


def test_a_damaged_input_is_computed_again(stack: Stack) -> None:
    store = stack.artifact_store
    made = counting.on(stack).run(1)["rows"].output.artifact
    before = file_of(store, made).read_bytes()
    flip(file_of(store, made))
    run = counting.on(stack).run(2)

    assert run.result() == len(before) + 2
    assert file_of(store, made).read_bytes() == before


def test_an_input_of_another_run_that_is_damaged_says_whose_output_it_is(stack: Stack) -> None:
    @pipeline(progress=False)
    def counting_given(given: bytes) -> int:
        return count(given, 1)

    store = stack.artifact_store
    first = counting.on(stack).run(1)
    made = first["rows"].output
    flip(file_of(store, made.artifact))
    with pytest.raises(RunFailed) as caught:
        counting_given.on(stack).with_options(cache=False).run(made)  # type: ignore[arg-type]

    assert isinstance(caught.value.__cause__, CorruptArtifact)
    assert caught.value.__cause__.message.startswith(
        f"Output 'output' of step rows in run {first.id} (an input of step count): the "
        f"object {object_key(made.artifact.digest)} in {store.path} is not what its digest says"
    )


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_next_run_heals_what_was_damaged(stack: Stack, damage: Callable[[Path], None]) -> None:
    made = counting.on(stack).run(1)["rows"].output.artifact
    damage(file_of(stack.artifact_store, made))
    try:
        counting.on(stack).run(2)
    except RunFailed:
        healed = counting.on(stack).run(2)
        assert [str(view.status) for view in healed] == ["completed", "completed"]

    assert counting.on(stack).run(2).result() == len(BIG) + 2
    assert Client(stack).run("last")["rows"].output.load() == BIG


def test_a_deleted_object_is_a_miss_that_says_so(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    made = counting.on(stack).run(1)["rows"].output.artifact
    file_of(stack.artifact_store, made).unlink()
    run = counting.on(stack).with_options(progress=True).run(1)

    assert run["rows"].status == "completed"
    assert " s  the object of output 'output' was deleted" in capsys.readouterr().err


def test_the_size_of_a_value_is_that_of_all_its_objects(
    store: LocalArtifactStore, values: Values, tmp_path: Path
) -> None:
    tree = values.save(many_files(tmp_path), Path, "The value")
    objects = sum(entry.stat().st_size for entry in Path(store.path).glob("objects/*/*"))
    pickled = values.save([np.ones(LARGE), 1], None, "The value")

    assert tree.total == objects + len(tree.data or b"")
    assert pickled.total > 8 * LARGE > pickled.size
