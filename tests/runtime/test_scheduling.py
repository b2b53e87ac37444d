"""Schedules: what is written down, what the engine has, and what becomes of them together."""

import json
import multiprocessing
import os
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import clockwork
import pods
import pytest
from clockwork import Clockwork
from hypothesis import given
from hypothesis import strategies as st

from penstock import Client, Status
from penstock.api.pipeline import wanted
from penstock.artifacts.store import ArtifactStore
from penstock.errors import (
    BadConfiguration,
    CannotRun,
    CorruptArtifact,
    EngineError,
    EngineUnsure,
    KeyTaken,
    NameTaken,
    NotFound,
)
from penstock.model.names import ALLOWED
from penstock.runtime.scheduling import record as records
from penstock.runtime.scheduling.engines import Engines
from penstock.runtime.scheduling.known import Schedulings
from penstock.runtime.scheduling.making import Created, create
from penstock.runtime.scheduling.record import ScheduleRecord
from penstock.stack.engine import Timing
from penstock.stack.project import Project
from penstock.stack.registry import Registry
from penstock.testing.memory import MemoryArtifactStore

DAILY = Timing(cron="0 6 * * *")
DAY = 86400.0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pods.write_project(tmp_path)
    (tmp_path / "store" / "objects").mkdir(parents=True)  # so that it is seen to be no code
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("project")
    for name in ("project", "told", "big", "small"):
        sys.modules.pop(name, None)
    pods.end_all()


def engine(folder: Path) -> Clockwork:
    found = clockwork.stack_in(folder).orchestrator
    assert isinstance(found, Clockwork)
    return found


def made(
    folder: Path, pipeline: Any, *args: Any, name: str = "nightly", timing: Timing = DAILY,
    at_once: int = 1,
) -> Created:  # fmt: skip
    chosen = pipeline.on(clockwork.stack_in(folder))
    return create(wanted(chosen, args, {}), name, timing, at_once)


def of(folder: Path) -> Schedulings:
    stack = clockwork.stack_in(folder)
    return Schedulings(stack.artifact_store, Engines(Registry(Project.find()), stack))


def states(folder: Path) -> dict[str, str]:
    told: list[str] = []
    found = {each.record.name: each.state for each in of(folder).all(told.append)}
    assert not told
    return found


def written(folder: Path, name: str = "nightly") -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "store" / "schedules" / name).read_text())
    return data


def change(folder: Path, **fields: Any) -> None:
    """What another process may have left there."""
    file = folder / "store" / "schedules" / "nightly"
    file.write_text(json.JSONEncoder().encode(written(folder) | fields))


def test_each_firing_is_a_run_of_its_own_that_looks_in_the_cache(
    project: Any, tmp_path: Path
) -> None:
    made(tmp_path, project.loading, 4)
    runs = []
    for _ in range(2):
        job = engine(tmp_path).fired(tmp_path, "nightly")
        job.pod("load")
        runs.append(job.records)

    assert runs[0].id != runs[1].id
    assert [run.status for run in runs] == [Status.COMPLETED] * 2
    assert runs[1]["load"].status is Status.CACHED
    assert {run.record.plan for run in runs} == {written(tmp_path)["plan"]}


def test_a_schedule_is_written_down_before_the_engine_is_told_and_after_it(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(Clockwork, "before", lambda _: seen.append(written(tmp_path)))
    done = made(tmp_path, project.loading, 4, timing=Timing(every=90), at_once=2)

    (before,) = seen
    assert before["remote_id"] is None
    assert written(tmp_path) == before | {"remote_id": "recurring-0"}
    assert done.record == records.find(pods.store_in(tmp_path), "nightly")
    assert (before["every"], before["cron"], before["at_once"]) == (90, "", 2)
    assert before["parameters"] == {"count": "4"}
    (theirs,) = engine(tmp_path).known.values()
    assert theirs["mark"] == before["mark"]
    for digest in (before["plan"], before["record"], before["code"]):
        assert list((tmp_path / "store/objects").rglob(f"{digest}*"))


def test_no_step_is_left_out_though_the_cache_has_all(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    job = engine(tmp_path).fired(tmp_path, "nightly")
    job.pod("load")
    made(tmp_path, project.loading, 4, name="again")

    assert "load" in engine(tmp_path).fired(tmp_path, "again").commands


@pytest.mark.parametrize("name", ["nightly", "Nightly"])
def test_a_name_is_taken_once(project: Any, tmp_path: Path, name: str) -> None:
    made(tmp_path, project.loading, 4)
    with pytest.raises(NameTaken) as caught:
        made(tmp_path, project.loading, 5, name=name)

    assert "--name NAME" in str(caught.value)
    assert len(engine(tmp_path).known) == 1


def test_one_of_this_name_in_the_engine_that_is_not_ours_is_left_alone(
    project: Any, tmp_path: Path
) -> None:
    made(tmp_path, project.loading, 4)
    (tmp_path / "store" / "schedules" / "nightly").unlink()  # as another store would be
    with pytest.raises(NameTaken):
        made(tmp_path, project.loading, 5)

    assert not (tmp_path / "store" / "schedules" / "nightly").exists()
    assert len(engine(tmp_path).known) == 1


def test_what_the_engine_refuses_leaves_nothing(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(Clockwork, "before", staticmethod(clockwork.refuses))
        with pytest.raises(EngineError, match="wants none"):
            made(tmp_path, project.loading, 4)
    assert states(tmp_path) == {}

    made(tmp_path, project.loading, 4)
    assert states(tmp_path) == {"nightly": "active"}


@pytest.mark.parametrize(("lost", "has_it"), [("before", False), ("after", True)])
def test_an_answer_that_is_lost_is_told_and_the_same_again_completes_it(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: str, has_it: bool
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(Clockwork, lost, staticmethod(clockwork.unsure))
        with pytest.raises(EngineUnsure) as caught:
            made(tmp_path, project.loading, 4)
    assert "penstock schedule delete nightly" in str(caught.value)
    assert states(tmp_path) == {"nightly": "active" if has_it else "unfinished"}

    made(tmp_path, project.loading, 4)
    assert len(engine(tmp_path).known) == 1
    assert written(tmp_path)["remote_id"] == "recurring-0"


def _dying(folder: Path, when: str) -> None:
    """In a process of its own."""
    setattr(Clockwork, when, staticmethod(clockwork.dies))
    made(folder, __import__("project").loading, 4)


@pytest.mark.parametrize(("when", "state"), [("before", "unfinished"), ("after", "active")])
@pytest.mark.parametrize("then", ["create", "delete"])
def test_whoever_makes_one_may_be_killed(
    project: Any, tmp_path: Path, when: str, state: str, then: str
) -> None:
    process = multiprocessing.get_context("fork").Process(target=_dying, args=(tmp_path, when))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert states(tmp_path) == {"nightly": state}

    if then == "create":
        made(tmp_path, project.loading, 4)
        assert states(tmp_path) == {"nightly": "active"}
        assert len(engine(tmp_path).known) == 1
    else:
        of(tmp_path).delete("nightly")
        assert states(tmp_path) == {}
        assert not engine(tmp_path).known


def test_what_was_begun_as_something_else_is_not_completed(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(Clockwork, "after", staticmethod(clockwork.unsure))
        with pytest.raises(EngineUnsure):
            made(tmp_path, project.loading, 4)
    for args, how in (((5,), {}), ((4,), {"timing": Timing(every=60)}), ((4,), {"at_once": 2})):
        with pytest.raises(NameTaken, match="schedule delete nightly"):
            made(tmp_path, project.loading, *args, **how)
    assert len(engine(tmp_path).known) == 1

    of(tmp_path).delete("nightly")
    made(tmp_path, project.loading, 5)
    assert written(tmp_path)["parameters"] == {"count": "5"}


def test_what_somebody_else_is_making_just_now_is_left_to_them(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as changed:
        changed.setattr(Clockwork, "before", staticmethod(clockwork.unsure))
        with pytest.raises(EngineUnsure):
            made(tmp_path, project.loading, 4)
    away = {"machine": "another", "user": "ann", "host": "laptop", "created": time.time()}
    for process in ({"process": 1, "process_started": ""}, away):
        change(tmp_path, **process)
        with pytest.raises(NameTaken, match=r"being made just now, by .* on "):
            made(tmp_path, project.loading, 4)
    assert not engine(tmp_path).known

    change(tmp_path, created=time.time() - 600)
    made(tmp_path, project.loading, 4)
    assert states(tmp_path) == {"nightly": "active"}


def test_pause_and_resume_are_the_engines(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    for _ in range(2):
        of(tmp_path).pause("nightly")
        assert states(tmp_path) == {"nightly": "paused"}
        (paused,) = of(tmp_path).all(print)
        assert paused.next is None
    for _ in range(2):
        of(tmp_path).resume("nightly")
        assert states(tmp_path) == {"nightly": "active"}
    (active,) = of(tmp_path).all(print)
    assert active.next is not None
    assert (active.next.hour, active.next.minute) == (6, 0)
    assert 0 < active.next.timestamp() - time.time() <= DAY


def test_one_that_is_gone_from_the_engine_is_said_to_be(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    engine(tmp_path).delete_schedule("recurring-0")

    assert states(tmp_path) == {"nightly": "gone"}
    with pytest.raises(NotFound, match="somebody has deleted it there"):
        of(tmp_path).pause("nightly")
    of(tmp_path).delete("nightly")
    assert states(tmp_path) == {}


def test_what_somebody_has_written_there_deletes_nothing_of_others(
    project: Any, tmp_path: Path
) -> None:
    made(tmp_path, project.loading, 4, name="theirs")
    made(tmp_path, project.loading, 4)
    change(tmp_path, remote_id="recurring-0")

    assert states(tmp_path) == {"nightly": "gone", "theirs": "active"}
    of(tmp_path).delete("nightly")
    assert engine(tmp_path).known.keys() == {"recurring-0", "recurring-1"}


def test_an_engine_that_does_not_answer_is_told_once(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    made(tmp_path, project.loading, 4, name="hourly", timing=Timing(cron="0 * * * *"))
    Path(engine(tmp_path).place).with_suffix(".down").touch()
    told: list[str] = []

    assert [each.state for each in of(tmp_path).all(told.append)] == ["unknown"] * 2
    assert told == ["The engine does not answer."]
    with pytest.raises(EngineError):
        of(tmp_path).delete("nightly")
    of(tmp_path).forget("nightly")
    assert [each.record.name for each in of(tmp_path).all(told.append)] == ["hourly"]


def test_where_no_stack_has_its_engine_any_more_one_can_still_forget_it(
    project: Any, tmp_path: Path
) -> None:
    made(tmp_path, project.loading, 4)
    change(tmp_path, orchestrator="another", stack="old")
    with pytest.raises(CannotRun, match="of the stack 'old'"):
        of(tmp_path).delete("nightly")
    of(tmp_path).forget("nightly")
    assert states(tmp_path) == {}


def test_what_is_not_there_is_not_found(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    for act in ("pause", "resume", "delete", "forget"):
        with pytest.raises(NotFound, match="'nightly'"):
            getattr(of(tmp_path), act)("nightl")
        with pytest.raises(NotFound):
            getattr(of(tmp_path), act)("../runs")


def test_an_orchestrator_without_schedules_says_which_have_some(
    project: Any, tmp_path: Path
) -> None:
    chosen = project.loading.on(pods.stack_in(tmp_path))
    with pytest.raises(CannotRun, match=r"has no schedules\. Stacks whose orchestrators have"):
        create(wanted(chosen, (4,), {}), "nightly", DAILY)
    with pytest.raises(BadConfiguration, match="at least one"):
        made(tmp_path, project.loading, 4, at_once=0)


@pytest.mark.parametrize("spoilt", [False, True])
def test_nothing_that_a_schedule_needs_is_cleaned_away(
    project: Any, tmp_path: Path, spoilt: bool
) -> None:
    made(tmp_path, project.loading, 4)
    of(tmp_path).pause("nightly")
    _pass(tmp_path, 400)
    if spoilt:
        file = tmp_path / "store/schedules/nightly"
        file.write_text(file.read_text().replace('"user"', '"usr"'))
        _pass(tmp_path, 1)
    found = Client(clockwork.stack_in(tmp_path)).gc(
        delete=True, grace=0, keep_runs=0, keep_cache=0, keep_compiled=0
    )
    assert found.kinds["compiled pipelines"].kept.count == 1
    assert not found.foreign
    of_engine = engine(tmp_path)
    of_engine.resume_schedule("recurring-0")
    job = of_engine.fired(tmp_path, "nightly")
    job.pod("load")
    assert job.records.status is Status.COMPLETED


def test_what_a_schedule_needed_goes_when_it_is_deleted(project: Any, tmp_path: Path) -> None:
    made(tmp_path, project.loading, 4)
    of(tmp_path).delete("nightly")
    _pass(tmp_path, 400)
    found = Client(clockwork.stack_in(tmp_path)).gc(delete=True, keep_runs=0)
    assert found.kinds["compiled pipelines"].gone.count == 1
    assert not list((tmp_path / "store/objects").rglob("*/*"))


def _pass(folder: Path, days: int) -> None:
    """Let all that is in the store be so much older."""
    for file in (folder / "store").rglob("*"):
        if file.is_file():
            then = file.stat().st_mtime - days * DAY
            os.utime(file, (then, then))


# What is written


DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
TEXTS = st.text(max_size=20)
NAMES = st.from_regex(ALLOWED, fullmatch=True)
RECORDS = st.builds(
    ScheduleRecord, name=NAMES, mark=TEXTS, pipeline=TEXTS, reference=TEXTS,
    parameters=st.dictionaries(TEXTS, TEXTS, max_size=3), stack=TEXTS, orchestrator=TEXTS,
    cron=st.just("0 6 * * *"), every=st.just(0), at_once=st.integers(1, 9), plan=DIGESTS,
    record=DIGESTS, code=st.just("") | DIGESTS, user=TEXTS, host=TEXTS, machine=TEXTS,
    process=st.integers(0, 2**31), process_started=TEXTS, created=st.floats(0, 2**40),
    remote_id=st.none() | TEXTS, url=st.none() | TEXTS,
)  # fmt: skip


def memory() -> ArtifactStore:
    return MemoryArtifactStore(path=f"memory-{uuid.uuid4()}")


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: ScheduleRecord) -> None:
    store = memory()
    records.write(store, record, exclusive=True)

    assert records.find(store, record.name) == record
    assert list(records.names(store)) == [record.name]
    with pytest.raises(KeyTaken):
        records.write(store, record, exclusive=True)
    records.write(store, replace(record, remote_id="id"))
    assert records.find(store, record.name).remote_id == "id"


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda one: st.lists(one) | st.dictionaries(TEXTS, one),
    max_leaves=5,
)  # fmt: skip


@given(RECORDS, st.sampled_from([*ScheduleRecord.__slots__]), JSON, st.booleans())
def test_what_anybody_may_have_written_is_a_record_or_corrupt(
    record: ScheduleRecord, field: str, value: Any, is_whole: bool
) -> None:
    store = memory()
    records.write(store, record)
    data = json.loads(bytes(store.get(records.key(record.name))))
    said = {**data, field: value} if is_whole else value
    store.put(records.key(record.name), [json.JSONEncoder().encode(said).encode()])
    try:
        found = records.find(store, record.name)
    except CorruptArtifact:
        return
    assert found.name == record.name
    assert found.timing.cron or found.timing.every > 0
