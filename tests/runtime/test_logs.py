"""Logs: what a step prints and logs belongs to it, and reaches the store whatever happens."""

import io
import logging
import multiprocessing
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, RunFailed, Stack, pipeline, step
from penstock.artifacts.local import LocalArtifactStore
from penstock.runtime import logs
from penstock.runtime.masking import Mask
from penstock.runtime.observer import Silent

Made = Callable[..., Stack]


@pytest.fixture(autouse=True)
def plain_logging() -> Iterator[None]:
    """The root logger as it was, whatever a step has done to it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def logged(body: Callable[[], object]) -> Run[Any]:
    @step(cache=False)
    def said() -> None:
        body()

    @pipeline(progress=False)
    def saying() -> None:
        said()

    return saying.run()


def text_of(body: Callable[[], object]) -> str:
    return str(logged(body)["said"].logs())


def test_what_a_step_prints_is_in_its_log_and_still_on_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert text_of(lambda: print("hello", "you")) == "hello you\n"
    assert capsys.readouterr().out == "hello you\n"


def test_what_a_step_writes_to_stderr_is_in_its_log() -> None:
    assert text_of(lambda: print("oh", file=sys.stderr)) == "oh\n"


def test_what_a_step_logs_is_in_its_log() -> None:
    def body() -> None:
        logging.getLogger("mine").warning("careful with %s", "this")

    assert re.fullmatch(r"\S+ \S+ WARNING mine: careful with this\n", text_of(body))


def test_what_others_leave_beside_a_log_is_no_part_of_it() -> None:
    run = logged(lambda: print("hello"))
    [folder] = Path(".penstock/runs", run.id, "logs").iterdir()
    (folder / "Thumbs.db").mkdir()
    (folder / "desktop.ini").write_text("[.ShellClassInfo]")

    assert run["said"].logs() == "hello\n"
    heard: list[tuple[str, str]] = []
    run.watching(Silent(), lambda *said: heard.append(said), ["said"]).look()
    assert heard == [("said", "hello\n")]


def test_the_levels_of_loggers_hold() -> None:
    def body() -> None:
        logging.getLogger("mine").info("details")

    assert text_of(body) == ""
    logging.getLogger("mine").setLevel(logging.INFO)
    try:
        assert "INFO mine: details" in text_of(body)
    finally:
        logging.getLogger("mine").setLevel(logging.NOTSET)


@pytest.mark.parametrize("where", ["before", "in the step"])
def test_what_is_logged_is_there_once_wherever_logging_is_configured(where: str) -> None:
    def configure() -> None:
        logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)

    def body() -> None:
        if where != "before":
            configure()
        logging.getLogger("mine").info("details")

    if where == "before":
        configure()
    assert text_of(body).count("details") == 1


def test_a_handler_that_a_step_has_left_serves_the_next_run_too() -> None:
    logged(lambda: logging.basicConfig(level=logging.INFO, force=True))
    assert text_of(lambda: logging.getLogger("mine").info("details")).count("details") == 1


def test_a_handler_for_errors_does_not_keep_the_rest_out_of_the_log() -> None:
    def body() -> None:
        handler = logging.StreamHandler()
        handler.setLevel(logging.ERROR)
        logging.root.addHandler(handler)
        logging.root.setLevel(logging.INFO)
        logging.getLogger("mine").info("details")
        logging.getLogger("mine").error("trouble")

    text = text_of(body)
    assert (text.count("details"), text.count("trouble")) == (1, 1)


def test_steps_side_by_side_keep_their_logs_apart(stack: Made) -> None:
    meeting = threading.Barrier(3)

    @step(cache=False)
    def talk(number: int) -> None:
        for _ in range(50):
            print(f"step {number}")
        meeting.wait(120)
        for _ in range(50):
            print(f"step {number}")

    @pipeline(progress=False)
    def talking() -> None:
        talk.map([0, 1, 2])

    run = talking.on(stack(max_workers=3)).run()
    for number in range(3):
        assert run[f"talk.{number}"].logs() == f"step {number}\n" * 100


def test_what_an_async_step_prints_inside_a_running_loop_is_its_own() -> None:
    import asyncio

    @step
    async def said() -> None:
        print("from the loop")

    @pipeline(progress=False)
    def saying() -> None:
        said()

    async def notebook() -> str:
        return str(saying.run()["said"].logs())

    assert asyncio.run(notebook()) == "from the loop\n"


def test_the_log_of_a_cached_step_is_that_of_the_step_that_ran() -> None:
    @step
    def talk() -> int:
        print("once")
        return 1

    @pipeline(progress=False)
    def talking() -> int:
        return talk()

    talking.run()
    assert talking.run()["talk"].logs() == "once\n"


def test_a_failed_step_leaves_its_traceback_in_its_log() -> None:
    def body() -> None:
        print("before")
        raise ValueError("no")

    with pytest.raises(RunFailed) as caught:
        logged(body)
    text = caught.value.run["said"].logs()
    assert text.startswith("before\nTraceback (most recent call last):\n")
    assert text.endswith("ValueError: no\n")


def test_warnings_are_in_the_log() -> None:
    def body() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, *rest: print(message, file=sys.stderr)
            warnings.warn("soon gone", DeprecationWarning, stacklevel=1)

    assert "soon gone" in text_of(body)


def test_garbage_is_kept_as_far_as_text_can_hold_it() -> None:
    assert (
        text_of(lambda: print("nul \0 bell \a half \udc80 ✓")) == "nul \0 bell \a half \\udc80 ✓\n"
    )


def test_bytes_for_a_text_stream_are_the_steps_own_mistake() -> None:
    def body() -> None:
        sys.stdout.write(b"bytes")  # type: ignore[arg-type]

    with pytest.raises(RunFailed, match="TypeError"):
        logged(body)


def test_a_log_has_a_limit_and_says_what_is_missing() -> None:
    text = text_of(lambda: [print("x" * (1 << 20)) for _ in range(20)])
    rest = 20 * ((1 << 20) + 1) - logs.LIMIT
    assert text.endswith(f"\n[{rest:,} more bytes were dropped]\n")
    assert len(text) < logs.LIMIT + 100


def test_the_limit_cuts_no_character_in_two(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "run", "step")
    log.write("x" + "é" * logs.LIMIT)
    log.close()
    text = logs.read(store, "run", "step")
    assert text.endswith(f"é\n[{logs.LIMIT + 2:,} more bytes were dropped]\n")


def test_a_progress_bar_leaves_its_last_state() -> None:
    def body() -> None:
        for number in range(101):
            print(f"\r{number:3}%", end="", flush=True)
        print()

    assert text_of(body) == "100%\n"


def test_a_progress_bar_does_not_reach_the_limit(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "run", "step")
    for number in range(logs.LIMIT // 2048):
        log.write("\r" + f"{number}".rjust(4096))
    log.close()
    assert logs.read(store, "run", "step").strip() == f"{number}"


def test_a_secret_split_over_two_pieces_is_masked(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "run", "step", Mask(["s3cr3t"]))
    for part in ("my s3c", "r3t is", " s3cr"):
        log.write(part)
        log.flush()
    log.close()
    assert logs.read(store, "run", "step") == "my *** is s3cr"


def test_pieces_come_in_their_order(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "run", "step")
    for text in ("one ", "two ", "three"):
        log.write(text)
        log.flush()
    assert logs.read(store, "run", "step") == "one two three"


def test_attempts_come_in_the_order_of_time(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    for number in range(5):
        log = logs.StepLog(store, "run", "step")
        log.write(f"{number}")
        log.close()
    assert logs.read(store, "run", "step") == "01234"


def test_one_huge_line_does_not_break_the_limit() -> None:
    assert len(text_of(lambda: print("x" * (logs.LIMIT + 10)))) < logs.LIMIT + 100


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "run", "step")

    def write() -> None:
        for _ in range(200):
            log.write("x" * 1_000 + "\n")

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert logs.read(store, "run", "step") == ("x" * 1_000 + "\n") * 1_600


def test_a_signal_handler_may_print_in_the_midst_of_printing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def body() -> None:
        def soon() -> None:
            signal.setitimer(signal.ITIMER_REAL, 1e-4)

        def handler(*_: object) -> None:
            print("signal")
            soon()  # not before: on a slow machine they would stand in each other for ever

        before = signal.signal(signal.SIGALRM, handler)
        try:
            soon()
            for _ in range(20_000):
                print("work")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    monkeypatch.setattr(sys, "stdout", io.StringIO())  # a file would refuse it itself
    text = text_of(body)
    assert "signal" in text
    assert text.count("work") == 20_000


# The streams.


def test_the_streams_are_what_they_were_after_a_run() -> None:
    before = sys.stdout, sys.stderr
    logged(lambda: None)
    assert (sys.stdout, sys.stderr) == before


def test_the_streams_are_what_they_were_after_nested_and_overlapping_runs(stack: Made) -> None:
    before = sys.stdout, sys.stderr
    meeting = threading.Barrier(2)
    texts: dict[int, str] = {}

    @step(cache=False)
    def said(number: int) -> None:
        meeting.wait(120)
        print("number", number)
        logged(lambda: print("inner"))
        meeting.wait(120)
        print("again", number)

    @pipeline(progress=False)
    def saying(number: int) -> None:
        said(number)

    def talk(number: int) -> None:
        texts[number] = saying.on(stack()).run(number)["said"].logs()

    threads = [threading.Thread(target=talk, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {1: "number 1\nagain 1\n", 2: "number 2\nagain 2\n"}
    assert (sys.stdout, sys.stderr) == before


def test_a_stream_that_a_step_has_put_in_place_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = io.StringIO()

    def body() -> None:
        sys.stdout = mine

    monkeypatch.setattr(sys, "stdout", sys.stdout)
    logged(body)
    assert sys.stdout is mine


def test_a_stream_wrapped_by_a_step_is_not_logged_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrapper(io.TextIOBase):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def write(self, text: str) -> int:
            return int(self.stream.write(text))

    def body() -> None:
        sys.stdout = Wrapper(sys.stdout)

    monkeypatch.setattr(sys, "stdout", sys.stdout)
    logged(body)
    assert text_of(lambda: print("once")) == "once\n"


def test_a_wrapped_stream_says_of_itself_what_the_real_one_says() -> None:
    found = {}

    def body() -> None:
        found["inside"] = [sys.stdout.encoding, sys.stdout.errors, sys.stdout.writable()]

    logged(body)
    assert found["inside"] == [sys.stdout.encoding, sys.stdout.errors, True]


# What ends early.

KILLED = """
import os, sys, time
from penstock import pipeline, step

@step
def talk() -> None:
    print("here I am", flush=True)
    time.sleep(60)

@pipeline
def talking() -> None:
    talk()

if __name__ == "__main__":
    talking.run()
"""


def test_a_killed_step_leaves_its_log(tmp_path: Path) -> None:
    (tmp_path / "talk.py").write_text(KILLED)
    process = subprocess.Popen(
        [sys.executable, "talk.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while not list(tmp_path.glob(".penstock/runs/*/logs/talk/*")):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    run = Client().run("last")
    assert (run["talk"].logs(), run.status) == ("here I am\n", "lost")


def test_a_log_that_cannot_be_written_stops_no_step(tmp_path: Path) -> None:
    def body() -> None:
        (run,) = (tmp_path / ".penstock" / "runs").iterdir()
        (run / "logs").write_text("in the way")
        print("lost")

    assert logged(body).status == "completed"


def in_child() -> None:
    print("from the child")


def test_a_forked_child_of_a_step_has_its_own_piece_of_the_log() -> None:
    def body() -> None:
        print("before")
        child = multiprocessing.get_context("fork").Process(target=in_child)
        child.start()
        child.join()
        assert child.exitcode == 0
        print("after")

    lines = text_of(body).splitlines()
    assert sorted(lines) == ["after", "before", "from the child"]


def test_a_step_may_configure_logging(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import logging\nfrom penstock import pipeline, step\n"
        "@step\ndef load() -> None:\n"
        "    logging.getLogger('mine').warning('unconfigured')\n"
        "@step\ndef later() -> None:\n"
        "    logging.basicConfig(level='INFO')\n    logging.info('configured')\n"
        "@pipeline\ndef main() -> None:\n    load()\n    later.after('load')()\n"
        "run = main.run()\nprint(run['load'].logs(), run['later'].logs())\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert "unconfigured" in done.stderr
    assert "INFO:root:configured" in done.stderr
    assert "unconfigured" in done.stdout
    assert "INFO:root:configured" in done.stdout


def test_a_traceback_has_room_in_a_log_that_is_full(tmp_path: Path) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    log = logs.StepLog(store, "r", "c")
    log.write("x" * (logs.LIMIT + 3))
    log.conclude("ValueError: the end\n")
    log.close()
    assert logs.read(store, "r", "c").endswith(
        "x\n[3 more bytes were dropped]\nValueError: the end\n"
    )
