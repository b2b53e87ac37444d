"""Capture: whose words they are, and that they go where they always go."""

import io
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from penstock import Run, RunFailed, Stack, pipeline, step
from penstock.artifacts.local import LocalArtifactStore
from penstock.runtime import logs
from penstock.runtime.capturing import capture
from penstock.runtime.masking import Mask

Made = Callable[..., Stack]
Python = Callable[..., "subprocess.CompletedProcess[str]"]


def said_in(*bodies: Callable[[], object]) -> Run[Any]:
    """A run of steps, one after the other, that do this."""

    @step(cache=False)
    def said(number: int, after: object) -> int:
        bodies[number]()
        return number

    @pipeline(progress=False)
    def saying() -> None:
        last: Any = None
        for number in range(len(bodies)):
            last = said(number, last)

    return saying.run()


def text_of(body: Callable[[], object]) -> str:
    return str(said_in(body)["said"].logs())


# Order.


def test_prints_logging_and_stderr_keep_their_order() -> None:
    def body() -> None:
        logging.getLogger("mine").setLevel(logging.INFO)
        print("1")
        logging.getLogger("mine").info("2")
        print("3", end=" ")
        print("4", file=sys.stderr)
        sys.stdout.buffer.write(b"5\n")

    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    try:
        text = text_of(body)
    finally:
        logging.root.removeHandler(handler)
        logging.getLogger("mine").setLevel(logging.NOTSET)
    assert re.findall(r"\b\d\b(?=\n| )", re.sub(r"\S+ \S+ INFO mine: ", "", text)) == list("12345")


def test_many_prints_lose_nothing() -> None:
    text = text_of(lambda: [print(f"line {number}") for number in range(50_000)])
    assert text == "".join(f"line {number}\n" for number in range(50_000))


# Threads.


def speak_in_a_thread() -> None:
    thread = threading.Thread(target=print, args=("from a thread",), name="mine")
    thread.start()
    thread.join()


def test_what_a_thread_of_a_step_says_belongs_to_the_step() -> None:
    run = said_in(speak_in_a_thread)
    assert (run["said"].logs(), run.logs()) == ("from a thread\n", "")


def test_threads_of_steps_side_by_side_belong_to_their_steps(stack: Made) -> None:
    meeting = threading.Barrier(2)

    @step(cache=False)
    def talk(number: int) -> None:
        meeting.wait(120)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(print, [f"step {number}"] * 100))
        meeting.wait(120)

    @pipeline(progress=False)
    def talking() -> None:
        talk.map([0, 1])

    run = talking.on(stack(max_workers=2)).run()
    for number in range(2):
        assert run[f"talk.{number}"].logs().count(f"step {number}") == 100
        assert run[f"talk.{number}"].logs().count("step") == 100


def test_threads_keep_the_order_of_their_own_lines() -> None:
    def talk(name: str) -> None:
        for number in range(20_000):
            sys.stdout.write(f"{name}{number}\n")

    def body() -> None:
        threads = [threading.Thread(target=talk, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = text_of(body).splitlines()
    for name in "ab":
        assert [line for line in lines if line[0] == name] == [f"{name}{n}" for n in range(20_000)]


def test_a_thread_that_outlives_its_step_is_heard_in_the_run() -> None:
    go, gone = threading.Event(), threading.Event()

    def late() -> None:
        go.wait(120)
        print("late")
        gone.set()

    def first() -> None:
        threading.Thread(target=late).start()

    def second() -> None:
        go.set()
        gone.wait(120)

    run = said_in(first, second)
    assert "late\n" in run["said-2"].logs() + run.logs()


def test_a_write_that_was_kept_from_an_earlier_step_still_speaks() -> None:
    kept: list[Callable[[str], int]] = []

    def first() -> None:
        print("first")
        kept.append(sys.stdout.write)

    run = said_in(first, lambda: kept[0]("kept\n"))
    assert (run["said"].logs(), run["said-2"].logs()) == ("first\n", "kept\n")


def test_threads_start_as_they_did_before_the_run() -> None:
    before = threading.Thread.start
    said_in(lambda: None)
    assert threading.Thread.start is before


def test_whoever_wraps_the_start_of_threads_in_a_step_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    calls: list[str] = []

    def body() -> None:
        inner = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            calls.append(thread.name)
            inner(thread)

        threading.Thread.start = start  # type: ignore[method-assign]

    said_in(body)
    calls.clear()
    for _ in range(2):
        assert text_of(speak_in_a_thread) == "from a thread\n"
    assert calls.count("mine") == 2


# Steps side by side.


def test_lines_of_steps_side_by_side_are_whole(
    stack: Made, capfd: pytest.CaptureFixture[str]
) -> None:
    meeting = threading.Barrier(3)

    @step(cache=False)
    def talk(number: int) -> None:
        meeting.wait(120)
        for _ in range(2_000):
            print(number, number, number)
        meeting.wait(120)

    @pipeline(progress=False)
    def talking() -> None:
        talk.map([0, 1, 2])

    run = talking.on(stack(max_workers=3)).run()
    lines = capfd.readouterr().out.splitlines()
    assert sorted(lines) == sorted(f"{n} {n} {n}" for n in range(3) for _ in range(2_000))
    for number in range(3):
        assert run[f"talk.{number}"].logs() == f"{number} {number} {number}\n" * 2_000


# Streams that are closed, full, gone, or strange.

SPEAKS = """
import os, sys
from penstock import Client, pipeline, step

@step(cache=False)
def talk(number: int) -> int:
    for line in range(200):
        print(f"line {number} {line} é✓")
    return number

@pipeline(progress=False)
def talking() -> int:
    return talk(talk(1))

run = talking.run()
text = run["talk"].logs() + run["talk-2"].logs()
assert text == "".join(f"line 1 {line} é✓\\n" for line in range(200)) * 2, text
sys.stderr.write("well\\n")
"""


@pytest.mark.parametrize(
    "command",
    [
        "{python} talk.py | head -1 | cat",
        "{python} talk.py >/dev/full",
        "{python} talk.py >&-",
        "{python} -u talk.py | head -1",
    ],
)
def test_a_stream_that_takes_nothing_fails_no_step(tmp_path: Path, command: str) -> None:
    (tmp_path / "talk.py").write_text(SPEAKS, "utf-8")
    done = subprocess.run(
        ["bash", "-c", command.format(python=shlex.quote(sys.executable))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "well\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_that_lacks_characters_shows_escapes(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "talk.py").write_text(SPEAKS, "utf-8")
    done = subprocess.run(
        [sys.executable, "talk.py"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    shown = "é✓".encode(encoding, "backslashreplace")
    assert done.stdout.startswith(b"line 1 0 " + shown + b"\n")


def test_a_step_that_closes_stdout_closes_it_for_itself() -> None:
    def first() -> None:
        print("first")
        sys.stdout.close()
        assert sys.stdout.closed

    run = said_in(first, lambda: print("second"))
    assert (run["said"].logs(), run["said-2"].logs()) == ("first\n", "second\n")
    assert not sys.stdout.closed


def test_printing_to_a_stream_that_the_step_has_closed_fails_the_step() -> None:
    def body() -> None:
        sys.stdout.close()
        print("no")

    with pytest.raises(RunFailed, match="I/O operation on closed file"):
        said_in(body)


def test_a_closed_stream_from_before_the_run_fails_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert text_of(lambda: print("heard")) == "heard\n"


def test_a_stream_of_the_users_own_gets_text(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    assert text_of(lambda: print("hello ✓")) == mine.getvalue() == "hello ✓\n"


def test_a_stream_that_hands_on_to_the_real_one_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Tee(io.TextIOBase):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        def write(self, text: str) -> int:
            return int(self.stream.write(text))

    with open(1, "w", closefd=False) as real:
        monkeypatch.setattr(sys, "__stdout__", real)
        monkeypatch.setattr(sys, "stdout", Tee(real))
        assert text_of(lambda: print("once")) == "once\n"
    assert capfd.readouterr().out == "once\n"


def test_lines_are_seen_at_once_where_the_real_stream_shows_them(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    seen: list[str] = []

    def body() -> None:
        print("a line")
        seen.append(file.read_text())

    before = sys.stdout
    with file.open("w", buffering=1) as sys.stdout:
        try:
            said_in(body)
        finally:
            sys.stdout = before
    assert seen == ["a line\n"]


def test_flush_shows_a_part_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    seen: list[str] = []

    def body() -> None:
        print("a part", end="")
        seen.append(file.read_text())
        sys.stdout.flush()
        seen.append(file.read_text())

    before = sys.stdout
    with file.open("w") as sys.stdout:
        try:
            said_in(body)
        finally:
            sys.stdout = before
    assert seen == ["", "a part"]


def test_print_is_written_by_c_while_one_step_runs() -> None:
    found: list[str] = []

    def body() -> None:
        print("first")
        found.append(type(sys.stdout.write).__name__)

    said_in(body)
    assert found == ["builtin_function_or_method"]


# Secrets.


@pytest.mark.parametrize("flush", [False, True])
def test_a_secret_is_masked_on_the_terminal_too(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], flush: bool
) -> None:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    mask = Mask(["s3cr3t"])
    with capture.captured(logs.StepLog(store, "run", logs.RUN, mask)):
        log = logs.StepLog(store, "run", "step", mask)
        token = capture.into(log)
        print("my s3c", end="", flush=flush)
        print("r3t")
        os.write(1, b"C's s3cr3t\n")
        capture.back(token)
        log.close()
    assert logs.read(store, "run", "step") == "my ***\nC's ***\n"
    assert capfd.readouterr().out == "my ***\nC's ***\n"


# Signals and children.


def test_a_fork_writes_nothing_twice(python: Python, tmp_path: Path) -> None:
    (tmp_path / "forks.py").write_text(
        "import os\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def fork() -> None:\n"
        "    print('before')\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        print('child', flush=True)\n"
        "        os._exit(0)\n"
        "    os.waitpid(child, 0)\n"
        "    print('after')\n"
        "@pipeline(progress=False)\n"
        "def forking() -> None:\n"
        "    fork()\n"
        "run = forking.run()\n"
        "print('log:', run['fork'].logs().split())\n"
    )
    assert python("forks.py").stdout == "before\nchild\nafter\nlog: ['before', 'after']\n"


def test_an_alarm_that_prints_in_the_midst_of_prints_loses_nothing() -> None:
    def body() -> None:
        before = signal.signal(signal.SIGALRM, lambda *_: print("signal"))
        try:
            signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
            for _ in range(20_000):
                print("work")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    text = text_of(body)
    assert text.count("work\n") + text.count("worksignal") >= 19_000
    assert text.count("work") == 20_000
