"""`up` and `down`: what they make is remembered, and nothing else is ever removed."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, SubprocessStepOperator
from penstock.artifacts.remote import RemoteArtifactStore
from penstock.errors import BadConfiguration, StackError, StoreUnavailable
from penstock.model.component import Left, StackComponent
from penstock.stack import provisioned
from penstock.stack.project import Project

WHO = "artifact store a: "


@dataclass(frozen=True, kw_only=True)
class Tracker(StackComponent):
    """Has a place, if only by name."""

    category: ClassVar[str] = "experiment-tracker"
    flavor: ClassVar[str] = "tracker"

    at: str = "here"

    @property
    def site(self) -> str:
        return self.at

    def up(self) -> Sequence[str]:
        if self.at == "nowhere":
            raise StoreUnavailable("There is no such place.")
        if self.at == "elsewhere":
            return (Left("left elsewhere, for nobody knows the way"),)
        return (f"made {self.at}",)


def stack(path: object = "store", *others: StackComponent) -> Stack:
    return Stack(
        "mine",
        orchestrator=LocalOrchestrator(name="o"),
        artifact_store=LocalArtifactStore(name="a", path=str(path)),
        step_operators=[SubprocessStepOperator(name="s")],
        experiment_trackers=others,
    )


def of_store(said: Sequence[str]) -> str:
    (line,) = (text for text in said if text.startswith(WHO))
    return line.removeprefix(WHO)


def test_up_makes_the_folder_once_and_says_so(project: Project) -> None:
    made = stack()
    assert made.up() == (
        "orchestrator o: needs no place",
        f"artifact store a: made the folder {project.root}/store",
        "step operator s: needs no place",
    )
    assert of_store(made.up()) == "is there"
    assert (project.root / "store").is_dir()


def test_down_goes_the_other_way_and_removes_nothing(project: Project) -> None:
    made = stack()
    made.up()
    assert made.down() == (
        "step operator s: needs no place",
        (
            "artifact store a: is left as it is: --force removes its folder; one with anything in "
            "it is never removed"
        ),
        "orchestrator o: needs no place",
    )
    assert (project.root / "store").is_dir()
    assert provisioned.is_up(project, made.artifact_store)


def test_down_with_force_removes_what_up_has_made(project: Project) -> None:
    made = stack()
    made.up()
    assert of_store(made.down(force=True)) == f"removed the folder {project.root}/store"
    assert not (project.root / "store").exists()
    assert not provisioned.is_up(project, made.artifact_store)
    assert of_store(made.down(force=True)) == ("is left as it is: nothing of it was made from here")


def test_an_artifact_stays_and_the_place_is_forgotten(project: Project) -> None:
    made = stack(project.root / "store")
    made.up()
    made.artifact_store.put("objects/a", [b"1"])
    assert of_store(made.down(force=True)) == (
        f"left the folder {project.root}/store, for something is in it"
    )
    assert bytes(made.artifact_store.get("objects/a")) == b"1"
    assert not provisioned.is_up(project, made.artifact_store)


def test_a_folder_that_was_there_before_stays_though_it_is_empty(project: Project) -> None:
    (project.root / "store").mkdir()
    made = stack()
    assert of_store(made.up()) == "is there"
    made.down(force=True)
    assert (project.root / "store").is_dir()


def test_what_was_only_left_is_said_and_not_remembered(project: Project) -> None:
    tracker = Tracker(name="t", at="elsewhere")
    (deed,) = provisioned.up([tracker], project)
    assert str(deed) == "experiment tracker t: left elsewhere, for nobody knows the way"
    assert not provisioned.is_up(project, tracker)


def test_another_checkout_does_not_remove_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stack(tmp_path / "common")
    made.up()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    made.down(force=True)
    assert (tmp_path / "common").is_dir()


def test_what_is_gone_already_is_no_error(project: Project) -> None:
    made = stack()
    made.up()
    (project.root / "store").rmdir()
    assert of_store(made.down(force=True)) == "is gone already"
    assert not provisioned.is_up(project, made.artifact_store)


def test_with_other_options_it_is_another_place_and_the_old_one_is_named(project: Project) -> None:
    stack("old").up()
    (project.root / "new").mkdir()
    said = [line.removeprefix(WHO) for line in stack("new").down(force=True) if WHO in line]
    assert said == [
        (
            f"left the folder {project.root}/old, which was made for it before its options "
            "changed: that is yours to remove"
        )
    ]
    assert (project.root / "old").is_dir()
    assert (project.root / "new").is_dir()
    assert not provisioned.is_up(project, stack("new").artifact_store)


def test_the_folder_of_the_project_is_not_one_that_up_has_made(project: Project) -> None:
    made = stack(".penstock")
    assert of_store(made.up()) == "is there"
    assert (project.folder / ".gitignore").read_text() == "*\n"
    made.down(force=True)
    assert project.folder.is_dir()


def test_nothing_is_made_where_it_cannot_be_written_down(project: Project) -> None:
    project.folder.write_text("in the way")
    with pytest.raises(StackError, match="is in the way"):
        stack().up()
    assert not (project.root / "store").exists()


def test_a_folder_that_cannot_be_made_is_one_message(project: Project) -> None:
    (project.root / "store").write_text("")
    with pytest.raises(StoreUnavailable, match=r"cannot use .*store: File exists"):
        stack().up()


def test_what_was_made_before_an_error_is_remembered(project: Project) -> None:
    made = stack("store", Tracker(at="nowhere"))
    with pytest.raises(StoreUnavailable, match="no such place"):
        made.up()
    assert of_store(made.down(force=True)).startswith("removed ")


def test_a_component_whose_place_was_not_made_by_up_is_not_asked_to_remove_it(
    project: Project,
) -> None:
    asked: list[bool] = []

    class Asked(Tracker):
        def down(self, *, force: bool = False) -> Sequence[str]:
            asked.append(force)
            return ()

    component = Asked(at="there")
    list(provisioned.down([component], project, force=True))
    list(provisioned.up([component], project))
    list(provisioned.down([component], project))
    list(provisioned.down([component], project, force=True))
    assert asked == [False, False, True]


def test_who_returns_nothing_has_made_nothing(project: Project) -> None:
    class Silent(Tracker):
        def up(self) -> None:  # type: ignore[override]
            return

    (deed,) = provisioned.up([Silent()], project)
    assert str(deed) == "experiment tracker tracker: needs no place"
    assert not provisioned.is_up(project, deed.component)


@pytest.mark.parametrize("text", ["{", '"a"\n{', "\xff", "[" * 100_000])
def test_a_damaged_memory_is_said_and_nothing_is_removed(project: Project, text: str) -> None:
    made = stack()
    made.up()
    file = project.folder / "up" / "artifact-store.a"
    file.write_text(text, "latin-1")
    with pytest.raises(BadConfiguration, match="which says what `up` has made") as caught:
        made.down(force=True)
    assert (str(file) in caught.value.message, caught.value.hint) == (
        True, "Delete it, and remove by hand what was made."
    )  # fmt: skip
    assert (project.root / "store").is_dir()


def test_a_memory_that_cannot_be_removed_is_one_message(project: Project) -> None:
    file = project.folder / "up" / "experiment-tracker.t"

    class Odd(Tracker):
        def down(self, *, force: bool = False) -> Sequence[str]:
            file.unlink()
            file.mkdir()
            return ()

    list(provisioned.up([Odd(name="t")], project))
    with pytest.raises(StackError, match=r"experiment-tracker\.t cannot be removed: "):
        list(provisioned.down([Odd(name="t")], project, force=True))


def test_only_the_place_is_remembered_and_no_secret(project: Project) -> None:
    class Far(RemoteArtifactStore):
        def up(self) -> Sequence[str]:
            return ("made it",)

    secrets = {"password": "s3cret"}
    store = Far(name="a", path="sftp://me@host/kept", secrets=secrets)
    list(provisioned.up([store], project))
    (file,) = (project.folder / "up").iterdir()
    assert [json.loads(line) for line in file.read_text().splitlines()] == ["sftp://me@host/kept"]


def test_many_at_once_are_all_remembered(project: Project) -> None:
    def make(number: int) -> None:
        for each in range(20):
            list(provisioned.up([Tracker(name="t", at=f"{number}-{each}")], project))

    threads = [threading.Thread(target=make, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = [str(deed) for deed in provisioned.down([Tracker(name="t")], project, force=True)]
    assert len(said[0].splitlines()) == 160


DYING = """
import os
from penstock import LocalArtifactStore
from penstock.stack import provisioned
from penstock.stack.project import Project

class Dying(LocalArtifactStore):
    def up(self):
        super().up()
        os._exit(7)

list(provisioned.up([Dying(name="a", path="store")], Project.find()))
"""


def test_what_a_killed_up_has_made_is_nobodys_to_remove(project: Project) -> None:
    done = subprocess.run([sys.executable, "-c", DYING], check=False, timeout=60)
    assert done.returncode == 7
    assert of_store(stack().up()) == "is there"
    stack().down(force=True)
    assert (project.root / "store").is_dir()


DEEDS = st.lists(
    st.tuples(st.sampled_from(["up", "down", "force", "put", "mkdir"]), st.sampled_from("xyz")),
    max_size=12,
)


@given(DEEDS)
def test_whatever_happens_only_empty_folders_that_up_has_made_are_removed(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, str]]
) -> None:
    project = Project(tmp_path_factory.mktemp("project"))
    kept: dict[Path, bytes] = {}
    foreign: set[Path] = set()
    for deed, where in deeds:
        store = LocalArtifactStore(name="a", path=str(project.root / where))
        folder = Path(store.path)
        if deed == "up":
            list(provisioned.up([store], project))
            assert folder.is_dir()
        elif deed == "put":
            if not folder.exists():
                foreign.add(folder)  # whoever writes first makes it, too
            store.put("a", [os.urandom(4)])
            kept[folder / "a"] = (folder / "a").read_bytes()
        elif deed == "mkdir" and not folder.exists():
            folder.mkdir()
            foreign.add(folder)
        elif deed in ("down", "force"):
            list(provisioned.down([store], project, force=deed == "force"))
        assert all(each.is_dir() for each in foreign)
        assert {file: file.read_bytes() for file in kept} == kept
