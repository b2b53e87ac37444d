"""Worker processes of the local orchestrator: warm, replaced when they die, and gone at the end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Resources,
    Run,
    RunFailed,
    Secret,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.errors import BadConfiguration, CannotRun
from penstock.runtime.elsewhere import child
from penstock.testing import MemoryArtifactStore

SOURCE = Path(__file__).with_name("worker_steps.py").read_text()

Ran = Callable[..., Run[Any]]


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module with the steps, in the project's folder."""
    (tmp_path / "worker_steps.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("worker_steps")
    del sys.modules["worker_steps"]


def stack(workers: str = "processes", **options: Any) -> Stack:
    chosen: Any = {"workers": workers, "max_workers": 1, "failure": "finish", **options}
    extra = chosen.pop("extra", {})
    return Stack(
        "here",
        orchestrator=LocalOrchestrator(**chosen),
        artifact_store=LocalArtifactStore(path="store"),
        **extra,
    )


def ran(body: Callable[[], Any], *workers: str, **options: Any) -> Run[Any]:
    """The run of a pipeline with this body; one that failed is as good."""

    @pipeline(progress=False)
    def running() -> Any:
        return body()

    try:
        return running.on(stack(*workers, **options)).run()
    except RunFailed as error:
        return error.run  # type: ignore[no-any-return]


def chained(first: Any, then: Any) -> tuple[Any, Any]:
    """One step, and another one in the same worker."""
    before = first(1)
    return before, then.after(before)(2)


def message(run: Run[Any], step: str) -> str:
    failure = run[step].record.failure
    return "" if failure is None else failure.message


# Workers are warm.


def test_one_worker_carries_out_a_chain(steps: Any) -> None:
    pids = ran(lambda: [steps.process(n) for n in range(5)]).result()
    assert len(set(pids)) == 1
    assert os.getpid() not in pids


def test_there_are_no_more_workers_than_may_be(steps: Any) -> None:
    run = ran(lambda: steps.slow_process.map(list(range(6))), max_workers=2)
    assert len(set(run.result())) == 2


def test_all_that_is_ready_begins_at_once(steps: Any, tmp_path: Path) -> None:
    (tmp_path / "met").mkdir()
    run = ran(lambda: [steps.meets("met", number, 3) for number in range(3)], max_workers=3)
    assert run.result() == [0, 1, 2]


def test_a_run_leaves_no_process_and_no_descriptor(steps: Any) -> None:
    ran(lambda: steps.process(0))  # what is opened once
    me = psutil.Process()
    before = me.children(), me.num_fds()  # other tests have processes, too, for all of theirs
    for _ in range(3):
        ran(lambda: (steps.process(0), steps.leaves(1), steps.says(2)), max_workers=2)
    assert (me.children(), me.num_fds()) == before


def test_the_command_line_of_a_worker_shows_no_value(steps: Any, tmp_path: Path) -> None:
    (tmp_path / "words").touch()

    @step(cache=False)
    def words(secret: str) -> list[str]:
        import psutil

        return psutil.Process().cmdline()

    assert "hidden" not in " ".join(ran(lambda: words("hidden")).result())


# Values and records are those of threads.


def test_what_a_worker_computed_is_never_unpickled_here(
    steps: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = tmp_path / "canary"
    canary.touch()
    monkeypatch.setenv(steps.CANARY, str(canary))
    run = ran(lambda: steps.defuse(steps.explosive()))

    assert run.result() == "Explosive"
    assert len(canary.read_text().split()) == 1  # by the second step
    assert str(os.getpid()) not in canary.read_text()
    run["explosive"].output.load()
    assert str(os.getpid()) in canary.read_text()  # the canary sings


@pytest.mark.parametrize(("first", "then"), [("threads", "processes"), ("processes", "threads")])
def test_threads_and_processes_share_the_cache(steps: Any, first: str, then: str) -> None:
    factor = 3

    @step
    def local(number: int) -> int:
        return factor * number

    def body() -> Any:
        return local(steps.double(steps.double(2))), steps.all_facts(1)

    before, after = ran(body, first), ran(body, then)
    assert [view.status for view in after] == [Status.CACHED] * 4
    assert [view.record.key for view in after] == [view.record.key for view in before]
    assert after.result() == before.result() == (24, 1)


def test_the_inner_hits_are_found_without_a_worker(steps: Any) -> None:
    ran(lambda: steps.double(steps.double(2)))
    run = ran(lambda: (steps.process(1), steps.double(steps.double.with_options(cache=False)(2))))
    assert run["double-2"].status is Status.CACHED


def test_an_error_is_told_as_in_a_thread(steps: Any) -> None:
    here, there = (ran(lambda: steps.raises(3), workers) for workers in ("threads", "processes"))
    assert there["raises"].record.failure == here["raises"].record.failure
    assert there["raises"].logs() == here["raises"].logs()


def test_metadata_and_checkpoints_reach_the_record(steps: Any) -> None:
    run = ran(lambda: steps.all_facts(5))
    assert run["all_facts"].record.metadata == {"number": 5, "attempt": 1}


def test_hooks_are_called_here(steps: Any) -> None:
    told: list[tuple[str, str, int]] = []

    def tell(name: str) -> Callable[[Any], None]:
        return lambda record: told.append((name, record.call, os.getpid()))

    hooks = {name: tell(name) for name in ("on_start", "on_success", "on_failure")}
    ran(lambda: [each.with_options(**hooks)(1) for each in (steps.process, steps.raises)])

    assert sorted(told) == sorted(
        (name, call, os.getpid())
        for name, call in [
            ("on_start", "process"), ("on_success", "process"),
            ("on_start", "raises"), ("on_failure", "raises"),
        ]
    )  # fmt: skip


def test_failures_are_data_where_they_are_collected(steps: Any) -> None:
    run = ran(
        lambda: steps.counts([steps.raises.map([1])[0], steps.leaves.map([2])[0]]),
        failure="collect",
    )
    assert run.result() == 2


def test_after_a_failure_nothing_begins(steps: Any) -> None:
    run = ran(lambda: chained(steps.raises, steps.process), failure="stop")
    assert run["process"].status is Status.PENDING


# What steps say.


def test_what_a_step_says_is_in_its_own_log_and_seen(
    steps: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    run = ran(lambda: chained(steps.says, steps.says.with_options(name="other")))
    shown = "".join(capfd.readouterr())

    for name, number in (("says", 1), ("other", 2)):
        expected = {f"{who} {number}" for who in ("out", "err", "C", "another program")}
        assert set(run[name].logs().splitlines()) == expected
        assert expected <= set(shown.splitlines())


def test_what_a_step_says_is_seen_while_it_runs(steps: Any, tmp_path: Path) -> None:
    script = tmp_path / "saying.py"
    script.write_text(
        "import time\n"
        "from penstock import LocalOrchestrator, LocalArtifactStore, Stack, pipeline, step\n"
        "@step\ndef say() -> None:\n    print('now')\n    time.sleep(60)\n"
        "@pipeline(progress=False)\ndef saying() -> None:\n    say()\n"
        "if __name__ == '__main__':\n"
        "    saying.on(Stack('s', orchestrator=LocalOrchestrator(workers='processes'),\n"
        "        artifact_store=LocalArtifactStore(path='store'))).run()\n"
    )
    run = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "now\n"
    run.terminate()
    run.communicate(timeout=120)


def test_secrets_reach_the_step_and_no_log(steps: Any, capfd: pytest.CaptureFixture[str]) -> None:
    extra = {"secrets": {"TOKEN": Secret("hidden-words")}}
    run = ran(lambda: chained(steps.tells, steps.looks), extra=extra)

    assert run["tells"].output.load() == "hidden-words"[::-1]
    assert run["tells"].logs() == "the token is ***\n"
    assert "hidden-words" not in "".join(capfd.readouterr())


def test_a_variable_of_the_key_is_what_the_step_sees(
    steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(record: object) -> None:
        os.environ["REGION"] = "south"

    monkeypatch.setenv("REGION", "north")
    first = steps.process.with_options(on_success=move)

    def body() -> Any:
        return steps.region.after(first(1))()

    run = ran(body)
    assert run.result() == "south"
    assert '"REGION":"south"' in run["region"].record.parts


# Workers that die.


@pytest.mark.parametrize(
    ("name", "said"),
    [("killed", "SIGKILL"), ("crashes", "SIGSEGV"), ("leaves", "exit code 9")],
)
def test_a_worker_that_dies_is_replaced_and_its_step_says_how(
    steps: Any, name: str, said: str
) -> None:
    run = ran(lambda: (getattr(steps, name)(1), steps.process(2)))
    assert run[name].status is Status.FAILED
    assert said in message(run, name)
    assert run["process"].status is Status.COMPLETED


def test_the_last_words_of_a_worker_are_those_of_its_step(steps: Any) -> None:
    run = ran(lambda: chained(steps.says, steps.killed))
    assert run["killed"].logs().splitlines()[0] == "the last words"


def test_a_crash_shows_no_frame_of_ours(steps: Any) -> None:
    log = ran(lambda: steps.crashes(1))["crashes"].logs()
    assert "worker_steps.py" in log
    assert "penstock/runtime" not in log
    assert "<string>" not in log


def test_a_step_whose_worker_was_killed_is_tried_again(steps: Any) -> None:
    run = ran(lambda: steps.killed_at_first("once"))
    assert run.result() == 2
    assert run["killed_at_first"].record.attempt == 2


def test_a_step_that_ignores_everything_is_killed(
    steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "LATE", 0.3)
    run = ran(lambda: (steps.stubborn(1), steps.process(2)))
    assert run["stubborn"].status is Status.TIMED_OUT
    assert "longer than its timeout of 0.2 s" in message(run, "stubborn")
    assert run["process"].status is Status.COMPLETED


def test_a_worker_whose_step_took_too_long_is_replaced(steps: Any) -> None:
    run = ran(lambda: (steps.too_long("process"), steps.process(1)))
    assert run["too_long"].status is Status.TIMED_OUT
    assert run["process"].output.load() != int(Path("process").read_text())


def test_a_worker_ends_as_programs_do(steps: Any) -> None:
    ran(lambda: steps.says_goodbye("goodbye"))
    assert Path("goodbye").exists()


def test_what_a_worker_cannot_go_on_after_is_what_its_step_fails_with(steps: Any) -> None:
    def body() -> Any:
        doubled = steps.double(2)
        gone = steps.erases.after(doubled)("double")
        fresh = steps.takes_signals.after(gone)(1)  # another worker comes next
        return steps.double.with_options(name="needy").after(fresh)(doubled)

    failure = ran(body)["needy"].record.failure
    assert failure is not None
    assert failure.kind == "CannotRun"
    assert failure.message == "Step needy needs step double, whose result is gone."


def test_workers_that_die_at_their_start_are_one_error(
    steps: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken").mkdir()
    file = str(tmp_path / "starts")
    (tmp_path / "broken" / "sitecustomize.py").write_text(
        f"import os\nwith open({file!r}, 'a') as file:\n    file.write('x')\nos._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(CannotRun, match=r"No worker process can be started.*exit code 7"):
        ran(lambda: steps.process.map([1, 2, 3]), max_workers=2)
    assert 1 <= len(Path(file).read_text()) <= 2


# What a step leaves behind.


def test_what_can_be_put_back_is_put_back(
    steps: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEPT", "y")
    run = ran(lambda: chained(steps.litters, steps.looks))
    pid, (litter, kept, folder, again) = run.result()
    assert (litter, kept, folder) == (None, "y", str(tmp_path))
    assert pid == again
    assert run["looks"].logs() == "looks around\n"


@pytest.mark.parametrize("name", ["leaves_a_thread", "leaves_a_timer", "closes", "takes_signals"])
def test_a_worker_that_cannot_be_trusted_is_replaced(steps: Any, name: str) -> None:
    run = ran(lambda: chained(getattr(steps, name), steps.looks))
    pid, (*_, again) = run.result()
    assert pid != again
    assert run["looks"].logs() == "looks around\n"


# Resources.


def test_each_gpu_is_held_by_one_worker(steps: Any) -> None:
    on_gpu = steps.visible.with_options(resources=Resources(gpu=1))
    run = ran(lambda: on_gpu.map([1, 2]), resources=Resources(gpu=2), max_workers=2)
    assert sorted(run.result()) == [("0", ("0",)), ("1", ("1",))]


def test_steps_wait_for_what_they_ask_for(steps: Any) -> None:
    large = steps.slow_process.with_options(resources=Resources(memory="3Gi"))
    run = ran(lambda: large.map([1, 2]), resources=Resources(memory="4Gi"), max_workers=2)
    first, second = sorted(view.record.started for view in run)
    assert second - first >= 0.3


# What cannot be.


def test_a_store_that_no_worker_reaches_is_one_error(steps: Any) -> None:
    @pipeline(progress=False)
    def running() -> int:
        return steps.process(1)  # type: ignore[no-any-return]

    here = Stack(
        "here",
        orchestrator=LocalOrchestrator(workers="processes"),
        artifact_store=MemoryArtifactStore(path="of this process"),
    )
    with pytest.raises(CannotRun, match="is not there in another process"):
        running.on(here).run()


def test_workers_are_threads_or_processes() -> None:
    wrong: Any = "process"
    with pytest.raises(BadConfiguration, match="'threads' or 'processes' is needed"):
        LocalOrchestrator(workers=wrong)


# The end.

LASTING = """
from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline
from worker_steps import sleeps

@pipeline
def lasting():
    sleeps.with_options(retries=2)("one")
    sleeps.with_options(retries=2, name="other")("two")

if __name__ == "__main__":
    lasting.on(Stack(
        "here",
        orchestrator=LocalOrchestrator(workers="processes", max_workers=2),
        artifact_store=LocalArtifactStore(path="store"),
    )).run()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_run(steps: Any, tmp_path: Path, number: int) -> None:
    (tmp_path / "lasting.py").write_text(LASTING)
    script = subprocess.Popen(
        [sys.executable, "lasting.py"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    workers = [psutil.Process(int(_soon(Path(name)))) for name in ("one", "two")]
    os.killpg(script.pid, number)  # as a terminal does it
    _, said = script.communicate(timeout=120)
    psutil.wait_procs(workers, timeout=120)

    assert not any(worker.is_running() for worker in workers)
    run = Client(stack()).run("last")
    assert run.status is (Status.LOST if number == signal.SIGKILL else Status.STOPPED)
    assert [run[name].status for name in ("sleeps", "other")] == [Status.STOPPED] * 2
    assert said.count("stopped after") == (0 if number == signal.SIGKILL else 2)


def _soon(file: Path) -> str:
    """What is in a file, once there is something."""
    for _ in range(12_000):
        if file.exists() and (text := file.read_text()):
            return text
        time.sleep(0.01)
    raise AssertionError("nothing came of it")
