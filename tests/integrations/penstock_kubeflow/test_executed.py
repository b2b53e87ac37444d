"""Compiled pipelines, carried out by kfp: each step in a process that starts from nothing."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from engine import Cluster, Volume, orchestrator
from small_projects import SHAPES, imported

from penstock.client import Client
from penstock.errors import RunFailed
from penstock.model.records import Status
from penstock.stack.stack import Stack

HAND_MADE = """\
components:
  comp:
    executorLabel: exec
    inputDefinitions:
      parameters: {{call: {{parameterType: STRING}}, job: {{parameterType: STRING}}}}
deploymentSpec:
  executors:
    exec:
      container:
        image: registry.example/team/python:3
        command: [python, -c, {program}]
        args: [{args}]
pipelineInfo: {{name: by-hand}}
root:
  dag:
    tasks:
      one:
        componentRef: {{name: comp}}
        inputs:
          parameters:
            call: {{runtimeValue: {{constant: one}}}}
            job: {{runtimeValue: {{constant: "{{{{$.pipeline_job_uuid}}}}"}}}}
        retryPolicy: {{maxRetryCount: 1, backoffDuration: 0s}}
schemaVersion: 2.1.0
sdkVersion: kfp-2.15.0
"""
CALL = "--call, \"{{$.inputs.parameters['call']}}\""


def by_hand(program: str, args: str = CALL, secret: str = "") -> str:
    text = HAND_MADE.format(program=json.dumps(program), args=args)
    executor = {
        "secretAsEnv": [{"secretName": secret, "keyToEnv": [{"secretKey": "k", "envVar": "V"}]}]
    }
    platform = {"kubernetes": {"deploymentSpec": {"executors": {"exec": executor}}}}
    return text + ("---\n" + yaml.safe_dump({"platforms": platform}) if secret else "")


@pytest.fixture
def stack(cluster: Cluster, tmp_path: Path) -> Stack:
    kubeflow = orchestrator(cluster, defaults={"pods": 2})
    return Stack(
        "tested", orchestrator=kubeflow, artifact_store=Volume(path=str(tmp_path / "store"))
    )


@pytest.fixture
def told(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which steps and hooks leave what they did."""
    folder = tmp_path / "told"
    folder.mkdir()
    cluster.environment["TOLD"] = str(folder)
    monkeypatch.setenv("TOLD", str(folder))
    return folder


@pytest.fixture
def shapes(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A project of two modules, which no pod finds on its path."""
    folder = tmp_path / "a project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with imported(folder, SHAPES, "shapes") as module:
        yield module


def failed(pipeline: Any, **parameters: Any) -> RunFailed:
    with pytest.raises(RunFailed) as caught:
        pipeline.run(**parameters)
    return caught.value


class TestTheHarness:
    """What it must notice, whatever kfp says."""

    def test_a_pod_has_an_environment_and_a_folder_of_its_own(self, cluster: Cluster) -> None:
        program = (
            "import os, json; print(json.dumps([os.listdir(), os.getcwd(), dict(os.environ)]))"
        )
        carried = cluster.carry_out(by_hand(program))

        listed, place, variables = json.loads(carried.said)
        assert listed == []
        assert place.endswith("pod-0/work")
        assert variables.keys() - {"LC_CTYPE"} == {"PATH", "HOME", "TMPDIR"}
        assert (carried.succeeded, carried.calls) == (True, ["one"])

    def test_a_task_that_fails_is_retried_and_then_fails_the_pipeline(
        self, cluster: Cluster
    ) -> None:
        carried = cluster.carry_out(by_hand("raise SystemExit(3)"))
        assert (carried.succeeded, [pod["code"] for pod in carried.pods]) == (False, [3, 3])

    def test_a_secret_is_in_the_environment(self, cluster: Cluster) -> None:
        cluster.secrets["s"] = {"k": "known"}
        assert (
            cluster.carry_out(by_hand("import os; print(os.environ['V'])", secret="s")).said
            == "known\n"
        )

    def test_a_secret_that_is_not_there_starts_nothing(self, cluster: Cluster) -> None:
        with pytest.raises(AssertionError, match="CreateContainerConfigError"):
            cluster.carry_out(by_hand("print(1)", secret="s"))

    def test_a_placeholder_that_only_kfp_resolves_is_refused(self, cluster: Cluster) -> None:
        with pytest.raises(AssertionError, match="Not resolved by the real backend"):
            cluster.carry_out(by_hand("print(1)", args='--job, "{{$.pipeline_job_uuid}}"'))


def test_the_items_of_a_map_share_the_pods(
    shapes: ModuleType, stack: Stack, cluster: Cluster
) -> None:
    run = shapes.known.on(stack).run()

    assert run.result() == 30
    assert cluster.carried[0].calls == ["measured:0/2", "measured:1/2", "total"]
    assert [view.status for view in run] == [Status.COMPLETED] * 6
    assert run["measured.3"].logs() == "measured 3\n"


def test_only_the_items_that_are_missing_are_carried_out(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    shapes.known.on(stack).run()
    run = shapes.known.on(stack).run(count=6)

    assert run.result() == 55
    assert cluster.carried[1].calls == ["measured.5", "total"]
    assert (told / "measured-4").read_text() == "measured-4\n"


def test_a_list_that_is_known_at_run_time_shares_the_pods(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    run = shapes.unknown.on(stack).run()

    assert run.result() == 30
    assert cluster.carried[0].calls == ["measured:0/2", "measured:1/2", "sides", "total"]
    assert sorted(file.name for file in told.iterdir()) == [
        *[f"measured-{side}" for side in range(5)],
        "total",
    ]


def test_what_is_all_in_the_cache_is_not_submitted(
    shapes: ModuleType, stack: Stack, cluster: Cluster
) -> None:
    shapes.unknown.on(stack).run()
    run = shapes.unknown.on(stack).run()

    assert {view.status for view in run} == {Status.CACHED}
    assert len(cluster.carried) == 1


def test_after_an_item_that_fails_its_pod_goes_on_with_the_others(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    cluster.environment["BROKEN"] = "0"
    error = failed(shapes.known.on(stack))

    assert "Step measured.0 of 'known' failed: ValueError: side 0 is broken" in str(error)
    assert error.run["measured.1"].status is Status.COMPLETED
    (told / "mended").touch()
    run = shapes.known.on(stack).run()
    assert run.result() == 30
    assert [len(file.read_text().splitlines()) for file in sorted(told.glob("measured-*"))] == [
        *(2, 1, 1, 1, 1)
    ]


def test_a_job_that_is_tried_once_more_does_only_what_is_missing(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    """As a person does with Retry on Kubeflow's page: the same job, and so the same run."""
    cluster.environment["BROKEN"] = "1"
    error = failed(shapes.known.on(stack))
    (told / "mended").touch()
    first = cluster.carried[0]
    again = cluster.carry_out(first.text, error.run.id, first.job)

    assert again.succeeded
    assert [run.id for run in Client(stack).runs()] == [error.run.id]
    assert len((told / "measured-1").read_text().splitlines()) == 2
    assert (told / "measured-3").read_text() == "measured-3\n"
    assert Client(stack).run("last").result() == 30


def test_a_pipeline_that_is_submitted_once_more_is_another_run(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    """A clone has the parameters of the run that it is a copy of, and a schedule has none."""
    run = shapes.known.on(stack).run()
    text = cluster.carried[0].text
    clone = cluster.carry_out(text, run.id)
    begun = time.time()
    scheduled = cluster.carry_out(text)
    scheduled_in = time.time() - begun

    assert clone.succeeded
    assert scheduled.succeeded
    runs = Client(stack).runs()
    assert len({each.id for each in runs}) == 3
    assert [each.status for each in runs] == [Status.COMPLETED] * 3
    assert [each.result() for each in runs] == [30] * 3
    assert runs[0].duration == Client(stack).run(runs[0].id).duration < scheduled_in
    assert (told / "measured-3").read_text() == "measured-3\n"


def test_a_condition_is_decided_from_the_store(
    shapes: ModuleType, stack: Stack, cluster: Cluster
) -> None:
    run = shapes.choosing.on(stack).run(number=3)

    assert run.result() is None
    assert run["shout"].status is Status.SKIPPED
    assert shapes.choosing.on(stack).run(number=11).result() == "11!"


def test_a_step_that_fails_is_told_with_its_error(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    error = failed(shapes.failing.on(stack))

    assert "Step broken of 'failing' failed: RuntimeError: 4 is too much" in str(error)
    assert error.run["total"].status is Status.PENDING
    assert (
        'raise RuntimeError(f"{areas} is too much")' in error.run["broken"].record.failure.traceback
    )
    assert (told / "step_on_failure-broken").exists()
    assert cluster.carried[0].pods[-1]["code"] == 1


def test_kubeflow_retries_and_each_attempt_is_one(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    run = shapes.trying.on(stack).run()

    assert run.result() == 3
    assert run["stubborn"].record.attempt == 3
    assert cluster.carried[0].calls == ["stubborn"] * 3


def test_an_error_that_is_no_reason_to_try_again_is_not_tried_again(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path
) -> None:
    """Kubeflow starts another pod for it, which does not call the function."""
    error = failed(shapes.giving_up.on(stack))

    assert "ValueError: never" in str(error)
    assert (told / "hopeless").read_text() == "hopeless\n"


@pytest.mark.parametrize("breaks", [False, True])
def test_the_hooks_of_a_pipeline_are_told_by_the_last_pod(
    shapes: ModuleType, stack: Stack, cluster: Cluster, told: Path, breaks: bool
) -> None:
    pipeline = shapes.hooked.on(stack)
    if breaks:
        failed(pipeline, breaks=True)
    else:
        pipeline.run()

    assert cluster.carried[0].pods[-1]["command"][-1] == "--end"
    hooks = {file.name: file.read_text().count("\n") for file in told.glob("on_*")}
    ended = "on_failure-failed" if breaks else "on_success-completed"
    assert hooks == {"on_start": 1, ended: 1}


def test_the_code_travels_with_the_run(
    shapes: ModuleType, stack: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    """What is in the project's folder by then is something else."""
    run = shapes.known.on(stack).run()
    for name in ("shapes.py", "lengths.py"):
        (tmp_path / "a project" / name).write_text("raise SystemExit('other code')")

    assert cluster.carry_out(cluster.carried[0].text).succeeded
    assert Client(stack).run("last").id != run.id


def test_code_that_is_in_the_image_does_not_travel(
    shapes: ModuleType, stack: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    kubeflow = orchestrator(cluster, code="image")
    baked = Stack("baked", orchestrator=kubeflow, artifact_store=stack.artifact_store)
    cluster.environment["PYTHONPATH"] = str(tmp_path / "a project")

    assert shapes.choosing.on(baked).run(number=11).result() == "11!"
    assert "--code" not in cluster.carried[0].text


class TestWhatDoesNotMatch:
    """A pod refuses it before it runs anything, and says so."""

    def carried(self, cluster: Cluster, text: str) -> str:
        carried = cluster.carry_out(text)
        assert not carried.succeeded
        assert len(carried.pods) == 1
        assert "Traceback" not in carried.said
        return carried.said

    @pytest.fixture
    def text(self, shapes: ModuleType, stack: Stack, cluster: Cluster) -> str:
        shapes.choosing.on(stack).run()
        return cluster.carried[0].text

    def replaced(self, text: str, flag: str, value: str) -> str:
        found, times = re.subn(rf"(- ['\"]?{flag}['\"]?\n\s*- )\S+", rf"\g<1>'{value}'", text)
        assert times == 1
        return found

    def test_another_minor_version_of_python(self, cluster: Cluster, text: str) -> None:
        said = self.carried(cluster, self.replaced(text, "--python", "3.9"))
        assert "3.9" in said

    def test_another_store(self, cluster: Cluster, text: str) -> None:
        said = self.carried(cluster, self.replaced(text, "--store", "0" * 16))
        assert "is another one" in said

    def test_code_that_was_changed(self, cluster: Cluster, text: str, tmp_path: Path) -> None:
        (digest,) = re.findall(r"--code['\"]?\n\s*- ['\"]?(\w+)", text)
        (file,) = (tmp_path / "store").rglob(f"*{digest[2:]}*")
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.chmod(0o644)
        file.write_bytes(data)
        said = self.carried(cluster, text)
        assert digest[:8] in said

    def test_a_plan_that_is_not_there(self, cluster: Cluster, text: str) -> None:
        said = self.carried(cluster, self.replaced(text, "--plan", "0" * 64))
        assert "plan" in said
