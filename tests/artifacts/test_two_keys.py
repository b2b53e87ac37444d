"""Two people with a key each and one store, or with one key for both. (Two users of a machine, with
files of their own: `test_two_users.py`.)"""

from pathlib import Path
from typing import Any

import pytest
from samples_of_formats import Parcel

from penstock import Client, File, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.objects import object_key
from penstock.artifacts.trust import Key
from penstock.errors import CorruptArtifact, UntrustedArtifact
from penstock.runtime.run import Run

ONE, OTHER = "the one key", "the other key"
HITS = ["cached", "cached", "cached"]


@step
def rows() -> list[int]:
    return [1, 2, 3]


@step
def model(rows: list[int]) -> object:
    return Parcel([*rows, "x" * 5000])


@step
def score(model: Parcel) -> int:
    return len(model.content)


@pipeline
def training() -> Any:
    return score(model(rows()))


class Desk:
    """One of them, with one key or several."""

    def __init__(self, folder: Path, *keys: str) -> None:
        store = LocalArtifactStore(path=str(folder), signing_key=keys)  # type: ignore[arg-type]
        self.stack = Stack("shared", orchestrator=LocalOrchestrator(), artifact_store=store)

    def run(self) -> Run[Any]:
        return training.on(self.stack).run()

    def statuses(self) -> list[str]:
        return [str(view.status) for view in self.run()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "shared"


def test_a_foreign_pickle_is_a_miss_that_says_whose_key_is_missing(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Desk(place, ONE).run()
    capsys.readouterr()
    run = Desk(place, OTHER).run()

    said = f" s  output 'output' is a pickle signed with key {Key.of(ONE).id}, "
    assert [str(view.status) for view in run] == ["cached", "completed", "cached"]
    assert said + "which is not here" in capsys.readouterr().err


def test_each_computes_once_and_has_hits_only_then(place: Path) -> None:
    one, other = Desk(place, ONE), Desk(place, OTHER)
    first = [desk.statuses()[1] for desk in (one, other)]

    assert first == ["completed", "completed"]
    assert [desk.statuses() for desk in (one, other, one, other, other, one)] == [HITS] * 6


def test_a_third_one_takes_nothing_away_from_them(place: Path) -> None:
    desks = [Desk(place, key) for key in (ONE, OTHER, "a third key")]
    for desk in desks:
        desk.run()

    assert [desk.statuses() for desk in (*desks, *desks)] == [HITS] * 6


def test_with_a_common_key_there_are_only_hits(place: Path) -> None:
    Desk(place, "ours").run()

    assert [Desk(place, "ours").statuses() for _ in range(4)] == [HITS] * 4


def test_who_knows_the_key_of_the_other_has_only_hits(place: Path) -> None:
    Desk(place, ONE).run()

    assert Desk(place, OTHER, ONE).statuses() == HITS


def test_a_new_key_in_front_of_the_old_one_keeps_everything(place: Path) -> None:
    old, both, new = Desk(place, ONE), Desk(place, OTHER, ONE), Desk(place, OTHER)
    before = old.run()

    assert both.statuses() == HITS
    assert Client(both.stack).run(before.id)["model"].output.load().content[:3] == [1, 2, 3]
    assert new.statuses() == ["cached", "completed", "cached"]
    assert [desk.statuses() for desk in (both, new, old)] == [HITS] * 3


def test_of_a_foreign_pickle_all_but_its_value_can_be_seen(place: Path) -> None:
    run = Desk(place, ONE).run()
    seen = Client(Desk(place, OTHER).stack).run(run.id)

    assert seen.status == "completed"
    assert seen["rows"].output.load() == [1, 2, 3]
    with pytest.raises(UntrustedArtifact, match=f"signed with key {Key.of(ONE).id}, which does"):
        seen["model"].output.load()


def test_a_damaged_object_takes_from_the_other_no_more_than_itself(place: Path) -> None:
    """Equal pickles are one object: each makes it anew, or finds it made."""
    one, other = Desk(place, ONE), Desk(place, OTHER)
    made = one.run()["model"].output.artifact
    other.run()
    file = place / object_key(made.digest)
    file.write_bytes(b"x" * made.size)
    with pytest.raises(CorruptArtifact):
        Client(other.stack).run("last")["model"].output.load()
    other.run()

    assert [desk.statuses() for desk in (one, other, one, other)] == [HITS] * 4


@step
def referred(path: str) -> File:
    return File(path)


@step
def length(file: File) -> int:
    with file.open() as opened:
        return len(opened.read())


@pipeline
def referring(path: str) -> Any:
    return length(referred(path))


def test_a_reference_is_followed_only_if_the_key_is_here(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").write_bytes(b"12345")
    one, other = Desk(place, ONE), Desk(place, OTHER)
    runs = [referring.on(desk.stack).run(path=str(tmp_path / "data")) for desk in (one, other)]

    said = f" s  output 'output' is a reference signed with key {Key.of(ONE).id}, "
    assert said + "which is not here" in capsys.readouterr().err
    assert [str(run["referred"].status) for run in runs] == ["completed", "completed"]
    for desk in (one, other, one):
        again = referring.on(desk.stack).run(path=str(tmp_path / "data"))
        assert [str(view.status) for view in again] == ["cached", "cached"]
    with pytest.raises(UntrustedArtifact, match="refers to a place outside of the store"):
        Client(other.stack).run(runs[0].id)["referred"].output.load()
