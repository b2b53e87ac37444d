"""`Stack.check()`, `up` and `down`: what is found out, and that nothing is left."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack
from penstock.artifacts.remote import RemoteArtifactStore
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.errors import KeyTaken, StoreUnavailable
from penstock.model.component import Finding, Secret, StackComponent
from penstock.stack.component import ComponentSpec, literals
from penstock.testing import MemoryArtifactStore


def stack(store: ArtifactStore, *others: StackComponent) -> Stack:
    return Stack(
        "mine",
        orchestrator=LocalOrchestrator(name="here"),
        artifact_store=store,
        experiment_trackers=others,
    )


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    yield
    MemoryArtifactStore(path="checked").clear()


def test_each_thing_that_works_is_a_line() -> None:
    found = stack(MemoryArtifactStore(name="a", path="checked")).check()

    assert found.ok
    assert (
        str(found)
        == repr(found)
        == (
            "ok     orchestrator here\n"
            "ok     artifact store a: open\n"
            "ok     artifact store a: write\n"
            "ok     artifact store a: read\n"
            "ok     artifact store a: list\n"
            "ok     artifact store a: write once\n"
            "ok     artifact store a: delete"
        )
    )


def test_a_check_leaves_no_object() -> None:
    store = MemoryArtifactStore(path="checked")
    stack(store).check()

    assert list(store.keys()) == []


@pytest.mark.parametrize("inside", ["", ".penstock", "deep/store"])
def test_a_check_of_a_folder_that_is_not_there_leaves_none(tmp_path: Path, inside: str) -> None:
    (tmp_path / "deep").mkdir()
    there = sorted(tmp_path.rglob("*"))
    assert stack(LocalArtifactStore(path=str(tmp_path / inside))).check().ok

    assert sorted(tmp_path.rglob("*")) == there


def test_a_check_of_a_store_in_use_leaves_its_folders(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    store.put("runs/a", [b"1"])
    there = sorted(tmp_path.rglob("*"))
    assert stack(store).check().ok

    assert sorted(tmp_path.rglob("*")) == there


def test_a_check_of_the_project_leaves_it_to_the_first_run_to_make_its_folder() -> None:
    assert Client().active_stack.check().ok

    assert not Path(".penstock").exists()


@dataclass(frozen=True, kw_only=True)
class Bad(MemoryArtifactStore):
    """A place where nothing is as it should be."""

    flavor: ClassVar[str] = "bad"
    path: str = "checked"


class Closed(Bad):
    def get(self, key: str) -> Buffer:
        raise StoreUnavailable("Nobody\nis in.", hint="Come back\nlater.")


class ReadOnly(Bad):
    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        raise StoreUnavailable("It is read-only.", hint="Ask for s3:PutObject.")


class Flipping(Bad):
    def get(self, key: str) -> Buffer:
        data = bytearray(super().get(key))
        data[0] ^= 1
        return data


class Forgetful(Bad):
    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        yield from ()


class Overwriting(Bad):
    def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
        super().put(key, buffers)


class Sticky(Bad):
    def delete(self, key: str) -> None:
        self.stat(key)


class Unpacked(Bad):
    def problems(self) -> Iterator[str]:
        yield "it needs another library"


WRONG = {
    Closed: ("open", "Nobody is in. Come back later."),
    ReadOnly: ("write", "It is read-only. Ask for s3:PutObject."),
    Flipping: ("read", "comes back as other bytes than were written. Something on the way"),
    Forgetful: ("list", "was just written, and no listing of checked has it."),
    Overwriting: ("write once", "checked lets a second writer take the place of the first one."),
    Sticky: ("delete", "was deleted from checked, and it is still there."),
    Unpacked: ("use", "it needs another library"),
}
"""What is broken → what finds it, and says what."""


@pytest.mark.parametrize("broken", WRONG)
def test_what_is_wrong_is_one_line_with_what_to_do(broken: type[Bad]) -> None:
    what, message = WRONG[broken]
    found = stack(broken(name="a")).check()
    (wrong,) = (line for line in str(found).splitlines() if not line.startswith("ok  "))

    assert not found.ok
    assert wrong.startswith(f"WRONG  artifact store a: {what}: ")
    assert message in wrong


@pytest.mark.parametrize("broken", [Closed, Unpacked])
def test_where_nothing_can_be_opened_no_more_is_tried(broken: type[Bad]) -> None:
    assert "WRONG" in str(stack(broken(name="a")).check()).splitlines()[-1]


def test_what_can_only_be_read_is_listed_and_called_so() -> None:
    class Refusing(Bad):
        def put(self, key: str, buffers: Sequence[Buffer], *, exclusive: bool = False) -> None:
            raise StoreUnavailable("It is ill.")

    assert str(stack(Refusing(name="a")).check()).splitlines()[-3:] == [
        "ok     artifact store a: open",
        "WRONG  artifact store a: write: It is ill. It can be listed, so perhaps it is read-only.",
        "ok     artifact store a: list",
    ]


@dataclass(frozen=True, kw_only=True)
class Place(StackComponent):
    """Writes down what it is asked for."""

    category: ClassVar[str] = "experiment-tracker"
    flavor: ClassVar[str] = "place"

    asked: list[str] = field(default_factory=list)

    def check(self) -> Iterator[Finding]:
        yield Finding("reach", True, "it is slow today")
        if self.name == "failing":
            raise KeyTaken("Somebody else has it.", hint="Wait.")

    def up(self) -> Sequence[str]:
        self.asked.append(f"up {self.name}")
        return ()

    def down(self, *, force: bool = False) -> Sequence[str]:
        self.asked.append(f"down {self.name}")
        return ()


def test_an_error_of_a_check_is_a_finding() -> None:
    lines = str(stack(MemoryArtifactStore(path="checked"), Place(name="failing")).check())

    assert lines.splitlines()[-2:] == [
        "note   experiment tracker failing: reach: it is slow today",
        "WRONG  experiment tracker failing: Somebody else has it. Wait.",
    ]


def test_findings_are_data() -> None:
    found = stack(MemoryArtifactStore(path="checked"), Place(name="failing")).check().to_data()

    assert (found["stack"], found["ok"]) == ("mine", False)
    assert [finding["mark"] for finding in found["findings"][-2:]] == ["note", "WRONG"]
    assert found["findings"][-1] == {
        "category": "experiment-tracker", "name": "failing", "what": "", "ok": False,
        "mark": "WRONG", "message": "Somebody else has it.", "hint": "Wait.",
    }  # fmt: skip


def test_up_goes_from_the_first_to_the_last_and_down_back() -> None:
    asked: list[str] = []
    made = stack(MemoryArtifactStore(path="checked"), *(Place(name=n, asked=asked) for n in "ab"))
    made.up()
    made.down()

    assert asked == ["up a", "up b", "down b", "down a"]


def test_down_leaves_every_artifact(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path))
    store.put("objects/a", [b"1"])
    stack(store).down()

    assert bytes(store.get("objects/a")) == b"1"


def test_who_checks_nothing_loads_nothing_of_it() -> None:
    code = "import sys; from penstock import Client; Client().active_stack; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert "penstock.stack.stack" in loaded
    assert not {"penstock.stack.checked", "penstock.artifacts.probe"} & {*loaded}


def test_an_option_that_is_as_made_by_default_is_none_that_was_given() -> None:
    assert Place().options() == {}
    assert Place(asked=["x"]).options() == {"asked": ["x"]}


def test_a_secret_in_a_mapping_is_given_to_processes_by_its_variable() -> None:
    secrets = {"password": Secret("s3cret"), "key": Secret("${env:KEY}")}
    made = RemoteArtifactStore(name="far", path="memory://far", secrets=secrets)
    ((option, variable, secret),) = literals(made)

    assert (option, secret.reveal()) == ("secrets", "s3cret")
    assert ComponentSpec.of(made).options == {
        "path": "memory://far",
        "secrets": {"password": f"${{env:{variable}}}", "key": "${env:KEY}"},
    }
