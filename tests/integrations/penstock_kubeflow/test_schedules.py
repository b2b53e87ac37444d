"""Schedules on Kubeflow: what it is handed, once whatever becomes of the answer, and what it
does."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from drawn_jobs import job
from engine import IMAGE, Volume
from large_graphs import hello
from small_projects import SHAPES, imported
from standins import Hatchery, Standin

from penstock.api.pipeline import wanted
from penstock.client import Client
from penstock.errors import (
    BadConfiguration,
    EngineError,
    EngineUnsure,
    NameTaken,
    NotFound,
    PenstockError,
)
from penstock.model.records import Status
from penstock.runtime.scheduling.engines import Engines
from penstock.runtime.scheduling.known import Schedulings
from penstock.runtime.scheduling.making import create
from penstock.stack.engine import Schedule, Schedules, Timing
from penstock.stack.stack import Stack
from penstock_kubeflow import KubeflowOrchestrator, api, scheduling

DAILY = Timing(cron="0 6 * * MON-FRI")
MARK = "0123456789abcdef"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(scheduling, "PAUSES", (0.01,) * 4)


def kubeflow(standin: Standin, **options: Any) -> KubeflowOrchestrator:
    return KubeflowOrchestrator(**{"image": IMAGE, "host": standin.url, "name": "kf", **options})


def made(
    standin: Standin, name: str = "nightly", timing: Timing = DAILY, at_once: int = 1,
    mark: str = MARK, **options: Any,
) -> Schedule:  # fmt: skip
    there = kubeflow(standin, **options)
    return there.schedule(job(hello.graph()), name, timing, at_once=at_once, mark=mark)


def rows(standin: Standin) -> list[dict[str, Any]]:
    """All recurring runs that the server has, as they were handed over."""
    files = (standin.folder / "recurring").glob("*.json")
    return [json.loads(file.read_text()) for file in files]


def posts(standin: Standin) -> list[str]:
    return [each["path"] for each in standin.requests() if each["method"] == "POST"]


def test_kubeflow_is_an_engine_with_schedules() -> None:
    assert isinstance(KubeflowOrchestrator(image="a"), Schedules)


def test_one_is_handed_over_with_all_that_it_is_told(standin: Standin) -> None:
    found = made(standin, at_once=3, service_account="team")
    (row,) = rows(standin)

    assert found == kubeflow(standin).schedules()[0]
    assert found.remote_id == row["id"]
    assert (found.name, found.timing, found.is_active, found.mark) == ("nightly", DAILY, True, MARK)
    assert found.url == f"{standin.url}/#/recurringrun/details/{row['id']}"
    assert row["trigger"] == {"cron_schedule": {"cron": "0 0 6 * * MON-FRI"}}
    assert (row["max_concurrency"], row["no_catchup"], row["mode"]) == ("3", True, "ENABLE")
    assert row["runtime_config"] == {"parameters": {"run": "new"}}
    assert row["service_account"] == "team"
    assert "namespace" not in posts(standin)[0]


def test_an_interval_is_seconds(standin: Standin) -> None:
    assert made(standin, timing=Timing(every=90)).timing == Timing(every=90)
    (row,) = rows(standin)
    assert row["trigger"] == {"periodic_schedule": {"interval_second": "90"}}


def test_it_belongs_to_the_experiment_of_runs_which_is_made_if_it_is_missing(
    hatchery: Hatchery, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"multi_user": True, "namespaces": ["team-a"], "token": "T"}
    with hatchery.standin(tmp_path / "s", **options) as standin:
        mine = {"token": "T", "namespace": "team-a", "experiment": "nights"}
        made(standin, **mine)
        made(standin, name="other", mark="2" * 16, **mine)
        one, other = rows(standin)
        assert one["experiment_id"] == other["experiment_id"]
        assert [each.name for each in kubeflow(standin, **mine).schedules()] == ["nightly", "other"]
        with pytest.raises(BadConfiguration, match="team-b"):
            made(standin, **mine | {"namespace": "team-b"})
        with pytest.raises(BadConfiguration, match="token"):
            kubeflow(standin, **mine | {"token": "old"}).schedules()
        assert len(rows(standin)) == 2


def test_the_same_again_is_the_same_and_of_another_the_name_is_taken(standin: Standin) -> None:
    first = made(standin)
    assert made(standin) == first
    with pytest.raises(NameTaken, match="another schedule 'nightly' already"):
        made(standin, mark="f" * 16)
    made(standin, mark="f" * 16, experiment="of others")

    assert len(rows(standin)) == 2


@pytest.mark.parametrize(
    "kind", ["commit-then-cut", "commit-then-500", "commit-then-503", "half", "cut", 500, 503]
)
def test_whatever_becomes_of_the_answer_it_is_there_once(standin: Standin, kind: str | int) -> None:
    standin.fault(r"POST .*/recurringruns$", kind)
    found = made(standin)

    (row,) = rows(standin)
    assert (found.remote_id, found.mark) == (row["id"], MARK)
    assert len(posts(standin)) == (2 if kind in ("cut", 500, 503) else 1)


def test_what_is_taken_twice_is_there_once_in_the_end(standin: Standin) -> None:
    """The looks between two requests are answered as if the first were not there."""
    standin.fault(r"POST .*/recurringruns$", "commit-then-cut")
    there = scheduling._Scheduling._looked
    looks: list[Any] = []

    class Blind(scheduling._Scheduling):
        def _looked(self, lost: Any) -> Any:
            looks.append(lost)
            return () if len(looks) == 1 else there(self, lost)

    kf = kubeflow(standin)
    made_of = scheduling.compiling.compile(job(hello.graph()), kf)
    body = scheduling.request(made_of, "nightly", DAILY, 1, MARK)
    found = Blind(api.Api(kf), kf, body, MARK).made()

    assert len(posts(standin)) == 2
    (row,) = rows(standin)
    assert found.remote_id == row["id"]


def test_the_harness_sees_what_is_handed_over_twice(standin: Standin) -> None:
    kf = kubeflow(standin)
    made_of = scheduling.compiling.compile(job(hello.graph()), kf)
    body = scheduling.request(made_of, "nightly", DAILY, 1, MARK)
    for _ in range(2):
        api.Api(kf).post("recurringruns", body)
    assert len(rows(standin)) == 2
    standin.fault(r"DELETE ", 403)
    with pytest.raises(EngineUnsure, match="twice, and did not let one of them be deleted"):
        made(standin)
    assert made(standin).mark == MARK  # which takes one of them away
    assert len(rows(standin)) == 1


def test_where_nobody_can_look_it_is_not_known(standin: Standin) -> None:
    standin.fault(r"POST .*/recurringruns$", "commit-then-cut")
    standin.fault(r"GET .*/recurringruns\?", 503, times=99, after=1)
    with pytest.raises(EngineUnsure, match="not known whether 'kf' has made the schedule"):
        made(standin)

    standin.mend()
    assert made(standin).remote_id == rows(standin)[0]["id"]


@pytest.mark.parametrize(
    ("kind", "error", "says"),
    [
        (401, BadConfiguration, "make the schedule|look up"),
        (403, BadConfiguration, "Cannot make"),
        ("html", BadConfiguration, "Cannot make"),
        ("redirect", BadConfiguration, "Cannot make"),
    ],
)
def test_what_is_refused_is_one_message_and_leaves_nothing(
    standin: Standin, kind: str | int, error: type[PenstockError], says: str
) -> None:
    standin.fault(r"POST .*/recurringruns$", kind, times=99)
    with pytest.raises(error, match=says) as caught:
        made(standin)

    assert not isinstance(caught.value, EngineUnsure)
    assert caught.value.exit_code in (3, 5)
    assert not rows(standin)


def test_what_is_too_large_is_refused_at_once(standin: Standin) -> None:
    standin.set(size_limit=100)
    with pytest.raises(EngineError, match="too large") as caught:
        made(standin)

    assert not isinstance(caught.value, EngineUnsure)
    assert len(posts(standin)) == 1
    assert not rows(standin)


def test_a_host_that_is_not_there_is_told(standin: Standin) -> None:
    standin.kill()
    with pytest.raises(EngineError) as caught:
        made(standin)
    assert not isinstance(caught.value, EngineUnsure)
    assert caught.value.exit_code == 5
    standin.start()


def test_what_kubeflow_would_stumble_over_is_said_before(standin: Standin) -> None:
    with pytest.raises(BadConfiguration, match="at most 10 runs"):
        made(standin, at_once=11)
    with pytest.raises(BadConfiguration, match="has to begin with") as caught:
        made(standin, name="_-nightly")
    assert caught.value.hint == "Write --name nightly"
    assert standin.requests() == []


def test_it_is_paused_resumed_and_deleted(standin: Standin) -> None:
    there = kubeflow(standin)
    id_ = made(standin).remote_id
    for act, active in ((there.pause_schedule, False), (there.resume_schedule, True)):
        for _ in range(2):
            act(id_)
            assert [each.is_active for each in there.schedules()] == [active]
    for _ in range(2):
        there.delete_schedule(id_)
        assert there.schedules() == []
    for act in (there.pause_schedule, there.resume_schedule):
        with pytest.raises(NotFound, match=r"no schedule .* any more"):
            act(id_)


def test_a_moment_is_waited_out_and_no_api_is_not_gone(standin: Standin) -> None:
    there = kubeflow(standin)
    id_ = made(standin).remote_id
    standin.fault(r":disable$", 503)
    there.pause_schedule(id_)
    standin.fault(r"DELETE ", "cut")
    there.delete_schedule(id_)
    assert rows(standin) == []
    for act in (there.pause_schedule, there.delete_schedule):
        standin.fault(r".*", 404, times=99)
        with pytest.raises(PenstockError) as caught:
            act(id_)
        assert not isinstance(caught.value, NotFound)
        standin.mend()


def test_all_are_listed_however_many_and_nothing_of_others(standin: Standin) -> None:
    made(standin)
    (row,) = rows(standin)
    folder = standin.folder / "recurring"
    for number in range(45):
        said = f"Made by penstock, mark {number:016x}: penstock schedule list"
        more = {"display_name": f"s{number}", "created_at": row["created_at"] + number + 1}
        copy = {**row, **more, "id": f"id-{number}", "description": said}
        if number % 9 == 0:
            copy["description"] = "of others"
        (folder / f"id-{number}.json").write_text(json.JSONEncoder().encode(copy))
    standin.restart()
    found = kubeflow(standin).schedules()

    assert len(found) == 1 + 40
    assert len({each.mark for each in found}) == 41
    gets = [each for each in standin.requests() if "/recurringruns?" in each["path"]]
    assert len(gets) == 1 + 3  # made, and three pages


# From the pipeline to its runs


@pytest.fixture
def shapes(
    standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    told = tmp_path / "told"
    told.mkdir()
    standin.set(environment={"TOLD": str(told)})
    monkeypatch.setenv("TOLD", str(told))
    folder = tmp_path / "a project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with imported(folder, SHAPES, "shapes") as module:
        yield module


@pytest.fixture
def stack(standin: Standin, tmp_path: Path) -> Stack:
    store = Volume(path=str(tmp_path / "store"))
    return Stack("prod", orchestrator=kubeflow(standin), artifact_store=store)


def scheduled(stack: Stack, pipeline: Any, name: str, timing: Timing, **given: Any) -> str:
    found = create(wanted(pipeline.on(stack), (), given), name, timing)
    assert found.record.remote_id is not None
    return found.record.remote_id


def test_each_firing_is_a_run_of_its_own_and_the_next_ones_find_the_cache(
    standin: Standin, shapes: ModuleType, stack: Stack, tmp_path: Path
) -> None:
    id_ = scheduled(stack, shapes.hooked, "nightly", DAILY, count=2)
    client = Client(stack)
    for number in range(2):
        assert standin.wait(standin.fire(id_)) == 0
        assert len(client.runs()) == number + 1
    later, first = client.runs()

    assert [run.status for run in (first, later)] == [Status.COMPLETED] * 2
    assert (first.result(), later.result()) == (1, 1)
    assert first["total"].status is Status.COMPLETED
    assert later["total"].status is Status.CACHED
    assert [each.record.job for each in (first, later)] == [each["id"] for each in standin.runs()]
    told = {each.name: len(each.read_text().splitlines()) for each in tmp_path.glob("told/*")}
    assert (told["on_start"], told["on_success-completed"], told["total"]) == (2, 2, 1)


def test_a_clock_fires_it_until_it_is_paused(
    standin: Standin, shapes: ModuleType, stack: Stack
) -> None:
    scheduled(stack, shapes.choosing, "often", Timing(every=1))
    known = Schedulings(stack.artifact_store, Engines(Client(stack).registry, stack))
    until(lambda: len(standin.runs()) >= 2)
    known.pause("often")
    (paused,) = known.all(print)
    assert (paused.state, paused.record.url) == ("paused", paused.schedule and paused.schedule.url)
    time.sleep(0.3)  # one that was just due
    count = len(standin.runs())
    time.sleep(1.3)
    assert len(standin.runs()) == count
    known.delete("often")
    assert rows(standin) == []
    for run in standin.runs():
        standin.wait(run["id"])


def test_a_server_that_is_killed_while_it_is_told_has_it_once(
    standin: Standin, shapes: ModuleType, stack: Stack
) -> None:
    standin.fault(r"POST .*/recurringruns$", "commit-then-cut")
    standin.fault(r"GET .*/recurringruns\?", "cut", times=99, after=1)
    with pytest.raises(EngineUnsure) as caught:
        scheduled(stack, shapes.known, "nightly", DAILY, count=2)
    assert "penstock schedule delete nightly" in str(caught.value)
    standin.mend()
    standin.restart()

    id_ = scheduled(stack, shapes.known, "nightly", DAILY, count=2)
    assert [each["id"] for each in rows(standin)] == [id_]


def until(happens: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.02)
