"""What lies in the place of a record, or cannot be read as one: what is said of it."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import Client, Run, Stack, Status, pipeline, step
from penstock.errors import CorruptArtifact
from penstock.runtime.ledger import Ledger, cache_key

Made = Callable[..., Stack]


@step
def number() -> int:
    return 7


@step(retries=2, cache=False)
def reluctant(folder: str) -> int:
    tries = Path(folder, "tries")
    with tries.open("a") as file:
        file.write("x")
    if tries.stat().st_size < 3:
        raise ValueError(f"try {tries.stat().st_size}")
    return 7


@pipeline(progress=False)
def numbers() -> int:
    return number()


@pipeline(progress=False)
def reluctantly(folder: str) -> int:
    return reluctant(folder)


def folder(place: Path) -> None:
    place.mkdir()


def full_folder(place: Path) -> None:
    place.mkdir()
    (place / "file").touch()


def dangling_link(place: Path) -> None:
    place.symlink_to("nowhere")


def link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


def text(place: Path) -> None:
    place.write_text("This is no record.\n")


INSTEAD = {
    folder: "a folder",
    full_folder: "a folder",
    dangling_link: "a link that leads to no file",
    link_to_itself: "a link that leads to no file",
    os.mkfifo: "a pipe",
}


def entry_of(run: Run[int], store: str) -> Path:
    return Path(store, cache_key(run["number"].record.key))


@pytest.mark.parametrize("put", INSTEAD)
def test_what_is_in_the_place_of_a_cache_entry_is_why_the_step_runs(
    stack: Made, put: Callable[[Path], None]
) -> None:
    here = stack()
    entry = entry_of(numbers.on(here).run(), here.artifact_store.path)
    entry.unlink()
    put(entry)
    run = numbers.on(here).run()
    assert run.result() == 7
    assert run["number"].record.why == (
        f"what lies in the place of the cache entry is {INSTEAD[put]}"
    )
    [why] = run.why("number")
    assert [change.kind for change in why.changes] == ["corrupt"]


def random_bytes(place: Path) -> None:
    place.write_bytes(bytes(range(256)))


def empty_object(place: Path) -> None:
    place.write_text("{}")


@pytest.mark.parametrize("put", [text, random_bytes, empty_object])
def test_an_entry_that_cannot_be_read_is_why_the_step_runs(
    stack: Made, put: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    here = stack()
    put(entry_of(numbers.on(here).run(), here.artifact_store.path))
    run = numbers.on(here).with_options(progress=True).run()
    said = run["number"].record.why
    assert said.startswith("the cache entry cannot be read: ")
    assert said in capsys.readouterr().err
    [why] = run.why("number")
    assert [(change.kind, change.words) for change in why.changes] == [("corrupt", said)]
    assert numbers.on(here).run()["number"].status is Status.CACHED


def test_an_entry_that_was_cut_off_is_why_the_step_runs(stack: Made) -> None:
    here = stack()
    entry = entry_of(numbers.on(here).run(), here.artifact_store.path)
    cut = entry.read_bytes()[:40]
    entry.unlink()  # the record of the run is the same file
    entry.write_bytes(cut)
    run = numbers.on(here).run()
    assert run["number"].record.why.startswith("the cache entry cannot be read: ")


@pytest.mark.parametrize("put", [dangling_link, link_to_itself, os.mkfifo, text])
def test_what_nobody_can_use_as_an_entry_is_replaced(
    stack: Made, put: Callable[[Path], None]
) -> None:
    here = stack()
    entry = entry_of(numbers.on(here).run(), here.artifact_store.path)
    entry.unlink()
    put(entry)
    numbers.on(here).run()
    assert numbers.on(here).run()["number"].status is Status.CACHED


def test_a_miss_without_anything_in_the_way_has_no_reason(stack: Made) -> None:
    assert numbers.on(stack()).run()["number"].record.why == ""


def test_a_strange_attempt_does_not_hide_the_others(
    stack: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = stack()
    run = reluctantly.on(here).run(str(tmp_path))
    attempts = Path(here.artifact_store.path, "runs", run.id, "attempts", "reluctant")
    (attempts / "a copy.json").write_text("This is no record.\n")
    (attempts / "stranger.json").write_text("{}")
    shutil.copy(next(attempts.glob("*.json")), attempts / "zz.json")
    (attempts / "folder.json").mkdir()
    with caplog.at_level(logging.WARNING, "penstock"):
        found = Ledger(here.artifact_store).attempts(run.id, "reluctant")
    said = [each.failure.message for each in found if each.failure]
    assert sorted(set(said)) == ["try 1", "try 2"]
    assert "An attempt at step reluctant is left out: The record runs/" in caplog.text
    assert "stranger.json" in caplog.text


def test_a_damaged_record_of_a_step_says_what_to_do(stack: Made) -> None:
    here = stack()
    run = numbers.on(here).run()
    record = Path(here.artifact_store.path, "runs", run.id, "steps", "number.json")
    record.write_bytes(record.read_bytes()[:50])
    with pytest.raises(CorruptArtifact, match="cannot be read") as caught:
        Client(here).run(run.id)["number"]
    assert str(caught.value).splitlines()[-1] == (
        "Delete that file, and run the pipeline again: whatever can be read is taken as it is."
    )
    record.unlink()
    assert Client(here).run(run.id)["number"].status is Status.PENDING


def test_a_damaged_run_can_be_deleted_as_its_error_says(stack: Made) -> None:
    here = stack()
    run = numbers.on(here).run()
    folder = Path(here.artifact_store.path, "runs", run.id)
    (folder / "run.json").write_text("This is no record.\n")
    with pytest.raises(CorruptArtifact) as caught:
        Client(here).run(run.id)
    said = str(caught.value).splitlines()[-1]
    assert said == f"If nobody needs that run: penstock run delete {run.id}"
    Client(here).delete(said.split()[-1])
    assert not folder.exists()
