"""Bytes that are not what was stored: always an error that says whose they are, never data, and
the next run makes them anew. Thousands of cases for each format."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import samples_of_formats as samples
from damages import damaged, in_place, renamed, unnoticed
from samples_of_formats import FORMATS, INSTALLED, LARGE, SMALL, kind, saved, seen
from sampling import Sample

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.formats.registry import BUILT_IN, LIBRARIES
from penstock.artifacts.objects import object_key
from penstock.artifacts.values import Code, Trust, Values
from penstock.errors import CorruptArtifact, PenstockError, UntrustedArtifact
from penstock.model.records import Artifact
from penstock.model.step import Step

CASES = 1000
OURS = Trust(True)


@pytest.fixture
def store(tmp_path: Path) -> LocalArtifactStore:
    return LocalArtifactStore(path=str(tmp_path / "store"), signing_key="ours")  # type: ignore[arg-type]


@pytest.fixture
def values(store: LocalArtifactStore) -> Values:
    return Values(store, lambda names: Code())


@pytest.fixture
def stack(store: LocalArtifactStore) -> Stack:
    return Stack("test", orchestrator=LocalOrchestrator(), artifact_store=store)


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[], Path]:
    """Empty folders, one after the other."""
    numbers = iter(range(10**9))

    def folder() -> Path:
        made = tmp_path / "out" / str(next(numbers))
        made.mkdir(parents=True)
        return made

    return folder


def files(values: Values, artifact: Artifact) -> list[Path]:
    """The objects that an artifact is made of, its root last."""
    digests = [part.digest for part in artifact.parts]
    if artifact.data is None:
        digests.append(artifact.digest)
    return [Path(values.store.path, object_key(digest)) for digest in digests]


def test_every_format_has_a_sample() -> None:
    assert FORMATS == INSTALLED
    assert all(LIBRARIES.get(id) for id in BUILT_IN if id not in INSTALLED)


def never_data(
    values: Values, artifact: Artifact, id: str, file: Path, bad: bytes, folders: Callable[[], Path]
) -> None:
    """Load an artifact one of whose objects is wrong."""
    with pytest.raises(CorruptArtifact) as caught:
        values.load(artifact, kind(id), "The value", folders, OURS)
    said, key = caught.value.message, f"objects/{file.parent.name}/{file.name}"
    said = re.sub(r"^The value, item \d+:", "The value:", said)
    assert said.startswith(f"The value: the object {key} in {values.store.path} is not what "), said
    assert said.endswith(f" It was moved to corrupt/{file.name}."), said
    assert not file.exists()
    assert Path(values.store.path, "corrupt", file.name).read_bytes() == bad


@pytest.mark.parametrize("id", sorted({*FORMATS} - {"file/1"}))
def test_a_damaged_object_is_never_data(
    id: str, values: Values, folders: Callable[[], Path], sample: Sample
) -> None:
    cases = len(sample(range(CASES), CASES // 8))
    artifact = saved(values, id, LARGE)
    objects = files(values, artifact)[-4:]
    others = [file.read_bytes() for file in files(values, saved(values, "bytes/1", 5000))]
    others += [file.read_bytes() for file in objects]
    rng = random.Random(id)
    for file in objects:
        whole = file.read_bytes()
        for bad in damaged(whole, cases // len(objects), f"{id}{file.name}", others):
            rng.choice((in_place, renamed))(file, bad)
            never_data(values, artifact, id, file, bad, folders)
            file.write_bytes(whole)

    back = values.load(artifact, kind(id), "The value", folders, OURS)
    assert seen(back) == seen(samples.sample(id, LARGE))


@pytest.mark.parametrize("id", FORMATS)
def test_damaged_bytes_in_a_record_are_never_data(
    id: str, values: Values, folders: Callable[[], Path]
) -> None:
    artifact = saved(values, id, SMALL)
    assert artifact.data is not None
    others = [b"", b"null", samples.sample("bytes/1", LARGE)]
    for bad in damaged(artifact.data, CASES, id, others):
        for wrong in (replace(artifact, data=bad), replace(artifact, data=bad, size=len(bad))):
            assert not values.is_there(wrong)
            with pytest.raises(CorruptArtifact, match="The value: the bytes in the record are not"):
                values.load(wrong, kind(id), "The value", folders, OURS)


@pytest.mark.parametrize("id", FORMATS)
def test_a_wrong_size_is_never_data(id: str, values: Values, folders: Callable[[], Path]) -> None:
    for length in (SMALL, LARGE):
        artifact = saved(values, id, length)
        for size in (0, 1, artifact.size - 1, artifact.size + 1, -artifact.size, 2**31, 2**80):
            wrong = replace(artifact, size=size)
            assert not values.is_there(wrong)
            with pytest.raises(CorruptArtifact, match="The value: the "):
                values.load(wrong, kind(id), "The value", folders, OURS)
            saved(values, id, length)  # it was moved aside, though it was whole


@step
def user(value: object, again: int) -> object:
    return repr(seen(value))


def maker(id: str) -> Step[..., Any]:
    """A step that makes a sample, with the annotation that the format needs."""

    def make(length: int) -> Any:
        return samples.sample(id, length)

    make.__annotations__["return"] = kind(id)
    return step(make)


MAKERS = {id: maker(id) for id in FORMATS if id not in ("failure/1", "file/1")}


@pipeline(progress=False)
def journey(id: str, length: int, again: int = 0) -> Any:
    return user(MAKERS[id](length), again)


DAMAGES: list[Callable[[Path, bytes], None]] = [in_place, renamed, unnoticed]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("id", MAKERS)
def test_the_reader_learns_whose_output_is_damaged_and_the_next_run_heals(
    id: str, damage: Callable[[Path, bytes], None], stack: Stack
) -> None:
    run = journey.on(stack).run(id, LARGE)
    file = files(Values(stack.artifact_store, lambda names: Code()), run["make"].output.artifact)[0]
    whole = file.read_bytes()
    bad = next(bad for bad in damaged(whole, 40, id) if len(bad) == len(whole))
    damage(file, bad)
    with pytest.raises(CorruptArtifact) as caught:
        Client(stack).run(run.id)["make"].output.load()

    key = f"objects/{file.parent.name}/{file.name}"
    said = f"Output 'output' of step make in run {run.id}: the object {key} in "
    assert caught.value.message.startswith(said)
    again = journey.on(stack).run(id, LARGE, again=1)
    assert [str(view.status) for view in again] == ["completed", "completed"]
    assert again.result() == run.result()
    assert file.read_bytes() == whole


def signer(record: bytes) -> bytes:
    """Whose name stands in the last line; nobody's if that is no signature any more."""
    found = re.search(rb'\n\{"key":"([0-9a-f]{16})","mac":"[0-9a-f]{64}"\}\n\Z', record)
    return found[1] if found else b""


def strangers(record: bytes, count: int, seed: str) -> Iterator[bytes]:
    """The record as one of somebody else, and a few bits of what it says are wrong, too."""
    rng = random.Random(seed)
    start = record.rindex(signer(record))
    for _ in range(count):
        wrong = bytearray(record)
        wrong[start : start + 16] = rng.randbytes(8).hex().encode()
        for _ in range(rng.randrange(3)):
            wrong[rng.randrange(start - 20)] ^= 1 << rng.randrange(8)
        yield bytes(wrong)


@pytest.mark.parametrize("id", ["json/1", "bytes/1", "path/1", "pickle/1"])
def test_a_damaged_record_is_never_data(id: str, stack: Stack) -> None:
    """Where the signer's name is hit, whatever else is hit with it, the record is as one of
    somebody else: it is believed as far as those are, its value is verified all the same, and a
    pickle is not loaded."""
    run = journey.on(stack).run(id, SMALL)
    whole = seen(run["make"].output.load())
    file = Path(stack.artifact_store.path, "runs", run.id, "steps", "make.json")
    written, other = file.read_bytes(), file.with_name("user.json").read_bytes()
    client = Client(stack)
    for bad in (*damaged(written, CASES, id, [other]), *strangers(written, CASES // 5, id)):
        in_place(file, bad)
        try:
            value = client.run(run.id)["make"].output.load()
        except (CorruptArtifact, UntrustedArtifact) as error:
            is_said = f"runs/{run.id}/steps/make.json" in error.message
            is_said = is_said or "signed with key" in error.message
        except PenstockError:  # of a stranger's record: another object, another format
            is_said = False
        else:
            is_said = False
            assert seen(value) == whole
            assert id != "pickle/1"
        assert is_said or signer(bad) not in (b"", signer(written))


@pytest.mark.parametrize("name", ["run.json", "end.json"])
def test_a_damaged_record_of_a_run_is_said(name: str, stack: Stack) -> None:
    """But for one that names another signer: it is read as one of somebody else."""
    run = journey.on(stack).run("json/1", SMALL)
    file = Path(stack.artifact_store.path, "runs", run.id, name)
    written = file.read_bytes()
    client = Client(stack)
    for bad in (*damaged(written, CASES, name), *strangers(written, CASES // 5, name)):
        in_place(file, bad)
        try:
            status = str(client.run(run.id).status)
        except CorruptArtifact as error:
            said = error.message
        else:
            said = ""
            assert status == "completed"
            assert signer(bad) not in (b"", signer(written))
        assert not said or f"runs/{run.id}/{name}" in said


def test_a_damaged_cache_entry_is_a_miss_and_the_next_run_heals(stack: Stack) -> None:
    run = journey.on(stack).run("bytes/1", SMALL)
    [first, second] = [view.record.key for view in run]
    file = Path(stack.artifact_store.path, "cache", first[:2], first)
    other = Path(stack.artifact_store.path, "cache", second[:2], second).read_bytes()
    written = file.read_bytes()
    file.unlink()  # the record of the run is the same file
    for bad in damaged(written, CASES // 10, "cache", [other]):
        file.write_bytes(bad)
        assert journey.on(stack).run("bytes/1", SMALL).result() == run.result()

    statuses = [view.status for view in journey.on(stack).run("bytes/1", SMALL)]
    assert statuses == ["cached", "cached"]
