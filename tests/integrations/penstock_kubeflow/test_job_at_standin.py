"""A job at the stand-in of Kubeflow: handed over, watched and ended over real HTTP, by a server
that knows what the real one would refuse."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from drawn_jobs import Drawn, job
from large_graphs import hello
from standins import Hatchery, Standin

from penstock.errors import BadConfiguration, EngineUnsure
from penstock.model.records import Status
from penstock.stack.engine import Seen
from penstock.stack.orchestrator import Submitted
from penstock_kubeflow import KubeflowOrchestrator, api, asking, details, submitting

RUN = "20261122-005412-k3fq-7f3a"
WAITS = ["sh", "-c", "sleep 60"]
"""What pods do in place of their own work; the rest is told to it, and of no interest."""
WORKS = ["true"]


class Silent:
    def step_started(self, call: Any) -> None: ...
    def step_finished(self, run: Any) -> None: ...
    def note(self, message: str) -> None: ...


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAUSES", (0.02, 0.02))
    monkeypatch.setattr(submitting, "PAUSES", (0.02,) * 4)


def orchestrator(standin: Standin, **options: Any) -> KubeflowOrchestrator:
    return KubeflowOrchestrator(**{"image": "a", "host": standin.url, "name": "kf", **options})


def drawn() -> Drawn:
    made = job(hello.graph())
    return replace(made, plan=replace(made.plan, run=RUN))


def submitted(standin: Standin, starter: list[str] = WAITS, **options: Any) -> Submitted:
    standin.set(starter=starter)
    return orchestrator(standin, **options).submit(drawn(), Silent())


def seen(standin: Standin, remote_id: str | None, fits: Callable[[Seen], bool]) -> Seen:
    """What is said of it once it is so."""
    deadline = time.monotonic() + 30
    while True:
        found = orchestrator(standin).seen(RUN, remote_id)
        assert found is not None
        if fits(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def runs(found: Seen) -> bool:
    return found.status is Status.RUNNING


def is_over(found: Seen) -> bool:
    return found.is_over


def posts(standin: Standin) -> int:
    return sum(each["path"].endswith("/runs") for each in standin.requests())


def test_what_is_handed_over_is_carried_out(standin: Standin) -> None:
    taken = submitted(standin, WORKS, experiment="research", service_account="team")
    (row,) = standin.runs()
    assert taken == Submitted(row["id"], f"{standin.url}/#/runs/details/{row['id']}")
    assert (row["display_name"], row["service_account"]) == (f"hello {RUN}", "team")
    assert row["runtime_config"] == {"parameters": {"run": RUN}}
    found = seen(standin, None, is_over)
    assert (found.remote_id, found.status) == (taken.remote_id, Status.COMPLETED)
    assert found == seen(standin, taken.remote_id, is_over)


@pytest.mark.parametrize("kind", ["cut", "commit-then-cut", "half", "commit-then-500", 503, 500])
def test_it_is_handed_over_once_whatever_is_answered(standin: Standin, kind: Any) -> None:
    standin.fault("POST .*/runs$", kind)
    taken = submitted(standin, WORKS)
    assert [row["id"] for row in standin.runs()] == [taken.remote_id]


def test_a_server_that_hangs_is_left_alone_after_a_while(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    standin.fault("POST .*/runs$", "commit-then-hang")
    assert submitted(standin, WORKS).remote_id == standin.runs()[0]["id"]
    assert posts(standin) == 1


def test_a_server_that_starts_again_has_what_it_was_given(standin: Standin) -> None:
    taken = submitted(standin)
    standin.restart()
    seen(standin, taken.remote_id, runs)
    orchestrator(standin).cancel(taken.remote_id)


def test_it_is_unknown_while_nobody_answers(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "PATIENCE", 0.1)
    standin.fault("POST .*/runs$", "commit-then-cut")
    standin.fault(r"GET .*/runs\?", 503, times=99)
    with pytest.raises(EngineUnsure):
        submitted(standin, WORKS)
    standin.mend()
    assert seen(standin, None, is_over).status is Status.COMPLETED


def test_a_pod_that_is_killed_has_run_out_of_memory(standin: Standin) -> None:
    taken = submitted(standin)
    seen(standin, taken.remote_id, runs)
    os.killpg(pod(standin, taken.remote_id), signal.SIGKILL)
    found = seen(standin, taken.remote_id, is_over)
    assert (found.status, found.word) == (Status.FAILED, "FAILED")
    assert found.calls == {"load": "OOMKilled (exit code 137)"}


def test_without_the_older_api_it_is_still_known_which_step(standin: Standin) -> None:
    standin.set(v1beta1=False)
    taken = submitted(standin, ["false"])
    found = seen(standin, taken.remote_id, is_over)
    assert found.calls == {"load": "its pod has failed"}


def test_an_image_that_cannot_be_pulled_is_told_while_it_waits(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "LONG", 0.0)
    standin.set(unpullable=["a"])
    taken = submitted(standin)
    found = seen(standin, taken.remote_id, lambda found: bool(found.calls))
    assert not found.is_over
    assert found.calls["load"].startswith("ImagePullBackOff: ")


@pytest.mark.parametrize(
    ("word", "shows"), [("FAILED", True), ("FAILED", False), ("CANCELED", True)]
)
def test_what_is_ended_there_is_stopped(standin: Standin, word: str, shows: bool) -> None:
    standin.set(ended_word=word, shows_canceling=shows)
    taken = submitted(standin)
    seen(standin, taken.remote_id, runs)
    pod(standin, taken.remote_id)
    kubeflow = orchestrator(standin)
    kubeflow.cancel(taken.remote_id)
    kubeflow.cancel(taken.remote_id)
    found = seen(standin, taken.remote_id, is_over)
    assert (found.status, found.word) == (Status.STOPPED, word)
    kubeflow.cancel(taken.remote_id)


def test_what_is_deleted_there_is_gone(standin: Standin) -> None:
    taken = submitted(standin, WORKS)
    kubeflow = orchestrator(standin)
    api.Api(kubeflow).delete(f"runs/{taken.remote_id}")
    assert kubeflow.seen(RUN, taken.remote_id) is None
    assert kubeflow.seen(RUN) is None
    kubeflow.cancel(taken.remote_id)


def test_several_users_have_namespaces(hatchery: Hatchery, tmp_path: Path) -> None:
    options = {"multi_user": True, "namespaces": ["team-a"], "token": "abc"}
    with hatchery.standin(tmp_path / "kubeflow", **options) as standin:
        ours = {"token": "abc", "namespace": "team-a"}
        taken = submitted(standin, WORKS, **ours)
        submitted(standin, WORKS, **ours, experiment="50% + more é")
        submitted(standin, WORKS, **ours, experiment="50% + more é")
        first, *others = (row["experiment_id"] for row in standin.runs())
        assert len({*others}) == 1
        assert first not in others
        found = orchestrator(standin, **ours).seen(RUN)
        assert found is not None
        assert found.remote_id == taken.remote_id
        with pytest.raises(BadConfiguration, match="team-b"):
            submitted(standin, WORKS, token="abc", namespace="team-b")
        with pytest.raises(BadConfiguration, match="token"):
            submitted(standin, WORKS, token="old", namespace="team-a")
        assert len(standin.runs()) == 3


def pod(standin: Standin, run: str) -> int:
    """The process of one that runs."""
    deadline = time.monotonic() + 30
    while not (found := standin.pods(run)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return next(iter(found.values()))
