"""A server that dies in the middle is waited for once, and by nobody who has said that it is
enough."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from places import maker
from servers import KEY, REGION, SECRET, Server

from penstock.errors import StoreUnavailable
from penstock.testing.asked import Request
from penstock.testing.faults import SLOW_DOWN, Fault, Hang
from penstock.testing.proxy import FaultProxy
from penstock_s3 import S3ArtifactStore

STEPS = Path(__file__).with_name("dying_steps.py")

DEADLINE = 5.0
LONG = 120.0
"""The deadline where nobody may wait for it."""


class Plan:
    """What answers, or hangs, or is busy for some requests."""

    def __init__(self) -> None:
        self.is_dead = self.reads = False
        self.hangs = threading.Event()
        self.busy = 0

    def __call__(self, asked: Request) -> Fault | None:
        if self.is_dead and not (self.reads and asked.method == "GET"):
            self.hangs.set()
            return Hang()
        self.busy -= 1
        return SLOW_DOWN if self.busy >= 0 else None


@pytest.fixture
def plan() -> Plan:
    return Plan()


@pytest.fixture
def store(moto: Server, plan: Plan) -> Iterator[S3ArtifactStore]:
    with FaultProxy(moto.url, plan=plan) as proxy:
        make = maker(moto)
        patient = make("p", through=proxy)
        patient.put("here", [b"data"])
        store = make("p", through=proxy, deadline=DEADLINE)
        store.learn(patient.abilities())
        plan.is_dead = True
        yield store


def seconds_of(work: Callable[[], object]) -> float:
    begin = time.monotonic()
    with pytest.raises(StoreUnavailable):
        work()
    return time.monotonic() - begin


def test_after_one_deadline_nobody_waits_for_another(store: S3ArtifactStore) -> None:
    seconds_of(lambda: store.get("here"))
    assert seconds_of(lambda: store.put("there", [b"data"])) < DEADLINE * 0.9


def test_who_waits_at_the_same_time_gives_up_at_the_same_time(
    store: S3ArtifactStore, plan: Plan
) -> None:
    waiting = threading.Thread(target=lambda: seconds_of(lambda: store.get("here")))
    waiting.start()
    assert plan.hangs.wait(LONG)
    waiting.join(DEADLINE * 2 / 3)
    assert seconds_of(lambda: store.stat("here")) < DEADLINE * 0.9
    waiting.join()


def test_many_who_wait_are_one_error(store: S3ArtifactStore) -> None:
    assert seconds_of(lambda: store.get_all(map(str, range(100)))) < DEADLINE * 3


def test_a_server_that_is_back_is_used_at_once(store: S3ArtifactStore, plan: Plan) -> None:
    seconds_of(lambda: store.get("here"))
    plan.is_dead = False
    assert store.get("here") == b"data"
    plan.busy = 4
    store.put("there", [b"data"])
    assert plan.busy < 0


def test_an_error_has_no_chain_and_the_client_s_is_in_the_log(
    store: S3ArtifactStore, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG", "penstock.s3"), pytest.raises(StoreUnavailable) as caught:
        store.get("here")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "TimeoutError" in caplog.text


def test_who_cannot_write_waits_once_though_reads_are_answered(
    store: S3ArtifactStore, plan: Plan
) -> None:
    plan.reads = True
    seconds_of(lambda: store.put("there", [b"data"]))
    assert store.get("here") == b"data"
    assert seconds_of(lambda: store.put("there", [b"data"])) < DEADLINE * 0.9


class Dying:
    """A server, and processes that run pipelines on it until a step sleeps."""

    def __init__(self, folder: Path, server: Server) -> None:
        self._folder = folder
        self.server = server
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *words: str, deadline: float) -> None:
        folder = self._folder / str(len(self.processes))
        folder.mkdir()
        (folder / "dying_steps.py").write_text(STEPS.read_text())
        (folder / "penstock.yaml").write_text(
            "artifact_stores:\n"
            f"  far: {{flavor: s3, path: 's3://bucket/{folder.name}', region: {REGION}, "
            f"endpoint_url: '{self.server.url}', deadline: {deadline}}}\n"
            "stacks: {far: {orchestrator: default, artifact_store: far}}\n"
        )
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        self.processes.append(
            subprocess.Popen(
                [sys.executable, "dying_steps.py", *words],
                cwd=folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                env={**os.environ, **keys, "PENSTOCK_STACK": "far"},
            )
        )  # fmt: skip

    def die(self) -> None:
        """As soon as all sleep. Then they wake up."""
        for number, process in enumerate(self.processes):
            while not (self._folder / f"{number}/sleeps").exists():
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
        self.server.send(signal.SIGSTOP)
        for number in range(len(self.processes)):
            (self._folder / f"{number}/awake").touch()

    def said(self, number: int) -> str:
        """All that a process has told, when it has ended."""
        return self.processes[number].communicate(timeout=LONG * 3 / 4)[1]


@pytest.fixture
def dying(tmp_path: Path) -> Iterator[Dying]:
    with Server("moto") as server:
        dying = Dying(tmp_path, server)
        yield dying
        for process in dying.processes:
            process.kill()
            process.communicate()
        server.send(signal.SIGKILL)


def test_a_server_that_dies_is_one_message_with_one_cause(dying: Dying) -> None:
    dying.start("chain", "run", deadline=DEADLINE)
    dying.start("chain", deadline=DEADLINE)
    dying.die()
    by_command, by_python = dying.said(0), dying.said(1)
    assert dying.processes[0].returncode == 5
    assert by_command.count("artifact store 'far'") == 1
    assert by_command.count("Error: ") == 1
    assert by_python.count("Traceback") == by_python.count("artifact store 'far'") == 1
    assert "penstock_s3/" not in by_python


def test_a_server_that_stands_still_keeps_nobody_who_wants_to_end_and_others_wait_for_it(
    dying: Dying,
) -> None:
    numbers = {"chain": signal.SIGTERM, "branches": signal.SIGINT}
    for name in (*numbers, "chain"):
        dying.start(name, "run", deadline=LONG)
    dying.die()
    time.sleep(1)  # now they wait for the server
    *ended, waiting = dying.processes
    for process, number in zip(ended, numbers.values(), strict=True):
        process.send_signal(number)
    for each, number in enumerate(numbers.values()):
        said = dying.said(each)
        assert ended[each].returncode == 128 + number, said
        assert "finished step" in said
        assert said.count("not written down: ") == said.count("artifact store 'far'") == 1

    assert waiting.stderr is not None
    assert next(line for line in waiting.stderr if "waiting for the artifact store 'far'" in line)
    dying.server.send(signal.SIGCONT)
    said = dying.said(2)
    assert waiting.returncode == 0, said
    assert "completed" in said
