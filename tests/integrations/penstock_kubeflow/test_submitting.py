"""Submitting: what Kubeflow is handed, and that it has it once whatever becomes of the answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Timer
from time import sleep
from typing import Any

import pytest
from drawn_jobs import Drawn, job
from large_graphs import hello
from placeholders import unresolved
from small_kubeflow import Fault, SmallKubeflow, deaf, lost, refusal, says, then

from penstock.errors import BadConfiguration, CannotRun, EngineError, EngineUnsure
from penstock.stack.orchestrator import Submitted
from penstock_kubeflow import KubeflowOrchestrator, api, compiling, submitting
from penstock_kubeflow.api import Api
from penstock_kubeflow.experiments import experiment_id

RUN = "20261122-005412-k3fq-7f3a"
OTHER = "20261122-005412-k3fq-0000"
TITLE = f"hello {RUN}"

BROKEN = says(*refusal(500, 13, "InternalServerError: driver: bad connection"))
GATEWAY = says(503, "no healthy upstream")


@dataclass
class Notes:
    """An observer that keeps what it is told."""

    told: list[str] = field(default_factory=list)

    def step_started(self, call: Any) -> None: ...
    def step_finished(self, run: Any) -> None: ...
    def note(self, message: str) -> None:
        self.told.append(message)


@pytest.fixture
def kubeflow() -> Iterator[SmallKubeflow]:
    with SmallKubeflow() as kubeflow:
        yield kubeflow


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(submitting, "PAUSES", (0.01,) * 4)


def orchestrator(there: SmallKubeflow, **options: Any) -> KubeflowOrchestrator:
    return KubeflowOrchestrator(**{"image": "a", "host": there.url, "name": "kf", **options})


def drawn() -> Drawn:
    made = job(hello.graph())
    return replace(made, plan=replace(made.plan, run=RUN))


def handed(there: SmallKubeflow, notes: Notes | None = None, **options: Any) -> Submitted:
    """A run, without what costs seconds: that kfp knows it."""
    kubeflow = orchestrator(there, **options)
    asked = Api(kubeflow)
    made = compiling.compile(drawn(), kubeflow)
    body = submitting.request(made, drawn(), experiment_id(asked, kubeflow))
    return submitting.Submitting(asked, kubeflow, RUN, body, notes or Notes()).submitted()


def only(there: SmallKubeflow) -> dict[str, Any]:
    (run,) = there.runs.values()
    return run


def live(there: SmallKubeflow) -> list[str]:
    return [id for id, run in there.runs.items() if run["state"] == "PENDING"]


def test_a_run_is_handed_over_with_all_that_it_is_told(kubeflow: SmallKubeflow) -> None:
    submitted = orchestrator(kubeflow, service_account="team").submit(drawn(), Notes())
    run = only(kubeflow)
    assert submitted == Submitted(run["run_id"], f"{kubeflow.url}/#/runs/details/{run['run_id']}")
    assert run["display_name"] == TITLE
    assert run["runtime_config"] == {"parameters": {"run": RUN}}
    assert run["service_account"] == "team"
    assert "experiment_id" not in run
    assert kubeflow.asked == ["GET v2beta1/healthz", "POST v2beta1/runs"]


def test_what_is_handed_over_is_what_is_compiled(kubeflow: SmallKubeflow) -> None:
    defaults = {"labels": {"team": "a"}}
    handed(kubeflow, defaults=defaults)
    compiled = compiling.compile(drawn(), orchestrator(kubeflow, defaults=defaults))
    spec = only(kubeflow)["pipeline_spec"]
    assert spec == {"pipeline_spec": compiled.spec, "platform_spec": compiled.platform}
    assert list(unresolved(spec["pipeline_spec"], spec["platform_spec"])) == []


def test_kfp_knows_what_is_handed_over(kubeflow: SmallKubeflow) -> None:
    from kfp_server_api import V2beta1Run

    handed(kubeflow, experiment="research", service_account="team")
    given = set(only(kubeflow)) - {"state", "created_at", "run_id"}
    assert given <= set(V2beta1Run.openapi_types)


def test_an_experiment_is_made_once(kubeflow: SmallKubeflow) -> None:
    handed(kubeflow, experiment="50% + more é")
    handed(kubeflow, experiment="50% + more é")
    (id,) = kubeflow.experiments
    assert [run["experiment_id"] for run in kubeflow.runs.values()] == [id, id]
    assert kubeflow.experiments[id]["display_name"] == "50% + more é"


def test_one_that_somebody_makes_at_the_same_moment_is_theirs(kubeflow: SmallKubeflow) -> None:
    def theirs(there: SmallKubeflow, done: Any) -> Any:
        done()
        return done()

    kubeflow.posting = [theirs]
    handed(kubeflow, experiment="Research")
    assert only(kubeflow)["experiment_id"] == "experiment-0"


def test_one_of_other_letters_is_taken_where_the_server_knows_no_difference(
    kubeflow: SmallKubeflow,
) -> None:
    kubeflow.experiments["a"] = {"experiment_id": "a", "display_name": "research"}
    handed(kubeflow, experiment="Research")
    assert only(kubeflow)["experiment_id"] == "a"


def test_the_answer_about_an_experiment_may_be_lost(kubeflow: SmallKubeflow) -> None:
    kubeflow.posting = [lost]
    handed(kubeflow, experiment="research")
    assert only(kubeflow)["experiment_id"] == "experiment-0"


def test_an_archived_experiment_is_told_before_anything_is_handed_over(
    kubeflow: SmallKubeflow,
) -> None:
    old = {"experiment_id": "a", "display_name": "old", "storage_state": "ARCHIVED"}
    kubeflow.experiments["a"] = old
    with pytest.raises(BadConfiguration, match="'old'"):
        handed(kubeflow, experiment="old")
    assert not kubeflow.runs


def test_a_server_of_several_users_has_a_default_in_each_namespace() -> None:
    with SmallKubeflow(multi_user=True) as kubeflow:
        handed(kubeflow, namespace="team-a")
        assert list(kubeflow.experiments.values()) == [
            {
                "experiment_id": "experiment-0", "storage_state": "AVAILABLE",
                "display_name": "Default", "namespace": "team-a",
            }
        ]  # fmt: skip


@pytest.mark.parametrize("experiment", [None, "research"])
def test_a_namespace_that_is_not_ones_own_is_told(experiment: str | None) -> None:
    with (
        SmallKubeflow(multi_user=True) as kubeflow,
        pytest.raises(BadConfiguration, match="team-b") as told,
    ):
        handed(kubeflow, namespace="team-b", experiment=experiment)
    assert told.value.exit_code == 3
    assert not kubeflow.runs


def test_so_is_one_that_kubernetes_does_not_have(kubeflow: SmallKubeflow) -> None:
    said = 'InternalServerError: Failed to create a workflow: namespaces "kubeflow" not found'
    kubeflow.posting = [says(*refusal(500, 13, said))]
    with pytest.raises(BadConfiguration, match="no namespace 'kubeflow'"):
        handed(kubeflow)
    assert kubeflow.asked.count("POST v2beta1/runs") == 1


@pytest.mark.parametrize("fault", [lost, then(lost, GATEWAY), then(lost, says(200, ""), lost)])
def test_a_lost_answer_is_looked_up_before_anything_is_repeated(
    kubeflow: SmallKubeflow, fault: Fault
) -> None:
    notes = Notes()
    kubeflow.posting = [fault]
    submitted = handed(kubeflow, notes)
    assert submitted.remote_id == only(kubeflow)["run_id"]
    assert kubeflow.asked.count("POST v2beta1/runs") == 1
    assert "looking whether it has run" in notes.told[0]


@pytest.mark.parametrize("fault", [deaf, BROKEN, GATEWAY])
def test_what_never_arrived_is_handed_over_once_more(kubeflow: SmallKubeflow, fault: Fault) -> None:
    kubeflow.posting = [fault]
    notes = Notes()
    assert handed(kubeflow, notes).remote_id == only(kubeflow)["run_id"]
    assert notes.told[1:] == [f"kf has no run {RUN}: submitting it once more"]


def test_what_a_slow_server_takes_late_is_waited_for(
    kubeflow: SmallKubeflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is still at it when nothing is found for the first time."""
    monkeypatch.setattr(submitting, "SLOW", 0.1)
    monkeypatch.setattr(submitting, "LATER", (0.2, 0.4))

    def slow(there: SmallKubeflow, done: Any) -> None:
        Timer(0.4, done).start()
        sleep(0.2)

    kubeflow.posting = [slow]
    assert handed(kubeflow).remote_id == only(kubeflow)["run_id"]
    assert kubeflow.asked.count("POST v2beta1/runs") == 1


def test_an_answer_without_an_id_is_as_good_as_none(kubeflow: SmallKubeflow) -> None:
    kubeflow.posting = [says(200, {})]
    assert handed(kubeflow).remote_id == only(kubeflow)["run_id"]


@pytest.mark.parametrize("second", [[], [lost]])
def test_what_was_taken_twice_is_ended_but_for_the_oldest(
    kubeflow: SmallKubeflow, second: list[Fault]
) -> None:
    """The first comes to light only after it was handed over once more."""

    def late(there: SmallKubeflow, done: Any) -> None:
        empty = says(200, {})
        there.reading += [empty] * 4
        done()

    kubeflow.posting = [late, *second]
    notes = Notes()
    submitted = handed(kubeflow, notes)
    first, other = kubeflow.runs
    assert (submitted.remote_id, live(kubeflow)) == (first, [first])
    assert notes.told[-1] == f"kf has taken run {RUN} twice: {other} is ended"


def test_it_counts_though_nobody_can_look_whether_there_are_two(
    kubeflow: SmallKubeflow,
) -> None:
    def then_broken(there: SmallKubeflow, done: Any) -> Any:
        there.reading += [GATEWAY] * 3
        return done()

    kubeflow.posting = [deaf, then_broken]
    notes = Notes()
    assert handed(kubeflow, notes).remote_id == only(kubeflow)["run_id"]
    assert notes.told[-1].startswith(f"it is not known whether run {RUN} was taken twice: ")


def test_one_that_is_not_listed_yet_is_the_younger(kubeflow: SmallKubeflow) -> None:
    first = kubeflow.add(display_name=TITLE)

    def unlisted(there: SmallKubeflow, done: Any) -> Any:
        there.reading += [says(200, {"runs": [there.runs[first]]})]
        return done()

    kubeflow.posting = [deaf, unlisted]
    kubeflow.reading = [lambda _, done: done(), *[says(200, {})] * 4]
    assert handed(kubeflow).remote_id == first
    assert live(kubeflow) == [first]


def test_what_cannot_be_ended_is_told(kubeflow: SmallKubeflow) -> None:
    def late(there: SmallKubeflow, done: Any) -> None:
        there.reading += [says(200, {})] * 4
        done()

    kubeflow.posting = [late, lost, says(401, "")]
    notes = Notes()
    handed(kubeflow, notes)
    first, other = kubeflow.runs
    said = f"kf has taken run {RUN} twice: {other} has to be ended on its page. Cannot end"
    assert notes.told[-1].startswith(said)
    assert live(kubeflow) == [first, other]


def test_runs_of_others_and_clones_are_not_taken_for_it(kubeflow: SmallKubeflow) -> None:
    for name in (f"Clone of {TITLE}", f"hello {OTHER}", f"Hello {RUN}"):
        kubeflow.add(display_name=name)
    kubeflow.posting = [lost]
    assert handed(kubeflow).remote_id == list(kubeflow.runs)[-1]
    assert len(live(kubeflow)) == 4


def test_it_is_unknown_if_nobody_can_look(
    kubeflow: SmallKubeflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submitting, "PATIENCE", 0.1)
    kubeflow.posting = [then(lost, *[GATEWAY] * 50)]
    with pytest.raises(EngineUnsure, match=f"not known whether 'kf' has taken run {RUN}") as told:
        handed(kubeflow)
    assert told.value.hint == f"Type: penstock run watch {RUN}"
    assert len(kubeflow.runs) == 1


def test_it_is_unknown_if_one_is_let_in_no_more(kubeflow: SmallKubeflow) -> None:
    kubeflow.posting = [then(lost, *[says(401, "")] * 4)]
    with pytest.raises(EngineUnsure, match=r"gives no answer .*, and then: Cannot look up 'hello"):
        handed(kubeflow)


def test_it_is_unknown_if_nothing_was_said_twice(kubeflow: SmallKubeflow) -> None:
    kubeflow.posting = [deaf, GATEWAY]
    with pytest.raises(EngineUnsure, match="answers 503"):
        handed(kubeflow)
    assert kubeflow.asked.count("POST v2beta1/runs") == 2


def test_it_is_known_if_the_api_has_said_twice_that_it_failed(kubeflow: SmallKubeflow) -> None:
    kubeflow.posting = [BROKEN, BROKEN]
    with pytest.raises(EngineError, match="bad connection") as told:
        handed(kubeflow)
    assert not isinstance(told.value, EngineUnsure)


@pytest.mark.parametrize(
    "said",
    [
        refusal(400, 3, "invalid pipeline job inputs: parameter x is not optional"),
        refusal(409, 10, "BadRequestError: no"),
        refusal(500, 13, "InternalServerError: unknown template format: pipeline spec is invalid"),
        refusal(500, 13, 'workflows is forbidden: exceeded quota: "team"'),
    ],
)
def test_what_is_refused_for_good_is_not_repeated(kubeflow: SmallKubeflow, said: Any) -> None:
    kubeflow.posting = [says(*said)]
    with pytest.raises(EngineError) as told:
        handed(kubeflow)
    assert told.value.exit_code == 5
    assert told.value.message.startswith(f"Cannot submit run {RUN}: ")
    assert kubeflow.asked.count("POST v2beta1/runs") == 1
    assert not isinstance(told.value, EngineUnsure)


@pytest.mark.parametrize(
    "said",
    [
        (413, "Request Entity Too Large"),
        refusal(500, 13, "InternalServerError: etcdserver: request is too large"),
    ],
)
def test_a_pipeline_that_is_too_large_is_told_so(kubeflow: SmallKubeflow, said: Any) -> None:
    kubeflow.posting = [says(*said)]
    with pytest.raises(CannotRun, match="Pipeline 'hello' is too large for Kubeflow"):
        handed(kubeflow)
    assert kubeflow.asked.count("POST v2beta1/runs") == 1


@pytest.mark.parametrize(
    "said", [(401, ""), (403, "RBAC: access denied"), (200, "<html>Log in</html>")]
)
def test_who_is_not_let_in_has_submitted_nothing(kubeflow: SmallKubeflow, said: Any) -> None:
    kubeflow.posting = [says(*said)]
    with pytest.raises(BadConfiguration) as told:
        handed(kubeflow)
    assert told.value.exit_code == 3
    assert not kubeflow.runs


@pytest.mark.parametrize("said", [(401, ""), (200, "<html>Log in</html>"), (404, "not here")])
def test_a_wrong_host_is_told_before_anything_is_handed_over(
    kubeflow: SmallKubeflow, said: Any
) -> None:
    kubeflow.reading = [says(*said)] * 9
    with pytest.raises(BadConfiguration):
        handed(kubeflow)
    assert "POST v2beta1/runs" not in kubeflow.asked


def test_the_longest_name_of_a_pipeline_leaves_the_run_in_the_title() -> None:
    from penstock_kubeflow.submissions import title

    assert title("x" * 128, RUN) == f"{'x' * 100} {RUN}"


def test_whoever_does_not_look_hands_it_over_twice(kubeflow: SmallKubeflow) -> None:
    """The planted defect: the tests above would notice."""

    class Hasty(submitting.Submitting):
        def _found(self, lost: Any) -> list[str]:
            return []

    asked = Api(orchestrator(kubeflow))
    kubeflow.posting = [lost]
    Hasty(asked, orchestrator(kubeflow), RUN, {"display_name": TITLE}, Notes()).submitted()
    assert kubeflow.asked.count("POST v2beta1/runs") == 2
