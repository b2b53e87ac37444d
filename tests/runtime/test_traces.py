"""What a step does to the process that it shares with others, and what becomes of that."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import RunFailed, Stack, Status, pipeline, step

release = threading.Event()


@step(cache=False)
def move(folder: str) -> str:
    os.chdir(folder)
    return os.getcwd()


@step(cache=False)
def place() -> str:
    return os.getcwd()


@step(cache=False)
def leave_thread() -> None:
    threading.Thread(target=release.wait, name="left-behind").start()


@step(cache=False)
def leave(code: object) -> None:
    sys.exit(code)  # type: ignore[arg-type]


@step(cache=False)
def fork(code: int | None) -> int:
    child = os.fork()
    if child == 0:
        if code is not None:
            sys.exit(code)
        return -1
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_working_directory_is_put_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    @pipeline
    def moving() -> tuple[str, str]:
        gone = move("/")
        return gone, place.after(gone)()

    assert moving.run().result() == ("/", str(tmp_path))
    assert os.getcwd() == str(tmp_path)
    said = "  note: move has changed the working directory to /; it is put back\n"
    assert capfd.readouterr().err.count(said) == 1


def test_a_working_directory_that_is_gone_is_put_back_too(tmp_path: Path) -> None:
    @step(cache=False)
    def burn() -> None:
        os.mkdir("burnt")
        os.chdir("burnt")
        os.rmdir("../burnt")

    @pipeline(progress=False)
    def burning() -> None:
        burn()

    burning.run()
    assert os.getcwd() == str(tmp_path)


def test_threads_that_are_left_behind_are_noted(capfd: pytest.CaptureFixture[str]) -> None:
    @pipeline
    def leaving() -> None:
        leave_thread()

    try:
        assert leaving.run().status is Status.COMPLETED
        said = capfd.readouterr().err
    finally:
        release.set()
    assert "  note: steps have left threads running: left-behind\n" in said


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("no", "SystemExit: the step called sys.exit('no')"),
        (0, "SystemExit: the step called sys.exit(0)"),
        (None, "SystemExit: the step called sys.exit(None)"),
    ],
)
def test_exit_in_a_step_fails_the_step_and_no_more(code: object, said: str) -> None:
    @pipeline(progress=False)
    def leaving() -> None:
        leave(code)

    with pytest.raises(RunFailed) as caught:
        leaving.run()
    assert str(caught.value).startswith(f"Step leave of 'leaving' failed: {said}")
    assert caught.value.run.status is Status.FAILED
    assert caught.value.run["leave"].status is Status.FAILED


@pytest.mark.parametrize(("code", "ended"), [(None, 0), (0, 0), (7, 7)])
def test_a_fork_that_comes_out_of_its_step_ends_there(
    stack: Callable[..., Stack], code: int | None, ended: int
) -> None:
    @pipeline(progress=False)
    def forking() -> int:
        return fork(code)

    run = forking.on(stack()).run()
    assert run.result() == ended
    assert run["fork"].status is Status.COMPLETED
