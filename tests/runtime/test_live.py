"""The live line, debuggers and prompts on a real pseudo-terminal."""

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pyte
import pytest

from penstock.runtime.live import ERASE, FIRST, Running, Screen

STEPS = """
import os, pdb, subprocess, sys, time
from pathlib import Path
from penstock import pipeline, step
from penstock.runtime import live

def until_it_is_seen() -> None:
    while not Path("seen").exists():
        time.sleep(0.02)

@step(cache=False)
def first(n: int) -> int:
    print("one")
    return n

@step(cache=False)
def slow(n: int) -> int:
    print("begins")
    until_it_is_seen()
    print("half", end="", flush=True)
    time.sleep(0.5)
    print(" done")
    subprocess.run(["echo", "from a child"])
    time.sleep(0.5)
    os.write(1, b"from C\\n")
    return n

@step(cache=False)
def lines(n: int) -> int:
    print("begins")
    time.sleep(0.6)
    subprocess.run(["echo", "from a child"])
    time.sleep(0.3)
    os.write(1, b"from C\\n")
    return n

@step(cache=False)
def stops(n: int) -> int:
    found = n + 1
    breakpoint()
    found *= 2
    return found

@step(cache=False)
def traced(n: int) -> int:
    pdb.set_trace()
    found = n + 1
    return found

@step(cache=False)
def asks(n: int) -> str:
    until_it_is_seen()
    name = input("name? ")
    print("hello", name)
    return name

@step(cache=False)
def listens(n: int) -> str:
    time.sleep(0.7)
    print("Who is there?")
    return input()

@pipeline
def listening() -> str:
    return listens(first(1))

@pipeline
def watched() -> int:
    return slow(first(1))

@pipeline
def debugged() -> int:
    return stops(stops(first(1)))

@pipeline
def tracing() -> int:
    return traced(first(1))

@pipeline
def asking() -> str:
    return asks(first(1))

@pipeline
def wide() -> list[int]:
    return lines.map(list(range(8)))

if __name__ == "__main__":
    live.FIRST = float(sys.argv[2])
    run = globals()[sys.argv[1]].run()
    print("result", run.result())
"""


@pytest.fixture
def on_terminal(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Starts a pipeline on a terminal of so many columns."""
    (tmp_path / "steps.py").write_text(STEPS)
    started = []

    def start(pipeline: str, columns: int = 80, first: float = FIRST) -> Any:
        child = pexpect.spawn(
            sys.executable, ["steps.py", pipeline, str(first)], cwd=str(tmp_path), encoding="utf-8",
            env={**os.environ, "TERM": "xterm-256color"}, timeout=60, dimensions=(60, columns),
        )  # fmt: skip
        child.logfile_read = io.StringIO()
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def everything(child: Any) -> str:
    """All that was written until the end of the program."""
    child.expect(pexpect.EOF)
    return str(child.logfile_read.getvalue())


def seen(written: str, columns: int = 80) -> list[str]:
    """What a terminal shows of it in the end."""
    screen = pyte.Screen(columns, 60)
    pyte.Stream(screen).feed(written)
    return [line.rstrip() for line in screen.display if line.strip()]


def meanwhile(child: Any, seconds: float) -> str:
    """What is written in so many seconds."""
    child.expect(pexpect.TIMEOUT, timeout=seconds)
    return str(child.before)


def told(lines: list[str]) -> list[str]:
    """Without times and ids."""
    text = re.sub(r"\d+\.\d\d s", "TIME", "\n".join(lines))
    text = re.sub(r"\d{8}-\d{6}-", "", text)
    return re.sub(r"\b[0-9a-z]{4}-[0-9a-z]{4}\b", "ID", text).split("\n")


PRINTED = ["one", "begins", "half done", "from a child", "from C", "result 1"]


def test_a_slow_step_is_shown_while_it_runs_and_not_afterwards(
    on_terminal: Any, tmp_path: Path
) -> None:
    child = on_terminal("watched")
    child.expect(r"  1/2  slow \d+ s\x1b\[K\r")
    tmp_path.joinpath("seen").touch()
    assert told(seen(everything(child))) == [
        "watched  run ID on stack default (the default)",
        "one",
        "  first  TIME",
        *PRINTED[1:5],
        "  slow   TIME",
        "completed in TIME  ·  penstock run show ID",
        "result 1",
    ]


def test_nothing_is_garbled_in_forty_columns(on_terminal: Any) -> None:
    written = everything(on_terminal("wide", 40))
    lines = seen(written, 40)
    assert [line for line in lines if re.match(r"\s+\d+/8", line)] == []
    assert len([line for line in lines if re.fullmatch(r"  lines\.\d+ +\d\.\d\d s", line)]) == 8
    assert [lines.count(said) for said in ("begins", "from C", "from a child")] == [8, 8, 8]
    live = re.findall(r"\r(  \d+/8 [^\x1b]*)\x1b\[K\r", written)
    assert live
    assert max(map(len, live)) < 40
    assert any(re.search(r"and \d+ more$", line) for line in live)


def test_a_run_that_is_soon_over_draws_nothing(on_terminal: Any, tmp_path: Path) -> None:
    tmp_path.joinpath("seen").touch()
    assert "\x1b[K" not in everything(on_terminal("watched", first=60))


def test_breakpoint_stops_in_the_step_and_in_the_next_one(on_terminal: Any) -> None:
    child = on_terminal("debugged")
    for value in ("1", "4"):
        child.expect(r"steps.py\(\d+\)stops\(\)\r\n-> found \*= 2\r\n\(Pdb\) ")
        child.sendline("p n")
        child.expect(rf"\r\n{value}\r\n\(Pdb\) ")
        child.sendline("n")
        child.expect(r"-> return found\r\n\(Pdb\) ")
        child.sendline("c")
    child.expect_exact("result 10")


def test_set_trace_stops_in_the_step(on_terminal: Any) -> None:
    child = on_terminal("tracing")
    child.expect(r"-> found = n \+ 1\r\n\(Pdb\) ")
    child.sendline("n")
    child.expect(r"-> return found\r\n\(Pdb\) ")
    child.sendline("p found, n")
    child.expect(r"\(2, 1\)\r\n\(Pdb\) ")
    child.sendline("c")
    child.expect_exact("result 2")


def test_nothing_is_drawn_while_a_debugger_waits(on_terminal: Any) -> None:
    child = on_terminal("debugged")
    for _ in range(2):
        child.expect_exact("(Pdb) ")
        assert meanwhile(child, 0.8) == ""  # in which it would be drawn several times
        child.sendline("c")
    child.expect_exact("result 10")


def test_a_step_may_ask(on_terminal: Any, tmp_path: Path) -> None:
    child = on_terminal("asking")
    child.expect(r"  1/2  asks \d+ s\x1b\[K\r")
    tmp_path.joinpath("seen").touch()
    child.expect(r"\r\x1b\[Kname\? $")
    assert meanwhile(child, 0.5) == ""
    child.sendline("you")
    child.expect("hello you")
    assert seen(child.before) == ["you"]
    assert "name? you" in seen(everything(child))


def test_nothing_is_drawn_while_a_step_waits_for_a_line(on_terminal: Any) -> None:
    child = on_terminal("listening")
    child.expect("Who is there\\?\r\n")
    assert seen(meanwhile(child, 1.2)) == []  # in which it would be drawn
    child.sendline("you")
    child.expect("you\r\n")
    assert seen(child.before) == []


def test_no_live_line_is_for_files(on_terminal: Any, python: Any) -> None:
    on_terminal("first").close(force=True)
    Path("seen").touch()
    done = python("steps.py", "watched", "0")
    assert "\r" not in done.stderr + done.stdout
    assert "\x1b" not in done.stderr + done.stdout


# Without a terminal.


def test_what_runs_longest_is_named_first_and_the_rest_counted() -> None:
    running = Running()
    running.total = 30
    for number in range(20):
        running.begin(f"step.{number}")
    assert running.text(60) == "  0/30  step.0 0 s, step.1 0 s, step.2 0 s and 17 more"


@pytest.mark.parametrize("width", range(0, 40, 3))
def test_the_line_is_never_wider_than_the_terminal(width: int) -> None:
    running = Running()
    running.begin("a-rather-long-name-of-a-step")
    running.begin("another")
    assert len(running.text(width)) <= width


def test_nothing_runs_nothing_is_shown() -> None:
    running = Running()
    running.begin("step")
    running.end("step")
    assert running.text(80) == ""


class Terminal(io.StringIO):
    """A terminal in memory."""


def test_a_line_that_has_no_end_is_not_written_over() -> None:
    screen, stream, running = Screen(), Terminal(), Running()
    running.begin("step")
    screen.watch(running, stream)
    try:
        with screen.above("no end"):
            stream.write("no end")
        screen._draw()
        assert stream.getvalue() == "no end"
        with screen.above(" yet\n"):
            stream.write(" yet\n")
        screen._draw()
        with screen.above("more\n"):
            stream.write("more\n")
    finally:
        screen.leave(running)
    assert stream.getvalue() == f"no end yet\n\r  0/0  step 0 s\x1b[K\r{ERASE}more\n"
