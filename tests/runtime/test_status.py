"""Whether a run goes on, has ended or is lost, seen from this machine and from others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from penstock import LocalArtifactStore, Run, Status
from penstock.artifacts.store import Entry
from penstock.artifacts.values import Values
from penstock.model.records import RunRecord
from penstock.runtime import processes
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.ledger import Ledger
from penstock.runtime.notation import End
from penstock.runtime.status import BEAT, MISSED, run_status

RUN = "20261122-005412-k3fq-7f3a"
LONG_AGO = 1_000_000_000.0
ME = RunRecord(
    run=RUN, pipeline="training", reference="train:training", plan="ab" * 32, parameters={},
    stack="default", stack_origin="the default", orchestrator="local", user="ann", host="laptop",
    process=os.getpid(), started=LONG_AGO, code="cd" * 32, commit=None, versions={},
    calls=("load", "train"), hits={}, machine=processes.machine(),
    process_started=processes.started(os.getpid()),
)  # fmt: skip
ELSEWHERE = replace(ME, machine="another")


@dataclass(frozen=True, kw_only=True)
class ClockStore(LocalArtifactStore):
    """A store whose clock the test sets: all of its files were written `LONG_AGO`, or later."""

    flavor: ClassVar[str] = "clock"
    times: ClassVar[dict[str, float]] = {"now": LONG_AGO, "run.json": LONG_AGO, "beat": LONG_AGO}

    def clock(self) -> float:
        return self.times["now"]

    def stat(self, key: str) -> Entry:
        found = super().stat(key)
        return replace(found, modified=self.times.get(found.name, found.modified))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(LocalArtifactStore(path=str(tmp_path / "store")))


@pytest.fixture
def far(tmp_path: Path) -> Callable[..., Ledger]:
    """The store of a run on another machine; its clock and the times of its files may be set."""

    def begun(**times: float) -> Ledger:
        ClockStore.times.update({"now": LONG_AGO, "run.json": LONG_AGO, "beat": LONG_AGO, **times})
        ledger = Ledger(ClockStore(path=str(tmp_path / "store")))
        ledger.begin(ELSEWHERE)
        return ledger

    return begun


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def of(process: int, **fields: Any) -> RunRecord:
    return replace(ME, process=process, **{"process_started": processes.started(process), **fields})


# On the machine that runs it.


def test_a_run_of_a_process_that_is_there_is_running(ledger: Ledger) -> None:
    ledger.begin(ME)
    assert run_status(ledger, ME) is Status.RUNNING


def test_a_run_whose_process_has_gone_is_lost_at_once(
    ledger: Ledger, sleeper: "subprocess.Popen[bytes]"
) -> None:
    record = of(sleeper.pid)
    ledger.begin(record)
    assert run_status(ledger, record) is Status.RUNNING
    sleeper.kill()
    sleeper.wait()
    assert run_status(ledger, record) is Status.LOST


def test_a_process_that_got_the_id_of_one_that_has_gone_is_another(ledger: Ledger) -> None:
    record = of(os.getpid(), process_started="1")
    ledger.begin(record)
    assert run_status(ledger, record) is Status.LOST


def test_a_dead_process_that_nobody_has_asked_after_is_dead(
    ledger: Ledger, sleeper: "subprocess.Popen[bytes]"
) -> None:
    record = of(sleeper.pid)
    ledger.begin(record)
    sleeper.kill()
    until(lambda: run_status(ledger, record) is Status.LOST)
    os.kill(sleeper.pid, 0)  # its id is still taken
    assert sleeper.wait() == -signal.SIGKILL


def test_a_process_that_was_halted_is_not_dead(
    ledger: Ledger, sleeper: "subprocess.Popen[bytes]"
) -> None:
    record = of(sleeper.pid)
    ledger.begin(record)
    sleeper.send_signal(signal.SIGSTOP)
    assert run_status(ledger, record) is Status.RUNNING


def test_a_process_of_somebody_else_is_there(ledger: Ledger) -> None:
    record = of(1)
    ledger.begin(record)
    assert run_status(ledger, record) is Status.RUNNING


def test_looking_at_a_run_of_ones_own_machine_asks_no_clock(tmp_path: Path) -> None:
    class NoClock(LocalArtifactStore):
        def clock(self) -> float:
            raise AssertionError("asked")

    ledger = Ledger(NoClock(path=str(tmp_path / "store")))
    ledger.begin(ME)
    assert run_status(ledger, ME) is Status.RUNNING


def test_the_machine_is_the_same_for_all_its_processes() -> None:
    code = "from penstock.runtime import processes; print(processes.machine())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == processes.machine()


def test_a_process_with_any_name_says_when_it_started(tmp_path: Path) -> None:
    odd = tmp_path / "a) R 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"]) as process:
        until(lambda: b"a) R" in Path(f"/proc/{process.pid}/stat").read_bytes())
        assert int(processes.started(process.pid)) >= int(processes.started(os.getpid()))
        process.kill()


# On any other.


@pytest.mark.parametrize(
    ("times", "status"),
    [
        ({}, Status.RUNNING),
        ({"now": LONG_AGO + MISSED * BEAT}, Status.RUNNING),
        ({"now": LONG_AGO + MISSED * BEAT + 1}, Status.LOST),
        ({"now": LONG_AGO - 3600}, Status.RUNNING),
    ],
)
def test_elsewhere_a_run_is_lost_after_six_beats_by_the_clock_of_the_store(
    times: dict[str, float], status: Status, far: Callable[..., Ledger]
) -> None:
    assert run_status(far(**times), ELSEWHERE) is status


def test_a_beat_keeps_a_run_alive(far: Callable[..., Ledger]) -> None:
    ledger = far(now=LONG_AGO + 3600, beat=LONG_AGO + 3600 - BEAT)
    assert run_status(ledger, ELSEWHERE) is Status.LOST
    ledger.beat(RUN, {"train": 1.0})
    assert run_status(ledger, ELSEWHERE) is Status.RUNNING


def test_a_lost_run_that_beats_again_is_running(far: Callable[..., Ledger]) -> None:
    ledger = far(now=LONG_AGO + 3600)
    ledger.beat(RUN, {})
    assert run_status(ledger, ELSEWHERE) is Status.LOST
    ClockStore.times["beat"] = LONG_AGO + 3600
    assert run_status(ledger, ELSEWHERE) is Status.RUNNING


def test_a_record_without_a_machine_is_of_another_one(far: Callable[..., Ledger]) -> None:
    ledger = far(now=LONG_AGO + 3600)
    assert run_status(ledger, replace(ME, machine="")) is Status.LOST


# What is written down.


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.STOPPED])
@pytest.mark.parametrize("record", [ME, of(os.getpid(), process_started="1"), ELSEWHERE])
def test_a_seal_wins_over_everything(
    status: Status, record: RunRecord, far: Callable[..., Ledger]
) -> None:
    ledger = far(now=LONG_AGO + 3600)
    ledger.end(End(RUN, status, LONG_AGO, {}))
    assert run_status(ledger, record) is status


def test_a_run_that_is_sealed_while_one_looks_is_not_lost(tmp_path: Path) -> None:
    record = of(os.getpid(), process_started="1")

    class Late(Ledger):
        """Here somebody writes the seal between the first look for it and the next."""

        looks = 0

        def sealed(self, run: str) -> End | None:
            self.looks += 1
            if self.looks == 2:
                self.end(End(RUN, Status.STOPPED, LONG_AGO, {}, "Ctrl-C"))
            return super().sealed(run)

    ledger = Late(LocalArtifactStore(path=str(tmp_path / "store")))
    ledger.begin(record)
    assert run_status(ledger, record) is Status.STOPPED


def test_what_was_cancelled_says_by_whom(ledger: Ledger) -> None:
    assert ledger.cancelled(RUN) is None
    ledger.cancel(RUN, "ann", "laptop")
    assert ledger.cancelled(RUN) == "cancelled by ann on laptop"


def test_a_request_to_cancel_counts_whatever_is_in_it(ledger: Ledger) -> None:
    ledger.store.put(f"runs/{RUN}/cancel", [b"\xff"])
    assert ledger.cancelled(RUN) == "cancelled"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"running": [1]}', b'{"running": {"a": ""}}'])
def test_a_beat_that_cannot_be_read_names_no_steps(data: bytes, ledger: Ledger) -> None:
    ledger.store.put(f"runs/{RUN}/beat", [data])
    assert ledger.running(RUN) == {}


def test_the_clock_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path))
    before = store.clock()
    store.put("a", [b"x"])
    assert before <= store.stat("a").modified <= store.clock()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_folder_that_cannot_be_written_has_a_clock(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert abs(LocalArtifactStore(path=str(tmp_path / "file")).clock() - time.time()) < 60


def until(condition: Callable[[], bool]) -> None:
    """Wait for what is bound to happen."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_step_that_ran_when_its_run_was_lost_is_lost(
    ledger: Ledger, sleeper: "subprocess.Popen[bytes]"
) -> None:
    record = of(sleeper.pid)
    ledger.begin(record)
    call = record.calls[0]
    ledger.beat(record.run, {call: time.time() - 5})
    sleeper.kill()
    sleeper.wait()
    run: Run[Any] = Run(ledger, Values(ledger.store, Fingerprints().of_names), record)
    assert run[call].status is Status.LOST
    assert run[call].record.wall > 4
