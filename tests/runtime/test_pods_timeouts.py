"""Timeouts in pods: nobody above ends a process whose step does not come back."""

import sys
from collections.abc import Iterator

import pods
import pytest
from pods import Cluster, Ended

from penstock import Status

STUCK = """
import asyncio
import ctypes
import os
import signal
import sys
import time

from penstock import pipeline, step
from told import tell

TIME = 0.5

def blocked(library):
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):  # the second one waits for the first, whatever signal comes
        library.pthread_mutex_lock(mutex)

@step(timeout=TIME, on_failure=tell("failure"))
def sleeps() -> int:
    print("going to sleep", flush=True)
    time.sleep(300)
    return 1

@step(timeout=TIME)
def suppresses() -> int:
    try:
        time.sleep(300)
    except BaseException:
        return 1

@step(timeout=TIME)
async def never_awaits() -> int:
    time.sleep(300)
    return 1

@step(timeout=TIME, on_failure=tell("failure"))
def waits_in_c() -> int:
    print("in C", flush=True)
    blocked(ctypes.CDLL(None))
    return 1

@step(timeout=TIME)
def holds_on() -> int:
    while True:
        try:
            time.sleep(300)
        except BaseException:
            pass

@step(timeout=TIME)
def keeps_python() -> int:
    blocked(ctypes.PyDLL(None))
    return 1

@step(timeout=20)
def in_time() -> int:
    return 1

@step(timeout=20)
def own_alarm() -> int:
    rung = []
    signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    time.sleep(0.2)
    return len(rung)

@step(timeout=20)
def forks() -> int:
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(3)

@step(timeout=TIME)
def item(x: int) -> int:
    if x == 0 and "STUCK" in os.environ:
        blocked(ctypes.CDLL(None))
    return x

@pipeline(progress=False)
def stuck():
    return (sleeps(), suppresses(), never_awaits(), waits_in_c(), holds_on(), keeps_python(),
            in_time(), own_alarm(), forks(), item.map([0, 1, 2, 3]))
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("stuck")
    pods.write_project(folder)
    (folder / "stuck.py").write_text(STUCK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        yield pods.compiled(folder, __import__("stuck").stuck)
    for name in ("stuck", "told"):
        sys.modules.pop(name, None)
    pods.end_all()


@pytest.fixture(scope="module")
def killed(cluster: Cluster) -> dict[str, Ended]:
    """Steps that do not come back, in pods that run at once."""
    return ended(cluster, "waits_in_c", "holds_on", "keeps_python", "item:0/2")


def ended(cluster: Cluster, *calls: str) -> dict[str, Ended]:
    """These steps, carried out at once."""
    told = {"TOLD": str(cluster.folder / "told.txt"), "STUCK": "1"}
    started = {call: cluster.start(call, environment=told) for call in calls}
    found = {}
    for call, process in started.items():
        out, err = process.communicate(timeout=60)
        found[call] = Ended(process.returncode, out, err)
    return found


def hint(cluster: Cluster, call: str) -> str:
    """What is said of a step that took too long."""
    view = cluster.records[call]
    assert view.status is Status.TIMED_OUT
    failure = view.record.failure
    assert failure is not None
    assert failure.kind == "StepTimeout"
    message, _, hint = failure.message.partition("\n")
    assert message == f"Step {call} took longer than its timeout of 0.5 s."
    return hint


def heard(cluster: Cluster) -> list[str]:
    """What hooks were told."""
    return (cluster.folder / "told.txt").read_text().splitlines()


def test_a_step_is_called_out_of_what_it_waits_for(cluster: Cluster) -> None:
    found = ended(cluster, "sleeps", "suppresses", "never_awaits")
    assert [each.code for each in found.values()] == [1, 1, 1]
    for call in ("sleeps", "suppresses", "never_awaits"):
        assert "It was interrupted in what it did" in hint(cluster, call)
    logged = cluster.records["sleeps"].logs()
    assert logged.startswith("going to sleep\n")
    assert "time.sleep(300)" in logged
    assert "alarm.py" not in logged
    assert "failure sleeps timed_out" in heard(cluster)


def test_a_limit_is_the_steps_own_and_of_no_process_that_it_forks(cluster: Cluster) -> None:
    found = ended(cluster, "in_time", "own_alarm", "forks")
    assert [each.code for each in found.values()] == [0, 0, 0]
    run = cluster.records
    assert [run[call].output.load() for call in found] == [1, 1, 3]


def test_a_step_that_does_not_come_back_ends_with_its_process(
    cluster: Cluster, killed: dict[str, Ended]
) -> None:
    for call in ("waits_in_c", "holds_on"):
        assert killed[call].code == 1
        assert "its process was killed" in hint(cluster, call)
        assert "its process was killed" in killed[call].err
    view = cluster.records["waits_in_c"]
    assert view.logs().startswith("in C\n")
    assert "its process was killed" in view.logs()
    assert "in blocked\n    library.pthread_mutex_lock" in view.logs()
    assert "penstock/runtime" not in view.logs()
    assert view.record.wall > 5
    assert view.record.key
    assert "failure waits_in_c timed_out" in heard(cluster)


def test_where_no_python_runs_any_more_one_sees_at_least_where_it_was(
    cluster: Cluster, killed: dict[str, Ended]
) -> None:
    assert killed["keeps_python"].code == 1
    assert "in blocked" in killed["keeps_python"].err
    assert not cluster.ledger.attempts(cluster.records.id, "keeps_python")


def test_the_next_pod_does_what_a_killed_one_has_left(
    cluster: Cluster, killed: dict[str, Ended]
) -> None:
    assert killed["item:0/2"].code == 1
    run = cluster.records
    folder = cluster.folder / "store" / "runs" / run.id
    assert not (folder / "beats" / "item.0-2").exists()
    assert not (folder / "steps" / "item.1.json").exists()
    cluster.pod("item:0/2")
    assert [run[f"item.{place}"].output.load() for place in range(2)] == [0, 1]
    assert [run[f"item.{place}"].record.attempt for place in range(2)] == [2, 1]
