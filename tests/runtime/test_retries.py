"""Retries in a run: which failures are tried again, what is said, and who waits."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Retry, RunFailed, Stack, pipeline, step
from penstock.errors import BadConfiguration
from penstock.stack import Project, Registry

Made = Callable[..., Stack]


class Busy(Exception):
    pass


class VeryBusy(Busy):
    pass


def tried(error: Exception, on: Any) -> int:
    """How often a step that raises this is tried."""
    tries: list[int] = []

    @step(retries=Retry(times=2, delay=0, on=on))
    def failing() -> int:
        tries.append(1)
        raise error

    @pipeline(progress=False)
    def trying() -> int:
        return failing()

    with pytest.raises(RunFailed):
        trying.run()
    return len(tries)


@pytest.mark.parametrize(
    ("error", "on", "times"),
    [
        (ConnectionError(), OSError, 3),
        (ValueError(), OSError, 1),
        (VeryBusy(), Busy, 3),
        (VeryBusy(), f"{__name__}:Busy", 3),
        (Busy(), VeryBusy, 1),
        (ValueError(), (), 3),
    ],
)
def test_only_errors_that_are_named_are_worth_another_attempt(
    error: Exception, on: Any, times: int
) -> None:
    assert tried(error, on) == times


def test_a_note_says_what_failed_and_when_it_is_tried_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tries: list[float] = []

    @step(retries=Retry(times=3, delay=0.05, jitter=0))
    def flaky() -> int:
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise OSError(f"try {len(tries)}\nand more")
        return 1

    @pipeline
    def trying() -> int:
        return flaky()

    trying.run()
    notes = [line for line in capsys.readouterr().err.splitlines() if "note:" in line]
    assert [re.sub(r"again in .* s$", "again in … s", note) for note in notes] == [
        "  note: flaky failed (OSError: try 1), attempt 1 of 4, again in … s",
        "  note: flaky failed (OSError: try 2), attempt 2 of 4, again in … s",
    ]
    assert tries[1] - tries[0] >= 0.05
    assert tries[2] - tries[1] >= 0.1


def test_a_run_that_is_stopped_waits_for_no_attempt(stack: Made) -> None:
    """One step fails and would wait for an hour; meanwhile the run is interrupted."""
    failed = threading.Event()

    @step(retries=Retry(times=5, delay=3600, longest=3600))
    def hopeless() -> int:
        failed.set()
        raise OSError("no")

    @step
    def interrupted() -> int:
        failed.wait(120)
        raise KeyboardInterrupt

    @pipeline(progress=False)
    def stopping() -> Any:
        return interrupted(), hopeless()

    with pytest.raises(KeyboardInterrupt):
        stopping.on(stack(max_workers=2)).run()
    assert Client(stack()).run("last").status == "stopped"
    assert not [thread for thread in threading.enumerate() if thread.name == "penstock-worker"]


def test_a_timeout_is_tried_again_as_any_failure() -> None:
    tries: list[int] = []

    @step(timeout=0.5, retries=Retry(times=1, delay=0, on=TimeoutError))
    def slow() -> int:
        tries.append(1)
        while len(tries) < 2:
            time.sleep(0.001)
        return 1

    @pipeline(progress=False)
    def waiting() -> int:
        return slow()

    assert waiting.run()["slow"].record.attempt == 2


FILE = """
stacks:
  here:
    orchestrator: default
    artifact_store: default
    steps:
      failing: {retries: %s}
"""


@step
def failing(folder: str) -> int:
    with Path(folder, "tries").open("a") as tries:
        tries.write("x")
    raise OSError("no")


@pipeline(progress=False)
def failing_always(folder: str) -> int:
    return failing(folder)


def test_a_stack_in_a_file_says_how_often(tmp_path: Path) -> None:
    Path("penstock.yaml").write_text(FILE % "{times: 2, delay: 0, on: [OSError]}")
    with pytest.raises(RunFailed):
        failing_always.on("here").run(str(tmp_path))
    assert (tmp_path / "tries").read_text() == "xxx"


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("{times: two}", "7:34: The stack 'here', step 'failing': Retry(times='two') does not fit"),
        ("{delay: -1}", "7:34: The stack 'here', step 'failing': Retry(delay=-1) does not fit"),
        ("{backoff: 2}", "7:27: The stack 'here', step 'failing': There is no key of retries 'ba"),
        ("{on: [OSErr]}", "7:31: The stack 'here', step 'failing': Retry(on=['OSErr']): Python ha"),
        ("-1", "7:26: The stack 'here', step 'failing': The step option retries=-1 does not fit"),
    ],
)
def test_what_a_file_says_wrongly_is_complained_of_where_it_stands(
    written: str, complaint: str
) -> None:
    Path("penstock.yaml").write_text(FILE % written)
    with pytest.raises(BadConfiguration) as caught:
        Registry(Project.find()).stack("here")
    assert f"penstock.yaml:{complaint}" in str(caught.value)


MAIN = """
from pathlib import Path
from penstock import Retry, pipeline, step

class Busy(Exception):
    pass

class VeryBusy(Busy):
    pass

@step(retries=Retry(times=2, delay=0, on=Busy))
def flaky(name: str) -> int:
    file = Path(name)
    tries = len(file.read_text()) if file.exists() else 0
    file.write_text("x" * (tries + 1))
    if tries < 2:
        raise VeryBusy(str(tries))
    return tries

@pipeline(progress=False)
def main() -> object:
    return flaky("here"), flaky.with_options(step_operator="apart")("apart")

if __name__ == "__main__":
    print(flaky.options.retries.on)
    print(main.on("here").run().result())
"""

OPERATED = """
step_operators: {apart: {flavor: subprocess}}
stacks: {here: {orchestrator: default, artifact_store: default, step_operators: [apart]}}
"""


def test_errors_of_the_main_program_count_here_and_in_other_processes(
    python: Any, tmp_path: Path
) -> None:
    (tmp_path / "flaking.py").write_text(MAIN)
    (tmp_path / "penstock.yaml").write_text(OPERATED)
    assert python("flaking.py").stdout == "('flaking:Busy',)\n(2, 2)\n"


@pytest.mark.parametrize("name", ["json:NoSuchError", "no_such_module:Error"])
def test_an_error_that_there_is_not_is_told_of(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    @step(retries=Retry(times=2, delay=0, on=name))
    def failing() -> int:
        raise ValueError("no")

    @pipeline
    def trying() -> int:
        return failing()

    with pytest.raises(RunFailed):
        trying.run()
    said = capsys.readouterr().err
    assert said.count(f"note: failing: retries name the error {name!r}, and there is none") == 1


def test_a_timeout_says_where_the_step_was() -> None:
    @step(timeout=0.2)
    def slow() -> int:
        while True:
            time.sleep(0.01)

    @pipeline(progress=False)
    def waiting() -> int:
        return slow()

    with pytest.raises(RunFailed) as caught:
        waiting.run()
    told = caught.value.run["slow"].record.failure.traceback
    assert "time.sleep(0.01)" in told or "while True:" in told
