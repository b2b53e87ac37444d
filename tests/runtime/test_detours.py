"""Detours: what C and other programs write is in the step's log and on the terminal."""

import ctypes
import faulthandler
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock import Client, Run, Stack, pipeline, step
from penstock.runtime.capturing import detours, hearing

Made = Callable[..., Stack]
Python = Callable[..., "subprocess.CompletedProcess[str]"]
Captured = pytest.CaptureFixture[str]


def real() -> list[int]:
    """What descriptors 1 and 2 are."""
    return [os.fstat(number).st_ino for number in (1, 2)]


def said_in(body: Callable[[], object]) -> Run[Any]:
    @step(cache=False)
    def said() -> None:
        body()

    @pipeline(progress=False)
    def saying() -> None:
        said()

    before = real()
    run = saying.run()
    assert real() == before
    return run


def text_of(body: Callable[[], object]) -> str:
    return str(said_in(body)["said"].logs())


def test_bytes_written_to_the_descriptors_are_in_the_log_and_on_the_terminal(
    capfd: Captured,
) -> None:
    def body() -> None:
        os.write(1, b"out\n")
        os.write(2, b"err\n")

    assert sorted(text_of(body).split()) == ["err", "out"]
    assert capfd.readouterr() == ("out\n", "err\n")


def test_what_c_prints_is_in_the_log_of_its_step(capfd: Captured) -> None:
    library = ctypes.CDLL(None)
    assert text_of(lambda: library.printf(b"from C %d\n", 7)) == "from C 7\n"
    assert capfd.readouterr().out == "from C 7\n"


def test_what_other_programs_print_is_in_the_log(capfd: Captured) -> None:
    def body() -> None:
        os.system("echo a shell")
        subprocess.run(["echo", "a program"], check=True)

    text = text_of(body)
    assert text == "a shell\na program\n"
    assert capfd.readouterr().out == text


def test_what_is_given_stdout_is_in_the_log(python: Python, tmp_path: Path) -> None:
    (tmp_path / "gives.py").write_text(
        "import os, subprocess, sys\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def give() -> None:\n"
        "    subprocess.run(['echo', 'heard'], stdout=sys.stdout, check=True)\n"
        "    os.write(sys.stdout.fileno(), b'and\\n')\n"
        "@pipeline(progress=False)\n"
        "def giving() -> None:\n"
        "    give()\n"
        "run = giving.run()\n"
        "print(run['give'].logs().split())\n"
    )
    assert python("gives.py").stdout == "heard\nand\n['heard', 'and']\n"


def test_what_is_flushed_before_a_program_starts_comes_before_what_it_prints() -> None:
    def body() -> None:
        print("before", flush=True)
        os.system("echo program")
        print("after", flush=True)

    assert text_of(body) == "before\nprogram\nafter\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_what_a_child_of_multiprocessing_says_is_in_the_log(
    python: Python, tmp_path: Path, method: str
) -> None:
    (tmp_path / "children.py").write_text(
        "import multiprocessing, os\n"
        "from penstock import pipeline, step\n"
        "def child() -> None:\n"
        "    print('printed')\n"
        "    os.write(1, b'written\\n')\n"
        "@step\n"
        "def parent() -> None:\n"
        "    print('parent')\n"
        f"    process = multiprocessing.get_context('{method}').Process(target=child)\n"
        "    process.start()\n"
        "    process.join()\n"
        "@pipeline(progress=False)\n"
        "def family() -> None:\n"
        "    parent()\n"
        "if __name__ == '__main__':\n"
        "    run = family.run()\n"
        "    print('log:', sorted(run['parent'].logs().split()))\n"
    )
    *shown, last = python("children.py").stdout.splitlines()
    assert sorted(shown) == ["parent", "printed", "written"]
    assert last == "log: ['parent', 'printed', 'written']"


def test_more_than_a_pipe_holds_does_not_wait_for_a_reader(capfd: Captured) -> None:
    # PyDLL holds the interpreter's lock during the call: no thread could empty a pipe.
    write = ctypes.PyDLL(None).write
    data = b"x" * 99 + b"\n"

    def body() -> None:
        for _ in range(10):
            assert write(1, data * 3_000, len(data) * 3_000) == 300_000

    assert text_of(body) == data.decode() * 30_000
    assert len(capfd.readouterr().out) == 3_000_000


def test_what_is_written_appears_while_the_step_still_runs(capfd: Captured) -> None:
    seen = ""

    def body() -> None:
        nonlocal seen
        os.write(1, b"seen\n")
        end = time.monotonic() + 30
        while not seen and time.monotonic() < end:
            time.sleep(0.01)
            seen = capfd.readouterr().out

    said_in(body)
    assert seen == "seen\n"


def test_where_several_steps_run_it_belongs_to_the_run(stack: Made) -> None:
    meeting = threading.Barrier(2)

    @step(cache=False)
    def write(number: int) -> None:
        meeting.wait(120)
        os.write(1, b"somebody\n")
        meeting.wait(120)

    @pipeline(progress=False)
    def writing() -> None:
        write.map([0, 1])

    run = writing.on(stack(max_workers=2)).run()
    assert run.logs() + run["write.0"].logs() + run["write.1"].logs() == "somebody\n" * 2
    assert "somebody\n" in run.logs()


def test_the_stream_from_before_the_run_is_heard_once(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    with open(1, "w", closefd=False) as kept:
        monkeypatch.setattr(sys, "stdout", kept)
        monkeypatch.setattr(sys, "__stdout__", kept)

        def body() -> None:
            print("kept", file=kept)
            print("new")

        assert sorted(text_of(body).split()) == ["kept", "new"]
    assert sorted(capfd.readouterr().out.split()) == ["kept", "new"]


def test_what_waits_in_the_stream_before_the_run_is_not_the_runs(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    with open(1, "w", closefd=False) as kept:
        monkeypatch.setattr(sys, "stdout", kept)
        print("before")
        assert text_of(lambda: print("within")) == "within\n"
    assert capfd.readouterr().out == "before\nwithin\n"


def test_stderr_and_stdout_that_lead_to_one_place_keep_their_order(
    python: Python, tmp_path: Path
) -> None:
    (tmp_path / "both.py").write_text(
        "import os\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def both() -> None:\n"
        "    for number in range(9):\n"
        "        os.write(1 + number % 2, b'%d\\n' % number)\n"
        "@pipeline(progress=False)\n"
        "def saying() -> None:\n"
        "    both()\n"
        "saying.run()\n"
    )
    command = ["bash", "-c", f"{shlex.quote(sys.executable)} both.py 2>&1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == list("012345678")


def test_a_descriptor_that_a_step_has_closed_is_there_again() -> None:
    def body() -> None:
        os.close(1)
        print("well")

    assert text_of(body) == "well\n"
    os.fstat(1)


def test_a_descriptor_that_a_step_has_led_elsewhere_stays_there(tmp_path: Path) -> None:
    kept = os.dup(1)
    try:
        with (tmp_path / "mine").open("w") as mine:
            with pytest.raises(AssertionError):  # what 1 is has changed
                said_in(lambda: os.dup2(mine.fileno(), 1))
            assert os.path.sameopenfile(1, mine.fileno())
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def test_a_file_gives_the_memory_of_what_was_read_back(
    monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    made: list[detours.Detour] = []

    def noted() -> list[detours.Detour]:
        made.extend(found := detours.detours())
        return found

    monkeypatch.setattr(hearing, "detours", noted)
    blocks: list[int] = []

    def body() -> None:
        for _ in range(3 * detours.HOLE // 2**20):
            os.write(1, b"x" * 2**20)
            print(end="", flush=True)
            capfd.readouterr()
        blocks.append(os.fstat(made[0]._file).st_blocks * 512)

    said_in(body)
    assert blocks[0] < 1.5 * detours.HOLE


def test_breakpoint_gives_the_descriptors_back_and_sees_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = os.fstat(1).st_ino
    seen: list[tuple[str, int]] = []

    def debugger() -> None:
        seen.append((sys._getframe(1).f_code.co_name, os.fstat(1).st_ino))

    monkeypatch.setattr(sys, "breakpointhook", debugger)

    def body() -> None:
        assert os.fstat(1).st_ino != terminal
        breakpoint()
        print("after")

    assert text_of(body) == "after\n"
    assert seen == [("body", terminal)]
    assert sys.breakpointhook is debugger


def test_the_terminal_is_asked_whether_it_is_one(python: Python, tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(
        "import os, pty, sys\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def ask() -> list[bool]:\n"
        "    real = os.ttyname(sys.stdout.fileno()) == name\n"
        "    return [sys.stdout.isatty(), real, os.isatty(1)]\n"
        "@pipeline(progress=False)\n"
        "def asking() -> list[bool]:\n"
        "    return ask()\n"
        "ours, theirs = pty.openpty()\n"
        "name = os.ttyname(theirs)\n"
        "os.dup2(theirs, 1)\n"
        "sys.stderr.write(f'{asking.run().result()}')\n"
    )
    assert python("asks.py").stderr == "[True, True, False]"


def test_a_crash_leaves_its_words_on_the_terminal(python: Python, tmp_path: Path) -> None:
    (tmp_path / "crashes.py").write_text(
        "import ctypes\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def crash() -> None:\n"
        "    ctypes.string_at(0)\n"
        "@pipeline(progress=False)\n"
        "def crashing() -> None:\n"
        "    crash()\n"
        "crashing.run()\n"
    )
    for words in ((), ("-X", "faulthandler")):
        done = python(*words, "crashes.py", check=False)
        assert done.returncode == -signal.SIGSEGV
        assert "Segmentation fault" in done.stderr
        assert "in crash\n" in done.stderr


def test_the_handler_of_crashes_is_as_it_was() -> None:
    before = faulthandler.is_enabled()
    said_in(lambda: None)
    assert faulthandler.is_enabled() == before


def test_a_run_leaves_no_descriptor_open() -> None:
    said_in(lambda: os.write(1, b"first\n"))
    before = len(os.listdir("/dev/fd"))
    said_in(lambda: os.write(1, b"second\n"))
    assert len(os.listdir("/dev/fd")) == before


def test_a_run_that_is_cached_touches_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    @step
    def one() -> int:
        return 1

    @pipeline(progress=False)
    def ones() -> int:
        return one()

    ones.run()
    made: list[str] = []
    monkeypatch.setattr(hearing, "detours", lambda: made.append("some") or [])
    assert ones.run()["one"].status == "cached"
    assert made == []


def test_a_killed_step_leaves_what_it_printed_long_before(tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(
        "import os, time\n"
        "from penstock import pipeline, step\n"
        "@step\n"
        "def talk() -> None:\n"
        "    print('printed')\n"
        "    os.write(1, b'written\\n')\n"
        "    time.sleep(60)\n"
        "@pipeline\n"
        "def talking() -> None:\n"
        "    talk()\n"
        "talking.run()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "killed.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while not list(tmp_path.glob(".penstock/runs/*/logs/talk/*")):
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert sorted(Client().run("last")["talk"].logs().split()) == ["printed", "written"]
