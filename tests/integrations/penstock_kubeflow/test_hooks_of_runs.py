"""Hooks of a pipeline, whatever becomes of its run: told by a last pod of Kubeflow's, once."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from engine import IMAGE, Volume
from small_projects import imported
from standins import Standin

from penstock.client import Client
from penstock.errors import RunFailed
from penstock.model.records import Status
from penstock.stack.stack import Stack
from penstock_kubeflow import KubeflowOrchestrator

PROJECT: Final = {
    "pyproject.toml": '[project]\nname = "ours"\nversion = "1"\n',
    "hooks.py": """\
import os
import signal
import time
from pathlib import Path

from penstock import pipeline, step

TOLD = Path(os.environ["TOLD"])


def hook(name):
    def told(run):
        with open(TOLD / "told", "a") as file:
            where = "pod" if os.environ.get("POD") else "here"
            print(name, run.pipeline, run.status, where, file=file)
        print("the hook has heard of", run.id)
        if (TOLD / "hook-breaks").exists():
            raise RuntimeError("nobody answers the phone")
    return told


@step
def act(how: str) -> str:
    (TOLD / "began").touch()
    if how == "fails":
        raise ValueError("it does not work")
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    while how == "waits":
        time.sleep(0.05)
    return how


@pipeline(
    progress=False, on_start=hook("start"), on_success=hook("success"), on_failure=hook("failure")
)
def hooked(how: str = "works") -> str:
    return act(how)
""",
}

LAST_POD_DOES_NOTHING: Final = """\
import os, sys
if "--end" not in sys.argv:
    os.execvp(sys.argv[1], sys.argv[1:])
"""
"""What a pod is started by in an engine that forgets the last one: the planted one."""


class Hooked:
    """The pipeline on Kubeflow, and what its hooks were told."""

    def __init__(self, module: ModuleType, standin: Standin, folder: Path) -> None:
        self.engine = standin
        self.folder = folder
        self.stack = Stack(
            "prod",
            orchestrator=KubeflowOrchestrator(name="kf", host=standin.url, image=IMAGE),
            artifact_store=Volume(path=str(folder / "store")),
        )
        self._pipeline: Any = module.hooked

    def run(self, how: str = "works", **options: Any) -> Any:
        """Carried out on Kubeflow; its record also if it has failed."""
        pipeline = self._pipeline.on(self.stack).with_options(**options)
        try:
            return pipeline.run(how)
        except RunFailed as error:
            return error.run

    @property
    def told(self) -> list[str]:
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []

    def wrong(self, run: Any, wanted: list[str]) -> list[str]:
        """What is not as it should be once Kubeflow says that the run is over."""
        (job,) = (each["id"] for each in self.engine.runs())
        self.engine.wait(job)
        found = [] if self.told == wanted else [f"told: {self.told}"]
        ending = [each for each in self.engine.events(job) if "--end" in str(each.get("command"))]
        if len(ending) != 1:
            found.append(f"last pods: {ending}")
        if wanted[-1].split()[2] != run.status:
            found.append(f"the run is {run.status}")
        return found


@pytest.fixture
def hooked(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooked]:
    monkeypatch.setenv("TOLD", str(tmp_path))
    standin.set(environment={"TOLD": str(tmp_path), "POD": "1"})
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    with imported(project, PROJECT, "hooks") as module:
        yield Hooked(module, standin, tmp_path)


def wait_for(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("how", "ending"),
    [
        ("works", "success hooked completed pod"),
        ("fails", "failure hooked failed pod"),
        ("dies", "failure hooked lost pod"),
    ],
)
def test_the_last_pod_tells_how_a_run_has_ended(hooked: Hooked, how: str, ending: str) -> None:
    run = hooked.run(how)

    assert hooked.wrong(run, ["start hooked running here", ending]) == []
    assert f"the hook has heard of {run.id}\n" in run.logs()
    assert run.reason == ("kf says FAILED: act: OOMKilled (exit code 137)" if how == "dies" else "")


def test_they_are_told_though_nobody_watches(hooked: Hooked) -> None:
    run = hooked.run("fails", wait=False)
    hooked.engine.kill()
    (job,) = (each["id"] for each in hooked.engine.runs())
    hooked.engine.wait(job)

    assert hooked.told[1:] == ["failure hooked failed pod"]
    assert Client(hooked.stack).run(run.id).status is Status.FAILED
    hooked.engine.start()


def test_who_cancels_a_run_is_told_by_none(hooked: Hooked) -> None:
    run = hooked.run("waits", wait=False)
    wait_for((hooked.folder / "began").exists)
    run.cancel()
    with pytest.raises(Exception, match="cancelled by"):
        run.wait()

    (job,) = (each["id"] for each in hooked.engine.runs())
    hooked.engine.wait(job)
    assert run.status is Status.STOPPED
    assert hooked.told == ["start hooked running here"]


def test_a_hook_that_breaks_changes_nothing(hooked: Hooked) -> None:
    (hooked.folder / "hook-breaks").touch()
    run = hooked.run()

    assert hooked.wrong(run, ["start hooked running here", "success hooked completed pod"]) == []
    (job,) = (each["id"] for each in hooked.engine.runs())
    assert "RuntimeError: nobody answers the phone" in hooked.engine.said(job)


def test_what_is_in_the_cache_is_told_here_for_nothing_is_submitted(hooked: Hooked) -> None:
    hooked.run()
    before = len(hooked.told)
    hooked.run()

    assert hooked.told[before:] == [
        "start hooked completed here",
        "success hooked completed here",
    ]
    assert len(hooked.engine.runs()) == 1


def test_an_engine_that_forgets_the_last_pod_is_noticed(hooked: Hooked) -> None:
    program = hooked.folder / "starter.py"
    program.write_text(LAST_POD_DOES_NOTHING)
    hooked.engine.set(starter=[sys.executable, str(program)])
    run = hooked.run()

    assert hooked.wrong(run, ["start hooked running here", "success hooked completed pod"])
