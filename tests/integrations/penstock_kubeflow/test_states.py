"""States: what Kubeflow's words mean, why something failed there, and having it ended."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from drawn_jobs import job
from hosts import PAGE
from large_graphs import hello
from small_kubeflow import SmallKubeflow, deaf, lost, refusal, says

from penstock.errors import BadConfiguration, EngineError
from penstock.model.records import Status
from penstock.stack.engine import Cancels, Seen, Watches
from penstock.stack.orchestrator import NEW
from penstock_kubeflow import KubeflowOrchestrator, api, compiling, states

RUN = "20261122-005412-k3fq-7f3a"
NEVER = "0001-01-01T00:00:00Z"
SPEC = {
    "pipeline_spec": compiling.compile(
        job(hello.graph(), ends=True), KubeflowOrchestrator(image="a")
    ).spec
}
"""Of two tasks, `load` and `double`, in the DAG `steps`, and of one that ends the run."""


@pytest.fixture
def kubeflow() -> Iterator[SmallKubeflow]:
    with SmallKubeflow() as kubeflow:
        yield kubeflow


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(states, "PAUSES", (0.01,) * 3)


def orchestrator(there: SmallKubeflow, **options: Any) -> KubeflowOrchestrator:
    return KubeflowOrchestrator(**{"image": "a", "host": there.url, "name": "kf", **options})


def added(there: SmallKubeflow, state: str, *rows: Mapping[str, Any], **said: Any) -> str:
    return there.add(
        display_name=f"hello {RUN}", state=state, pipeline_spec=SPEC,
        runtime_config={"parameters": {"run": RUN}},
        run_details={"task_details": list(rows)}, **said,
    )  # fmt: skip


def seen(there: SmallKubeflow, id: str) -> Seen:
    found = orchestrator(there).seen(RUN, id)
    assert found is not None
    return found


def row(name: str, state: str, since: float = 0, **said: Any) -> dict[str, Any]:
    """A task of Kubeflow's, which began so many seconds ago."""
    moment = datetime.now(UTC) - timedelta(seconds=since)
    return {"display_name": name, "state": state, "start_time": moment.isoformat(), **said}


def node(path: str, phase: str, message: str = "", *, at: int = 0, kind: str = "Pod") -> Any:
    """One of Argo's."""
    name = f"hello-x7.root.steps.{path}" if "root" not in path else f"hello-x7.{path}"
    return {
        "name": name, "type": kind, "phase": phase, "message": message,
        "startedAt": f"2026-01-01T00:00:{at:02}Z",
    }  # fmt: skip


def manifest(*nodes: Any, phase: str = "Failed", **spec: Any) -> dict[str, Any]:
    status = {"phase": phase, "message": "child 'hello-x7-1' failed", "nodes": {}}
    status["nodes"] = {f"hello-x7-{i}": each for i, each in enumerate(nodes)}
    return {"spec": spec, "status": status}


def test_it_can_be_watched_and_things_can_be_ended_there() -> None:
    assert isinstance(KubeflowOrchestrator(), Watches)
    assert isinstance(KubeflowOrchestrator(), Cancels)


@pytest.mark.parametrize(
    ("word", "status", "is_over"),
    [
        ("PENDING", Status.PENDING, False),
        ("RUNTIME_STATE_UNSPECIFIED", Status.PENDING, False),
        (None, Status.PENDING, False),
        ("PAUSED", Status.PENDING, False),
        ("RUNNING", Status.RUNNING, False),
        ("CANCELING", Status.RUNNING, False),
        ("SUCCEEDED", Status.COMPLETED, True),
        ("SKIPPED", Status.COMPLETED, True),
        ("FAILED", Status.FAILED, True),
        ("CANCELED", Status.STOPPED, True),
        ("SOMETHING_NEW", Status.RUNNING, False),
    ],
)
def test_each_word_of_kubeflow_is_one_of_ours(
    kubeflow: SmallKubeflow, word: str, status: Status, is_over: bool
) -> None:
    id = added(kubeflow, word)
    found = seen(kubeflow, id)
    assert (found.status, found.is_over) == (status, is_over)
    assert (found.remote_id, found.url) == (id, f"{kubeflow.url}/#/runs/details/{id}")
    assert found.word == (word or "RUNTIME_STATE_UNSPECIFIED")


@pytest.mark.parametrize("word", ["PENDING", "RUNNING", "SUCCEEDED"])
def test_a_look_is_one_request_as_long_as_all_is_well(kubeflow: SmallKubeflow, word: str) -> None:
    rows = [row("load", "SUCCEEDED"), row("double", "RUNNING", 99), row("executor", "PENDING", 5)]
    id = added(kubeflow, word, *rows)
    seen(kubeflow, id)
    assert kubeflow.asked == [f"GET v2beta1/runs/{id}"]


def test_what_somebody_has_ended_is_stopped_though_its_state_says_failed(
    kubeflow: SmallKubeflow,
) -> None:
    told = added(kubeflow, "FAILED", state_history=[{"state": "CANCELING"}, {"state": "FAILED"}])
    untold = added(kubeflow, "FAILED", state_history=[{"state": "PENDING"}, {"state": "FAILED"}])
    kubeflow.manifests[untold] = manifest(activeDeadlineSeconds=0)
    assert seen(kubeflow, told).status is Status.STOPPED
    assert seen(kubeflow, untold).status is Status.STOPPED


def test_what_is_being_ended_for_ever_is_over_once_its_workflow_is(
    kubeflow: SmallKubeflow,
) -> None:
    id = added(kubeflow, "CANCELING")
    kubeflow.manifests[id] = manifest(phase="Running")
    assert not seen(kubeflow, id).is_over
    kubeflow.manifests[id] = manifest(phase="Failed")
    assert seen(kubeflow, id).status is Status.STOPPED


def test_a_failed_step_has_the_reason_of_its_pod(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "FAILED", row("hello-x7", "FAILED"), row("load", "FAILED"))
    kubeflow.manifests[id] = manifest(
        node("root-driver", "Succeeded"),
        node("load-driver", "Succeeded"),
        node("load", "Failed", "child failed", kind="DAG"),
        node("load.executor", "Failed", "OOMKilled (exit\n code 137)"),
    )
    found = seen(kubeflow, id)
    assert (found.why, found.calls) == ("", {"load": "OOMKilled (exit code 137)"})


def test_it_says_for_which_run_it_was_submitted(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "RUNNING")
    assert seen(kubeflow, id).run == RUN
    del kubeflow.runs[id]["runtime_config"]
    assert seen(kubeflow, id).run == NEW  # as the pipeline has it
    del kubeflow.runs[id]["pipeline_spec"]
    assert seen(kubeflow, id).run == ""


def test_without_the_older_api_it_is_known_which_step_it_was(kubeflow: SmallKubeflow) -> None:
    kubeflow.has_older = False
    rows = [row("executor", "FAILED"), row("load", "FAILED"), row("steps", "FAILED")]
    found = seen(kubeflow, added(kubeflow, "FAILED", *rows))
    assert (found.why, found.calls) == ("", {"load": "its pod has failed"})


@pytest.mark.parametrize("said", [(500, ""), (200, PAGE), (200, {}), (401, ""), (403, "")])
def test_no_reason_is_no_error(kubeflow: SmallKubeflow, said: Any) -> None:
    id = added(kubeflow, "FAILED")
    kubeflow.reading = [lambda _, done: done(), *[says(*said)] * 3]
    assert seen(kubeflow, id) == Seen(
        id, RUN, Status.FAILED, "FAILED", url=f"{kubeflow.url}/#/runs/details/{id}"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": {"nodes": None}}, {"status": None, "spec": None},
        {"status": {"nodes": {"a": {"type": "Pod"}, "b": {}}}},
    ],
)  # fmt: skip
def test_neither_is_a_workflow_that_says_nothing(kubeflow: SmallKubeflow, wrong: Any) -> None:
    id = added(kubeflow, "FAILED")
    kubeflow.manifests[id] = wrong
    assert seen(kubeflow, id).calls == {}


def test_the_last_attempt_counts(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "FAILED")
    kubeflow.manifests[id] = manifest(
        node("load.executor(1)", "Succeeded", at=9),
        node("load.executor(0)", "Failed", "Error (exit code 1)", at=1),
        node("load", "Failed", "No more retries left", kind="Retry"),
        node("double.executor(0)", "Failed", "Error (exit code 1)", at=1),
        node("double.executor(1)", "Error", "pod deleted", at=2),
    )
    assert seen(kubeflow, id).calls == {"double": "pod deleted"}


def test_drivers_and_the_pod_that_ends_a_run_fail_as_well(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "FAILED")
    kubeflow.manifests[id] = manifest(
        node("load-driver", "Failed", "Error (exit code 1)"),
        node("root-driver", "Failed"),
        node("root.end.executor", "Failed", "OOMKilled (exit code 137)"),
    )
    found = seen(kubeflow, id)
    assert found.calls == {"load": "its driver: Error (exit code 1)"}
    assert found.why == "root-driver: its pod has failed; end: OOMKilled (exit code 137)"


def test_where_no_pod_says_why_the_workflow_does(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "FAILED")
    kubeflow.manifests[id] = manifest(node("load.executor", "Succeeded"))
    assert seen(kubeflow, id).why == "child 'hello-x7-1' failed"


def test_the_servers_own_error_is_told(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "RUNNING", error={"message": "Failed to parse runtime config"})
    assert seen(kubeflow, id).why == "Failed to parse runtime config"


def test_a_pod_that_waits_for_long_says_what_for(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "RUNNING", row("executor", "PENDING", 40))
    said = 'ImagePullBackOff: Back-off pulling image "a"'
    kubeflow.manifests[id] = manifest(node("load.executor", "Pending", said), phase="Running")
    found = seen(kubeflow, id)
    assert (found.status, found.calls) == (Status.RUNNING, {"load": said})


@pytest.mark.parametrize("since", [5, 40])
def test_one_that_has_never_started_waits_since_the_run_was_made(
    kubeflow: SmallKubeflow, since: float
) -> None:
    made = row("", "", since)["start_time"]
    waiting = row("executor", "PENDING") | {"start_time": NEVER, "create_time": NEVER}
    id = added(kubeflow, "RUNNING", waiting, created_at=made)
    seen(kubeflow, id)
    assert len(kubeflow.asked) == (2 if since > 30 else 1)


def test_a_step_that_has_failed_while_others_go_on_is_told(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "RUNNING", row("load", "FAILED"))
    kubeflow.manifests[id] = manifest(node("load.executor", "Failed", "Evicted"), phase="Running")
    found = seen(kubeflow, id)
    assert (found.is_over, found.calls) == (False, {"load": "Evicted"})


def test_what_was_deleted_there_is_none(kubeflow: SmallKubeflow) -> None:
    assert orchestrator(kubeflow).seen(RUN, "gone") is None
    kubeflow.reading = [says(404, {"code": 5, "message": "Not Found"})]  # in fewer words
    assert orchestrator(kubeflow).seen(RUN, "gone") is None


def test_a_host_without_the_api_is_not_taken_for_a_deleted_run(kubeflow: SmallKubeflow) -> None:
    """The planted defect: whoever takes each 404 for that would seal the run."""
    kubeflow.reading = [says(404, {"code": 5, "message": "Not Found"})] * 9
    with pytest.raises(BadConfiguration):
        orchestrator(kubeflow).seen(RUN, "there")


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        ((401, ""), BadConfiguration, 3),
        ((403, refusal(403, 7, "no")[1]), BadConfiguration, 3),
        ((200, PAGE), BadConfiguration, 3),
        ((500, refusal(500, 13, "database is locked")[1]), EngineError, 5),
        ((503, "no healthy upstream"), EngineError, 5),
    ],
)
def test_who_gets_no_answer_is_told_why(
    kubeflow: SmallKubeflow, said: Any, kind: type[Exception], code: int
) -> None:
    id = added(kubeflow, "RUNNING")
    kubeflow.reading = [says(*said)] * 9
    with pytest.raises(kind) as told:
        orchestrator(kubeflow).seen(RUN, id)
    assert getattr(told.value, "exit_code", 0) == code


def test_a_run_is_found_by_its_own_id(kubeflow: SmallKubeflow) -> None:
    kubeflow.add(display_name=f"Clone of hello {RUN}")
    assert orchestrator(kubeflow).seen(RUN) is None
    id = added(kubeflow, "RUNNING")
    added(kubeflow, "RUNNING")  # somebody has submitted it twice; the oldest counts
    found = orchestrator(kubeflow).seen(RUN)
    assert found is not None
    assert found.remote_id == id


def test_it_is_looked_for_in_the_namespace_of_the_orchestrator() -> None:
    with SmallKubeflow(multi_user=True) as kubeflow:
        id = added(kubeflow, "RUNNING")
        found = orchestrator(kubeflow, namespace="team-a").seen(RUN)
        assert found is not None
        assert found.remote_id == id
        with pytest.raises(BadConfiguration, match="team-b"):
            orchestrator(kubeflow, namespace="team-b").seen(RUN)


def test_a_run_is_ended(kubeflow: SmallKubeflow) -> None:
    id = added(kubeflow, "RUNNING")
    orchestrator(kubeflow).cancel(id)
    assert kubeflow.runs[id]["state"] == "CANCELING"
    assert kubeflow.asked == [f"POST v2beta1/runs/{id}:terminate"]


@pytest.mark.parametrize("word", ["SUCCEEDED", "FAILED", "CANCELED", "CANCELING"])
def test_what_has_ended_or_is_being_ended_stays_as_it_is(
    kubeflow: SmallKubeflow, word: str
) -> None:
    id = added(kubeflow, word)
    orchestrator(kubeflow).cancel(id)
    assert kubeflow.runs[id]["state"] == word


def test_what_is_gone_needs_no_ending(kubeflow: SmallKubeflow) -> None:
    orchestrator(kubeflow).cancel("gone")


@pytest.mark.parametrize("fault", [lost, deaf, says(500, refusal(500, 13, "conflict")[1])])
def test_having_it_ended_is_tried_again(kubeflow: SmallKubeflow, fault: Any) -> None:
    id = added(kubeflow, "RUNNING")
    kubeflow.posting = [fault, fault]
    orchestrator(kubeflow).cancel(id)
    assert kubeflow.runs[id]["state"] == "CANCELING"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ((500, refusal(500, 13, "conflict")[1]), EngineError),
        (refusal(400, 3, "no such thing"), EngineError),
        ((401, ""), BadConfiguration),
    ],
)
def test_what_cannot_be_ended_is_told(kubeflow: SmallKubeflow, said: Any, kind: Any) -> None:
    id = added(kubeflow, "RUNNING")
    kubeflow.posting = [says(*said)] * 9
    with pytest.raises(kind, match=f"Cannot end the run {id} of Kubeflow"):
        orchestrator(kubeflow).cancel(id)
