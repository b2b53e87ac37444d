"""What has reached a store that is far away when a process ends, or another one needs it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock import Client, Run, Status
from penstock.artifacts.values import Values
from penstock.runtime.ledger import Ledger

STEPS = Path(__file__).with_name("outbox_steps.py")
ROUNDS = 3

Script = Callable[..., "subprocess.CompletedProcess[str]"]


def written(latency: float, **options: str) -> str:
    told = "".join(f", {name}: {value}" for name, value in options.items())
    return (
        "active: far\n"
        f"orchestrators: {{here: {{flavor: local{told}}}}}\n"
        f"artifact_stores: {{far: {{flavor: far-away, path: store, latency: {latency}}}}}\n"
        "step_operators: {apart: {flavor: subprocess}}\n"
        'flavors: {artifact-store: {far-away: "outbox_steps:FarAway"}}\n'
        "stacks: {far: {orchestrator: here, artifact_store: far, step_operators: [apart]}}\n"
    )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "outbox_steps.py").write_text(STEPS.read_text())
    (tmp_path / "penstock.yaml").write_text(written(0.1))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("outbox_steps", None)


def started(project: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "outbox_steps.py", *words],
        cwd=project, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def done(project: Path, *words: str, code: int = 0) -> str:
    process = started(project, *words)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    return said


def until(there: Path, process: "subprocess.Popen[str]") -> None:
    while not there.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def runs() -> list[Run[object]]:
    """The newest first."""
    return Client().runs()


def named(run: str, project: Path) -> list[str]:
    """The steps of which there are records."""
    return sorted(each.stem for each in (project / f"store/runs/{run}/steps").glob("*.json"))


def halves() -> list[str]:
    """Records that cannot be read, or of which an object is not there."""
    store = Client().active_stack.artifact_store
    ledger, values = Ledger(store, make=False), Values(store, lambda names: None)  # type: ignore[arg-type, return-value]
    found = []
    for run in ledger.runs():
        for call in named(run, Path.cwd()):
            record = ledger.step(run, call)
            assert record is not None
            found += [call for each in record.outputs.values() if not values.is_there(each)]
    return found


def ran(run: Run[object]) -> list[str]:
    return [view.id for view in run if view.status is Status.COMPLETED]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_writes_what_was_finished(project: Path, number: int) -> None:
    process = started(project, "chain")
    until(project / "sleeps", process)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode in (128 + number, -number), said
    (run,) = runs()
    assert run.status is Status.STOPPED
    assert ran(run) == ["made", "more", "more-2", "more-3", "more-4", "more-5"]
    assert halves() == []

    (project / "awake").touch()
    done(project, "chain")
    assert ran(runs()[0]) == ["asleep"]


def test_a_killed_run_leaves_nothing_half_and_the_next_one_goes_on(project: Path) -> None:
    chance = random.Random(6)
    (project / "penstock.yaml").write_text(written(0.05))
    for _ in range(ROUNDS):
        (project / "sleeps").unlink(missing_ok=True)
        process = started(project, "branches")
        until(project / "sleeps", process)
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.communicate()
        assert halves() == []
    (project / "awake").touch()
    had = {call for run in runs() for call in named(run.id, project)}
    done(project, "branches")
    last = runs()[0]
    assert last.status is Status.COMPLETED
    assert had.isdisjoint(ran(last))


def test_what_a_run_has_finished_is_there_when_it_ends(project: Path) -> None:
    (project / "awake").touch()
    done(project, "chain", "--die", code=-signal.SIGKILL)
    (run,) = runs()
    assert (run.status, len(ran(run)), halves()) == (Status.COMPLETED, 7, [])


def test_a_store_that_fails_is_one_error_and_exit_code_5(project: Path) -> None:
    (project / "awake").touch()
    (project / "refused").write_text("steps/more-3")
    said = done(project, "chain", code=5)
    assert "Error: The store refuses runs/" in said
    assert "Traceback" not in said
    (run,) = runs()
    assert run.status is Status.STOPPED
    assert {"made", "more", "more-2"} <= set(ran(run))

    (project / "refused").unlink()
    done(project, "chain", "--resume", "last")
    assert runs()[0].status is Status.COMPLETED


def test_a_step_operator_finds_what_the_steps_before_it_gave(project: Path) -> None:
    done(project, "apart")
    assert runs()[0].result() == [7] * 2000


def test_a_worker_finds_what_was_taken_from_the_cache_just_before(project: Path) -> None:
    (project / "penstock.yaml").write_text(written(0.1, workers="processes", max_workers="2"))
    done(project, "hits")
    (project / "outbox_steps.py").write_text(
        STEPS.read_text().replace("more(more(made(rounded(number)), 1), 2)",
                                  "more(more(made(rounded(number)), 1), 9)")
    )  # fmt: skip
    done(project, "hits", "--number", "3.2")
    last = runs()[0]
    assert (last.result(), ran(last)) == ([13] * 2000, ["rounded", "more-2"])


def test_a_run_on_this_machine_needs_no_outbox(project: Path) -> None:
    (project / "penstock.yaml").unlink()
    (project / "awake").touch()
    code = (
        "import sys, threading; from outbox_steps import chain\n"
        "chain.run()\n"
        "print([name for name in sys.modules if name.endswith(('.outbox', '.sending'))],\n"
        "      [each.name for each in threading.enumerate() if 'outbox' in each.name])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=project, text=True, capture_output=True, check=True
    )
    assert found.stdout.strip() == "[] []"
