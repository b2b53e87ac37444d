"""`penstock schedule`: what it says, and what it refuses."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, LocalArtifactStore
from penstock.runtime.elsewhere import jobs
from penstock.runtime.ledger import Ledger
from penstock.runtime.runid import new_run_id

SHARED = '''\
from dataclasses import dataclass
from typing import ClassVar

from penstock import LocalArtifactStore


@dataclass(frozen=True, kw_only=True)
class Shared(LocalArtifactStore):
    """A folder that other machines have, too."""

    flavor: ClassVar[str] = "shared"

    @property
    def only_here(self):
        return False
'''
INSTALLED = {
    "shared_store.py": SHARED,
    "shared-1.0.dist-info/METADATA": "Name: shared\nVersion: 1.0\n",
    "shared-1.0.dist-info/entry_points.txt": (
        "[penstock.artifact_stores]\nshared = shared_store:Shared\n"
    ),
}
"""A package with a store: what comes from the project itself, pods would not have in time."""

PLACES = '''\
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from penstock.errors import EngineError
from penstock.stack.engine import Schedule, Timing
from penstock.stack.orchestrator import Orchestrator


@dataclass(frozen=True, kw_only=True)
class Clock(Orchestrator):
    """An engine whose schedules lie in a file, and never fire."""

    flavor: ClassVar[str] = "clock"
    elsewhere: ClassVar[bool] = True
    ships_code: ClassVar[bool] = False
    place: str

    def submit(self, job, observer):
        raise NotImplementedError

    def schedule(self, job, name, timing, *, at_once, mark):
        known = self.read()
        known[f"id-{name}"] = [name, timing.cron, timing.every, True, mark]
        self.write(known)
        return self.schedules()[-1]

    def schedules(self):
        return [
            Schedule(id, name, Timing(cron, every), active, mark, url=f"https://clock/{name}")
            for id, (name, cron, every, active, mark) in self.read().items()
        ]

    def pause_schedule(self, remote_id):
        self.switch(remote_id, False)

    def resume_schedule(self, remote_id):
        self.switch(remote_id, True)

    def delete_schedule(self, remote_id):
        known = self.read()
        known.pop(remote_id, None)
        self.write(known)

    def switch(self, remote_id, active):
        known = self.read()
        known[remote_id][3] = active
        self.write(known)

    def read(self):
        file = Path(self.place)
        if file.is_dir():
            raise EngineError("The clock does not answer.")
        return json.loads(file.read_text()) if file.exists() else {}

    def write(self, known):
        Path(self.place).write_text(json.JSONEncoder().encode(known))
'''
YAML = """\
flavors:
  orchestrator: {clock: "clocks:Clock"}
artifact_stores:
  shared: {flavor: shared, path: ../store}
orchestrators:
  kf: {flavor: clock, place: PLACE}
stacks:
  prod: {orchestrator: kf, artifact_store: shared}
  here: {orchestrator: default, artifact_store: shared}
active: prod
"""
FLOW = """\
from penstock import pipeline, step

@step
def load(count: int) -> list[int]:
    return list(range(count))

@pipeline
def training(count: int = 3) -> list[int]:
    if count < 0:
        raise ValueError("fewer than none")
    return load(count)

@pipeline
def named(name: str) -> list[int]:
    return load(3)

@pipeline
def empty() -> None:
    return None
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with an engine; what is imported of it is forgotten again."""
    folder = tmp_path / "project"
    folder.mkdir()
    yaml = YAML.replace("PLACE", str(tmp_path / "clock.json"))
    for name, text in {"penstock.yaml": yaml, "clocks.py": PLACES, "flow.py": FLOW}.items():
        (folder / name).write_text(text)
    packages = tmp_path / "site-packages"
    for name, text in INSTALLED.items():
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(text)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", ["", *sys.path, str(packages)])
    yield folder
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


Schedule = Callable[..., Any]


@pytest.fixture
def schedule(penstock: Any) -> Schedule:
    return lambda *words: penstock("schedule", *words)


def test_one_is_made_and_shown(schedule: Schedule) -> None:
    said = schedule(
        "create", "flow.py:training", "--cron", "0 6 * * MON-FRI", "--name", "nightly",
        "--count", "5",
    )  # fmt: skip

    assert said.code == 0
    assert "schedule: nightly" in said.out
    assert "fires:    0 6 * * MON-FRI UTC" in said.out
    assert "on:       kf, stack prod" in said.out
    assert "page:     https://clock/nightly" in said.out
    assert "count:  5" in said.out

    shown = schedule("list")
    assert shown.code == 0
    heading, row = shown.out.splitlines()
    assert " ".join(heading.split()) == "SCHEDULE PIPELINE STATE FIRES NEXT LAST RUN STATUS USER"
    assert row.startswith("nightly   training  active  0 6 * * MON-FRI UTC")


def test_it_has_the_name_of_its_pipeline_by_default(schedule: Schedule) -> None:
    assert schedule("create", "flow.py:training", "--every", "90s").code == 0
    (found,) = schedule("list", "--json").data

    assert (found["schedule"], found["every"], found["cron"]) == ("training", 90, None)


def test_as_json_all_is_said(schedule: Schedule) -> None:
    made = schedule("create", "flow.py:training", "--cron", "0 6 * * *", "--json").data
    (found,) = schedule("list", "--json").data

    assert made == found
    assert found["state"] == "active"
    assert found["parameters"] == {"count": 3}
    assert found["next"].endswith("T06:00:00Z")
    assert found["last"] is None


def test_the_last_run_that_it_has_started_is_told(
    schedule: Schedule, tmp_path: Path, penstock: Any
) -> None:
    schedule("create", "flow.py:training", "--every", "1h")
    assert penstock("pipeline", "run", "flow.py:training", "--stack", "here").code == 0
    (own,) = Client("here").runs()
    record = tmp_path / "store/schedules/training"  # with the plan that its runs have
    plan = json.loads(record.read_text())["plan"]
    record.write_text(record.read_text().replace(plan, own.record.plan))
    (found,) = schedule("list", "--json").data
    assert found["last"] is None  # that one was started by hand

    fired = new_run_id()
    ledger = Ledger(LocalArtifactStore(path=str(tmp_path / "store")))
    assert jobs.begun(ledger, fired, "firing-1", own.record)
    (found,) = schedule("list", "--json").data
    assert found["last"] == {"run": fired, "status": "running"}
    assert f"{fired}  running" in schedule("list").out


def test_it_is_paused_resumed_and_deleted(schedule: Schedule) -> None:
    schedule("create", "flow.py:training", "--every", "1h")
    for verb, state, says in (
        ("pause", "paused", "To go on: penstock schedule resume training"),
        ("resume", "active", "Resumed: training fires every 1h"),
    ):
        said = schedule(verb, "training")
        assert (said.code, said.out) == (0, "")
        assert says in said.err
        assert schedule("list", "--json").data[0]["state"] == state
    said = schedule("delete", "training")
    assert (said.code, said.err) == (0, "Deleted: training\n")
    empty = schedule("list")
    assert (empty.code, empty.out) == (0, "")
    assert "No schedules in " in empty.err


def test_another_stack_of_the_same_store_finds_its_engine(schedule: Schedule) -> None:
    schedule("create", "flow.py:training", "--every", "1h")

    assert schedule("pause", "training", "--stack", "here").code == 0
    assert schedule("list", "--stack", "here", "--json").data[0]["state"] == "paused"


def test_an_engine_that_is_silent_is_said_and_the_list_is_shown(
    schedule: Schedule, tmp_path: Path
) -> None:
    schedule("create", "flow.py:training", "--every", "1h")
    (tmp_path / "clock.json").unlink()
    (tmp_path / "clock.json").mkdir()
    said = schedule("list", "--json")

    assert (said.code, said.data[0]["state"]) == (0, "unknown")
    assert said.err == "Warning: The clock does not answer.\n"
    assert schedule("delete", "training").code == 5
    assert schedule("delete", "training", "--only-here").code == 0
    assert schedule("list", "--json").data == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["training", "--cron", "0 0 6 * * *"], 3, 'Write: --cron "0 6 * * *"'),
        (["training", "--cron", "0 0 31 2 *"], 3, "never fires"),
        (["training", "--every", "0.5s"], 3, "no number of whole seconds"),
        (["training", "--every", "soon"], 3, "--every 1h"),
        (["training", "--every", "1h", "--at-once", "0"], 2, "--at-once"),
        (["training"], 2, "either --cron"),
        (["training", "--cron", "0 6 * * *", "--every", "1h"], 2, "either --cron"),
        (["training", "--every", "1h", "--stack", "here"], 3, "with --stack prod"),
        (["training", "--every", "1h", "--count", "-1"], 1, "ValueError: fewer than none"),
        (["training", "--every", "1h", "--name", "a b"], 2, "'a-b'"),
        (["named", "--every", "1h"], 2, "'name' of pipeline 'named'"),
        (["empty", "--every", "1h"], 3, "has no steps"),
    ],
)
def test_what_is_wrong_is_one_message_and_leaves_nothing(
    schedule: Schedule, tmp_path: Path, words: list[str], code: int, says: str
) -> None:
    said = schedule("create", f"flow.py:{words[0]}", *words[1:])

    assert said.code == code, said.err
    assert says in said.err
    assert said.out == ""
    assert not (tmp_path / "clock.json").exists()
    assert not list(tmp_path.glob("store/schedules/*"))
    assert not list(tmp_path.glob("store/compiled/*"))


def test_a_name_that_is_taken_or_unknown_is_said(schedule: Schedule) -> None:
    schedule("create", "flow.py:training", "--every", "1h")
    again = schedule("create", "flow.py:training", "--every", "1h")
    assert again.code == 3
    assert "type: penstock schedule delete training" in again.err
    for verb in ("pause", "resume", "delete"):
        said = schedule(verb, "trainin")
        assert said.code == 4
        assert "Did you mean 'training'?" in said.err
