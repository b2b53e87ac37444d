"""Steps with `Resources` on the local orchestrator: what runs beside what, and with which GPUs."""

import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

import penstock
from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Resources,
    RunFailed,
    Stack,
    pipeline,
    step,
)
from penstock.errors import BadConfiguration, CannotRun
from penstock.stack import Project, Registry
from penstock.stack.orchestrator import Job
from penstock.stack.step_operator import StepOperator

VISIBLE = "CUDA_VISIBLE_DEVICES"


@pytest.fixture(autouse=True)
def no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)


def local(resources: Resources | None = None, **options: Any) -> Stack:
    orchestrator = LocalOrchestrator(name="mine", resources=resources, **options)
    return Stack("here", orchestrator=orchestrator, artifact_store=LocalArtifactStore())


@step(cache=False, resources=Resources(gpu=1))
def visible() -> tuple[str | None, tuple[str, ...]]:
    return os.environ.get(VISIBLE), penstock.context().gpus


@pipeline(progress=False)
def looking() -> tuple[str | None, tuple[str, ...]]:
    return visible()


def test_gpu_steps_never_overlap_on_one_gpu_while_cpu_steps_do() -> None:
    lock = threading.Lock()
    holding: set[int] = set()
    most = 0
    beside = threading.Barrier(3)

    @step(cache=False, resources=Resources(gpu=1))
    def on_gpu(number: int) -> int:
        nonlocal most
        with lock:
            holding.add(number)
            most = max(most, len(holding))
        if number == 0:
            beside.wait(120)  # for two steps that need no GPU
        with lock:
            holding.discard(number)
        return number

    @step(cache=False)
    def on_cpu(number: int) -> int:
        if number < 2:
            beside.wait(120)
        return number

    @pipeline(progress=False)
    def mixed() -> tuple[list[int], list[int]]:
        return on_gpu.map(list(range(8))), on_cpu.map(list(range(8)))

    run = mixed.on(local(Resources(gpu=1), max_workers=4)).run()
    assert run.result() == (list(range(8)), list(range(8)))
    assert most == 1


def test_what_is_declared_counts_and_not_the_machine() -> None:
    meeting = threading.Barrier(6)

    @step(cache=False, resources=Resources(cpu=100, memory="10Ti"))
    def meet(number: int) -> int:
        meeting.wait(120)
        return number

    @pipeline(progress=False)
    def meeting_all() -> list[int]:
        return meet.map(list(range(6)))

    there = Resources(cpu=600, memory="60Ti")
    assert meeting_all.on(local(there, max_workers=6)).run().result() == list(range(6))


def test_a_chain_with_resources_runs_in_the_callers_thread() -> None:
    @step(cache=False, resources=Resources(cpu=1))
    def here(before: int) -> int:
        return threading.get_ident()

    @pipeline(progress=False)
    def chain() -> list[int]:
        one = here(0)
        return [one, here(one)]

    assert set(chain.on(local(Resources(cpu=1))).run().result()) == {threading.get_ident()}


def test_what_a_failed_step_had_is_free_again() -> None:
    @step(cache=False, resources=Resources(gpu=1))
    def broken(number: int) -> int:
        raise ValueError(number)

    @pipeline(progress=False)
    def breaking() -> list[int]:
        return broken.map([1, 2, 3])

    with pytest.raises(RunFailed, match="and 2 more failed"):
        breaking.on(local(Resources(gpu=1), failure="finish")).run()
    assert VISIBLE not in os.environ


# What can never fit.


@step(resources=Resources(gpu=2))
def train() -> int:
    return 1


@step(resources=Resources(cpu=0.5, memory="2Gi"))
def load(number: int) -> int:
    return number


@pipeline(progress=False)
def training() -> Any:
    large = load.with_options(resources=Resources(cpu=3))
    return train(), load.map([1, 2]), large(3)


def where(line: str) -> str:
    number = Path(__file__).read_text().splitlines().index(line) + 1
    return f"{__file__}:{number}"


def test_what_can_never_fit_is_refused_before_anything_runs(tmp_path: Path) -> None:
    at = where("    return train(), load.map([1, 2]), large(3)")
    with pytest.raises(CannotRun) as caught:
        training.on(local(Resources(gpu=1, memory="1536Mi", cpu=2))).run()
    *steps, hint = str(caught.value).splitlines()[1:]
    assert steps == [
        f"  step train ({at}) asks for 2 gpus; orchestrator 'mine' has 1",
        f"  step load.0 ({at}) asks for 2Gi of memory; orchestrator 'mine' has 1.5Gi",
        f"  step load-2 ({at}) asks for 3 cpus; orchestrator 'mine' has 2",
    ]
    assert hint == (
        "  Declare more at the orchestrator, resources: {gpu: 2, memory: 2Gi, cpu: 3}, or ask for "
        "less: steps: {train: {resources: {gpu: 1}}} in the stack"
    )
    assert not list(tmp_path.glob(".penstock/runs/*"))


def test_a_machine_without_gpus_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "")
    with pytest.raises(CannotRun, match=r"asks for 2 gpus; orchestrator 'mine' has none"):
        training.on(local()).run()


def test_more_gpus_than_the_process_sees_cannot_be_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VISIBLE, "3")
    with pytest.raises(CannotRun, match=r"declares 2 gpus, .* sees 1 \(CUDA_VISIBLE_DEVICES=3\)"):
        training.on(local(Resources(gpu=2))).run()


def test_nothing_is_asked_of_the_machine_for_steps_that_ask_for_nothing(tmp_path: Path) -> None:
    code = """
    import sys
    from penstock import pipeline, step

    @step
    def one() -> int:
        return 1

    @pipeline(progress=False)
    def main() -> int:
        return one()

    main.run()
    print(sorted(name for name in sys.modules if name.startswith("penstock.orchestrators.")))
    """
    (tmp_path / "main.py").write_text(textwrap.dedent(code))
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, check=True)
    assert done.stdout == "['penstock.orchestrators.local', 'penstock.orchestrators.walk']\n"


# GPUs.


def test_one_declared_gpu_is_what_the_process_sees_while_it_runs() -> None:
    assert looking.on(local(Resources(gpu=1))).run().result() == ("0", ("0",))
    assert VISIBLE not in os.environ


def test_a_declared_gpu_is_the_first_that_the_process_sees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VISIBLE, "GPU-5ee,1")
    assert looking.on(local(Resources(gpu=1))).run().result() == ("GPU-5ee", ("GPU-5ee",))
    assert os.environ[VISIBLE] == "GPU-5ee,1"


def test_the_variable_is_put_back_when_the_run_fails() -> None:
    @step(resources=Resources(gpu=1))
    def broken() -> int:
        raise KeyboardInterrupt

    @pipeline(progress=False)
    def breaking() -> int:
        return broken()

    with pytest.raises(KeyboardInterrupt):
        breaking.on(local(Resources(gpu=1))).run()
    assert VISIBLE not in os.environ


def test_the_one_gpu_of_the_machine_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "7")
    assert looking.on(local()).run().result() == ("7", ("7",))


def test_a_step_that_asks_for_no_gpu_holds_none_of_its_own() -> None:
    @step(cache=False, resources=Resources(cpu=1, gpu=0))
    def without() -> str | None:
        return os.environ.get(VISIBLE)

    @pipeline(progress=False)
    def looking_without() -> str | None:
        return without()

    assert looking_without.on(local(Resources(gpu=1))).run().result() is None


def test_steps_that_no_other_process_finds_run_here_and_are_told_what_they_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    meeting = threading.Barrier(2)

    @step(cache=False, resources=Resources(gpu=2))
    def held(number: int) -> tuple[int, tuple[str, ...]]:
        meeting.wait(120)
        return os.getpid(), penstock.context().gpus

    @pipeline
    def holding() -> list[tuple[int, tuple[str, ...]]]:
        return held.map([1, 2])

    run = holding.on(local(Resources(gpu=4))).run()
    assert {process for process, _ in run.result()} == {os.getpid()}
    assert sorted(gpus for _, gpus in run.result()) == [("0", "1"), ("2", "3")]
    (note,) = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    assert "step held.0 is defined where no other process can find it: it runs here and" in note


class Telling(StepOperator):
    """Runs the step here, and says what it was given."""

    flavor: ClassVar[str] = "telling"
    given: ClassVar[list[str | None]] = []

    def run(self, job: Job, call_id: str) -> None:
        self.given.append(job.environment.get(VISIBLE))
        job.execute(call_id)


def test_a_step_operator_is_given_the_gpus() -> None:
    Telling.given.clear()

    @pipeline(progress=False)
    def operated() -> Any:
        return visible.with_options(step_operator="telling")(), visible()

    stack = Stack(
        "here",
        orchestrator=LocalOrchestrator(resources=Resources(gpu=1)),
        artifact_store=LocalArtifactStore(),
        step_operators=[Telling(name="telling")],
    )
    operated.on(stack).run()
    assert Telling.given == ["0"]


SEVERAL = """
import os, time
from pathlib import Path
import penstock
from penstock import *

@step(cache=False, resources=Resources(gpu=1))
def meet(number: int) -> tuple[str, tuple[str, ...], bool]:
    Path(f"here-{number}").touch()
    until = time.monotonic() + 30
    while not Path(f"here-{1 - number}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return os.environ["CUDA_VISIBLE_DEVICES"], penstock.context().gpus, os.getpid() != boss

@step(cache=False)
def beside() -> int:
    return os.getpid()

boss = int(os.environ.setdefault("BOSS", str(os.getpid())))

@pipeline(progress=False)
def main() -> object:
    return meet.map([0, 1]), beside()

if __name__ == "__main__":
    made = main.on(Stack("x", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore())).run()
    both, other = made.result()
    print(sorted(both), other == boss)
"""  # noqa: E501 - a program as it is written


def test_where_there_are_several_each_step_sees_its_own(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(SEVERAL)
    done = subprocess.run(
        [sys.executable, "main.py"],
        env={**os.environ, VISIBLE: "2,GPU-7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "[('2', ('2',), True), ('GPU-7', ('GPU-7',), True)] True\n"


# In a file.

FILE = """
orchestrators:
  mine: {flavor: local, %s}
stacks:
  here: {orchestrator: mine, artifact_store: default}
"""


def from_file(options: str) -> Stack:
    Path("penstock.yaml").write_text(FILE % options)
    return Registry(Project.find()).stack("here")


def test_a_file_declares_resources() -> None:
    stack = from_file("resources: {cpu: 4, memory: 8Gi, gpu: 1}, failure: collect")
    assert stack.orchestrator == LocalOrchestrator(
        name="mine", resources=Resources(cpu=4, memory="8Gi", gpu=1), failure="collect"
    )


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("{gpus: 1}", "{'gpus': 1} does not fit: a mapping of 'cpu', 'memory', 'gpu' is needed."),
        ("{cpu: -1}", "Resources(cpu=-1.0): a positive number of cores is needed."),
        ("{memory: 8Gx}", "Resources(memory='8Gx'): a number and a unit are needed, one of k, M, "),
        ("4", "4 does not fit: a mapping of 'cpu', 'memory', 'gpu' is needed."),
    ],
)
def test_what_does_not_fit_is_complained_of_where_it_stands(written: str, complaint: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        from_file(f"resources: {written}")
    said = str(caught.value)
    assert said.startswith("penstock.yaml:3:36: orchestrator 'mine', option 'resources': ")
    assert complaint in said
