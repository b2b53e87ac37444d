"""The stand-in for Kubeflow Pipelines, driven by kfp's own client."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from standins import Hatchery, Standin
from test_executed import by_hand
from urllib3.exceptions import HTTPError

pytestmark = pytest.mark.filterwarnings("ignore:This client only works:FutureWarning")

SLEEPS = "import time; time.sleep(60)"


@pytest.fixture
def client(standin: Standin) -> Any:
    """Kubeflow's own, which has asked for nothing yet."""
    from kfp import Client

    client = Client(host=standin.url, namespace="not asked for")
    standin.forget()
    return client


@pytest.fixture
def submitted(client: Any, tmp_path: Path) -> Callable[..., str]:
    """Submits a pipeline of one task; the id of its run."""

    def submit(program: str = "print('hi')", name: str = "a run", **words: str) -> str:
        file = tmp_path / "pipeline.yaml"
        file.write_text(by_hand(program, **words))
        run = client.run_pipeline(None, name, pipeline_package_path=str(file))
        assert run.state == "PENDING"
        return str(run.run_id)

    return submit


def until(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What it finds, as soon as it finds anything."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def nodes(standin: Standin, run: str) -> dict[str, tuple[str, str]]:
    """Phase and message of Argo's nodes, by their names after that of the workflow."""
    with urllib.request.urlopen(f"{standin.url}/apis/v1beta1/runs/{run}") as answer:
        told = json.loads(json.load(answer)["pipeline_runtime"]["workflow_manifest"])
    return {
        each["name"].partition(".")[2]: (each["phase"], each.get("message", ""))
        for each in told["status"]["nodes"].values()
    }


def rows(client: Any, run: str) -> list[tuple[str, str]]:
    """Names and states of what the API calls tasks."""
    return [
        (each.display_name, each.state) for each in client.get_run(run).run_details.task_details[1:]
    ]


class TestRuns:
    def test_a_run_is_carried_out(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted()
        assert standin.wait(run) == 0

        found = client.get_run(run)
        assert (found.state, standin.said(run)) == ("SUCCEEDED", "hi\n")
        assert [each.state for each in found.state_history] == ["PENDING", "RUNNING", "SUCCEEDED"]
        names = ["root-driver", "root", "one-driver", "one", "executor"]
        assert rows(client, run) == [(name, "SUCCEEDED") for name in names]
        assert found.pipeline_spec["pipelineInfo"] == {"name": "by-hand"}
        assert [each.run_id for each in client.list_runs().runs] == [run]

    def test_a_task_that_fails_is_tried_again_and_fails_the_run(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted("raise SystemExit(3)")
        assert standin.wait(run) == 1

        assert client.get_run(run).state == "FAILED"
        assert client.get_run(run).error is None
        assert rows(client, run)[-1] == ("executor(1)", "FAILED")
        found = nodes(standin, run)
        assert found["root.one.executor(1)"] == ("Failed", "Error (exit code 3)")

    def test_a_pod_that_is_killed_is_said_to_have_had_too_little_memory(
        self, standin: Standin, submitted: Callable[..., str]
    ) -> None:
        run = submitted("import os; os.kill(os.getpid(), 9)")
        assert standin.wait(run) == 1
        found = nodes(standin, run)
        assert found["root.one.executor"] == ("Failed", "OOMKilled (exit code 137)")

    def test_a_run_that_is_terminated_ends_as_failed(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted(SLEEPS)
        (pod,) = until(lambda: standin.pods(run)).values()
        client.terminate_run(run)
        assert standin.wait(run) == 3

        found = client.get_run(run)
        states = [each.state for each in found.state_history]
        assert (found.state, states[-2:]) == ("FAILED", ["CANCELING", "FAILED"])
        assert not psutil.pid_exists(pod)
        assert nodes(standin, run)["root.one"] == ("Failed", "Max duration limit exceeded")
        standin.set(ended_word="CANCELED", shows_canceling=False)
        assert client.get_run(run).state == "CANCELED"

    def test_a_pod_that_does_not_listen_is_killed_and_canceling_until_then(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        standin.set(grace=0.5)
        run = submitted(
            f"import signal; signal.signal(15, print); print('x', flush=True); {SLEEPS}"
        )
        until(lambda: standin.said(run))
        client.terminate_run(run)
        assert client.get_run(run).state == "CANCELING"
        assert standin.wait(run) == 3

    def test_what_is_over_or_is_being_ended_cannot_be_terminated(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted()
        standin.wait(run)
        assert refused(client.terminate_run, run) == (400, "Row not found")
        assert refused(client.terminate_run, "no such run") == (404, "not found")

    def test_a_run_that_is_deleted_is_gone_with_its_pods(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted(SLEEPS)
        (pod,) = until(lambda: standin.pods(run)).values()
        client.delete_run(run)
        assert refused(client.get_run, run) == (404, "not found")
        until(lambda: not psutil.pid_exists(pod))

    def test_a_run_that_failed_is_tried_again_under_its_id(
        self, standin: Standin, client: Any, submitted: Callable[..., str], tmp_path: Path
    ) -> None:
        mended = tmp_path / "mended"
        run = submitted(f"import os; assert os.path.exists({str(mended)!r})")
        standin.wait(run)
        mended.touch()
        client._run_api.run_service_retry_run(run)
        assert standin.wait(run) == 0
        assert client.get_run(run).state == "SUCCEEDED"

    def test_a_pod_without_its_secret_or_image_waits(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted(secret="s")
        until(lambda: standin.events(run)[1:])
        assert client.get_run(run).state == "RUNNING"
        assert rows(client, run)[-1] == ("executor", "PENDING")
        said = nodes(standin, run)["root.one.executor"][1]
        assert said == 'CreateContainerConfigError: secret "s" not found'
        client.terminate_run(run)
        assert standin.wait(run) == 3

        standin.set(unpullable=["registry.example/team/python:3"])
        run = submitted()
        until(lambda: standin.events(run)[1:])
        assert nodes(standin, run)["root.one.executor"][1].startswith("ImagePullBackOff")

    def test_a_secret_is_in_the_environment_and_a_starter_is_told_of_the_pod(
        self, standin: Standin, submitted: Callable[..., str]
    ) -> None:
        standin.set(secrets={"s": {"k": "known"}})
        run = submitted("import os; print(os.environ['V'])", secret="s")
        assert (standin.wait(run), standin.said(run)) == (0, "known\n")

        told = "import json, os; print(os.environ['STANDIN_POD'])"
        standin.set(starter=[sys.executable, "-c", told])
        run = submitted(secret="s")
        assert standin.wait(run) == 0
        pod = json.loads(standin.said(run))
        assert pod["container"]["image"] == "registry.example/team/python:3"
        assert (pod["task"], pod["variables"]["V"]) == (["one"], "known")

    def test_a_run_that_nobody_carries_out_runs_until_it_is_terminated(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        standin.set(executes=False)
        run = submitted()
        standin.restart()
        assert client.get_run(run).state == "RUNNING"
        client.terminate_run(run)
        assert client.get_run(run).state == "FAILED"
        assert not standin.pods(run)

    def test_the_state_comes_later_than_what_it_tells_of(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        standin.set(lag=100)
        run = submitted()
        standin.wait(run)
        assert client.get_run(run).state == "PENDING"
        standin.set(lag=0)
        assert client.get_run(run).state == "SUCCEEDED"

    def test_a_run_whose_node_is_gone_has_failed(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        run = submitted(SLEEPS)
        until(lambda: standin.pods(run))
        standin.lose(run)
        assert standin.wait(run) < 0
        assert client.get_run(run).state == "FAILED"
        assert nodes(standin, run)["root.one.executor"] == ("Failed", "pod deleted")

    def test_lists_have_filters_an_order_and_pages(
        self, standin: Standin, client: Any, submitted: Callable[..., str]
    ) -> None:
        runs = [submitted(name=f"Run {number}") for number in range(3)]
        equals = {"operation": "EQUALS", "key": "display_name", "string_value": "run 1"}
        found = client.list_runs(filter=json.dumps({"predicates": [equals]}))
        assert [each.run_id for each in found.runs] == runs[1:2]
        assert found.total_size == 1

        first = client.list_runs(page_size=2, sort_by="display_name desc")
        rest = client.list_runs(first.next_page_token, 2, "display_name desc")
        assert [each.run_id for each in first.runs + rest.runs] == runs[::-1]
        assert not rest.next_page_token
        assert client.list_runs(experiment_id=first.runs[0].experiment_id).total_size == 3


class TestOtherThings:
    def test_an_experiment_has_a_name_that_no_other_has(self, client: Any) -> None:
        made = client.create_experiment("ours")
        assert client.create_experiment("ours").experiment_id == made.experiment_id
        assert client.get_experiment(experiment_name="Default").namespace is None
        api = client._experiment_api
        assert refused(api.experiment_service_create_experiment, made)[0] == 409

    def test_a_recurring_run_fires_by_the_clock_until_it_is_disabled(
        self, standin: Standin, client: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "p.yaml").write_text(by_hand("print('hi')"))
        experiment = client.get_experiment(experiment_name="Default").experiment_id
        job = client.create_recurring_run(
            experiment, "every second", pipeline_package_path=str(tmp_path / "p.yaml"),
            interval_second=1, no_catchup=True,
        )  # fmt: skip
        assert (job.status, job.max_concurrency) == ("ENABLED", "1")
        first = until(standin.runs)[0]
        client.disable_recurring_run(job.recurring_run_id)
        assert standin.wait(first["id"]) == 0
        assert first["display_name"].startswith("everysecond")

        assert client.get_recurring_run(job.recurring_run_id).status == "DISABLED"
        fired = standin.fire(job.recurring_run_id)
        equals = {"operation": 1, "key": "recurring_run_id", "stringValue": job.recurring_run_id}
        found = client.list_runs(filter=json.dumps({"predicates": [equals]}), page_size=200)
        assert {first["id"], fired} <= {each.run_id for each in found.runs}
        (listed,) = client.list_recurring_runs().recurring_runs
        assert listed.display_name == "every second"
        client.delete_recurring_run(job.recurring_run_id)
        assert client.list_recurring_runs().recurring_runs is None

    def test_a_pipeline_that_was_uploaded_is_run_by_reference(
        self, standin: Standin, client: Any, tmp_path: Path
    ) -> None:
        file = tmp_path / "p.yaml"
        file.write_text(by_hand("print('one')", secret="s"))
        standin.set(secrets={"s": {"k": "v"}})
        pipeline = client.upload_pipeline(str(file), "ours")
        file.write_text(by_hand("print('two')"))
        version = client.upload_pipeline_version(str(file), "second", pipeline.pipeline_id)
        (_, first) = client.list_pipeline_versions(
            pipeline.pipeline_id, sort_by="created_at desc"
        ).pipeline_versions
        assert client.get_pipeline_id("ours") == pipeline.pipeline_id

        said = []
        for each in (first, version):
            run = client.run_pipeline(
                None, "by reference", pipeline_id=pipeline.pipeline_id,
                version_id=each.pipeline_version_id,
            )  # fmt: skip
            assert standin.wait(run.run_id) == 0
            said.append(standin.said(run.run_id))
        assert said == ["one\n", "two\n"]


class TestServers:
    def test_one_that_is_killed_and_started_again_goes_on(
        self, standin: Standin, client: Any, submitted: Callable[..., str], tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        waits = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)"
        run = submitted(waits)
        until(lambda: standin.pods(run))
        standin.kill()
        with pytest.raises(HTTPError):
            client.get_run(run)
        standin.start()
        assert client.get_run(run).state == "RUNNING"
        gate.touch()
        assert standin.wait(run) == 0
        assert client.get_run(run).state == "SUCCEEDED"

    def test_a_run_that_was_written_down_and_not_started_is_started_by_the_next(
        self, standin: Standin, submitted: Callable[..., str]
    ) -> None:
        run = submitted()
        standin.wait(run)
        standin.kill()
        shutil.rmtree(standin.job(run))
        standin.start()
        assert standin.wait(run) == 0

    def test_each_is_alone_in_its_folder(
        self, hatchery: Hatchery, standin: Standin, submitted: Callable[..., str], tmp_path: Path
    ) -> None:
        run = submitted(SLEEPS)
        (pod,) = until(lambda: standin.pods(run)).values()
        with hatchery.standin(tmp_path / "other") as other:
            assert other.runs() == []
        assert psutil.pid_exists(pod)
        standin.stop()
        assert not psutil.pid_exists(pod)
        standin.start()

    @pytest.mark.parametrize("victim", ["whoever has started it", "what it has started"])
    def test_nothing_is_left_when_one_of_them_is_killed(self, tmp_path: Path, victim: str) -> None:
        """Which is what a test runner may be."""
        begun = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "standin" / "standins.py", tmp_path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        with begun:
            assert begun.stdin is not None
            assert begun.stdout is not None
            url = begun.stdout.readline().strip()
            body = json.dumps({"display_name": "r", "pipeline_spec": spec(SLEEPS)}).encode()
            asked = urllib.request.Request(f"{url}/apis/v2beta1/runs", body, method="POST")
            with urllib.request.urlopen(asked) as answer:
                run = json.load(answer)["run_id"]
            events = tmp_path / "runs" / run / "job" / "events"
            until(lambda: events.exists() and "pid" in events.read_text())
            started = psutil.Process(begun.pid).children(recursive=True)
            assert len(started) == 4  # the hatchery, its server, its job and the pod
            (begun if victim.startswith("whoever") else started[0]).kill()
            begun.stdin.close()
        until(lambda: not [each for each in started if each.is_running()])

    def test_a_mistake_of_its_own_is_one_of_the_test(
        self, hatchery: Hatchery, tmp_path: Path
    ) -> None:
        standin = hatchery.standin(tmp_path / "s")
        standin.start()
        standin.set(no_such_option=1)
        with pytest.raises(OSError, match="closed"):
            urllib.request.urlopen(f"{standin.url}/apis/v2beta1/healthz")
        with pytest.raises(AssertionError, match="the stand-in has made a mistake"):
            standin.__exit__(None, None, None)


def spec(program: str) -> Any:
    import yaml

    return yaml.safe_load(by_hand(program))


def refused(do: Callable[..., Any], *given: Any, **named: Any) -> tuple[int, str]:
    """Status, and the end of what was said."""
    from kfp_server_api import ApiException

    with pytest.raises(ApiException) as caught:
        do(*given, **named)
    try:
        said = str(json.loads(caught.value.body)["message"])
    except ValueError:
        said = str(caught.value.body)
    words = ("Row not found", "not found")
    return caught.value.status, next((word for word in words if said.endswith(word)), said)


class TestFaults:
    """Each is noticed by the client, and is over after the times that were asked for."""

    @pytest.fixture
    def run(self, standin: Standin, submitted: Callable[..., str]) -> Iterator[str]:
        standin.set(executes=False)
        run = submitted()
        standin.forget()
        yield run
        standin.mend()

    @pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
    def test_a_status(self, standin: Standin, client: Any, run: str, status: int) -> None:
        standin.fault("GET .*/runs/", status)
        assert refused(client.get_run, run)[0] == status
        assert client.get_run(run).run_id == run
        assert [(each["fault"], each["status"]) for each in standin.requests()] == [
            (str(status), status), (None, 200),
        ]  # fmt: skip

    @pytest.mark.parametrize("kind", ["html", "redirect"])
    def test_a_page_instead_of_an_answer(
        self, standin: Standin, client: Any, run: str, kind: str
    ) -> None:
        standin.fault("/runs/", kind)
        assert client.get_run(run).run_id is None

    def test_slow_is_late_and_hang_is_never(self, standin: Standin, client: Any, run: str) -> None:
        standin.fault("/runs/", "slow", seconds=0.3)
        begun = time.monotonic()
        client.get_run(run)
        assert time.monotonic() - begun >= 0.3

        standin.fault("/runs", "hang")
        with pytest.raises(HTTPError):
            client._run_api.run_service_create_run({}, _request_timeout=(1, 0.3))

    @pytest.mark.parametrize("kind", ["cut", "half", "commit-then-cut", "commit-then-hang"])
    def test_a_connection_that_ends_after_the_work_or_before(
        self, standin: Standin, client: Any, run: str, kind: str
    ) -> None:
        standin.fault("POST .*/runs$", kind)
        body = {"display_name": "lost", "pipeline_spec": spec("print(1)")}
        with pytest.raises(HTTPError):
            client._run_api.run_service_create_run(body, _request_timeout=(1, 0.5))
        made = [each["display_name"] for each in standin.runs()]
        assert made == ["a run", "lost"][: 1 if kind == "cut" else 2]

    def test_an_answer_of_a_gateway_after_the_work(
        self, standin: Standin, client: Any, run: str
    ) -> None:
        standin.fault("POST .*/runs$", "commit-then-504")
        body = {"display_name": "lost", "pipeline_spec": spec("print(1)")}
        assert refused(client._run_api.run_service_create_run, body)[0] == 504
        assert len(standin.runs()) == 2

    def test_some_are_let_through_before_it(self, standin: Standin, client: Any, run: str) -> None:
        standin.fault("/runs/", 500, after=1, times=2)
        client.get_run(run)
        for _ in range(2):
            assert refused(client.get_run, run)[0] == 500
        client.get_run(run)

    def test_a_kind_that_there_is_not_is_refused(self, standin: Standin) -> None:
        with pytest.raises(OSError, match="400"):
            standin.fault("/runs", "commit-then-nothing-known")

    def test_a_server_that_stands_still(self, standin: Standin, client: Any, run: str) -> None:
        standin.freeze()
        with pytest.raises(HTTPError):
            client._run_api.run_service_create_run({}, _request_timeout=(1, 0.2))
        standin.thaw()
        assert client.get_run(run).run_id == run
