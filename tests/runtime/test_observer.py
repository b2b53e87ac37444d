"""What a run says of itself while it runs, line by line."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from penstock.quantities import duration

HELLO = """
import sys
from penstock import pipeline, step

@step
def load() -> list[int]:
    return [1, 2]

@step
def total(values: list[int], fail: bool) -> int:
    if fail:
        raise ValueError("no\\nmore")
    return sum(values)

@pipeline
def hello(fail: bool = False) -> int:
    return total(load(), fail)

@pipeline
def wide() -> list[int]:
    return total.map([[n] for n in range(20)], False)

if __name__ == "__main__":
    try:
        wide.run() if "wide" in sys.argv else hello.run(fail="fail" in sys.argv)
    except Exception as error:
        sys.exit(1)
"""

RUN = r"\d{8}-\d{6}-[0-9a-z]{4}-[0-9a-z]{4}"
TIME = r"\d+\.\d\d s"


@pytest.fixture
def hello(tmp_path: Path, python: Any) -> Any:
    (tmp_path / "hello.py").write_text(HELLO)

    def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return python("hello.py", *words, check=False, **variables)  # type: ignore[no-any-return]

    return run


def test_hello_prints_four_lines(hello: Any) -> None:
    done = hello()
    assert done.stdout == ""
    assert re.fullmatch(
        rf"hello  run {RUN} on stack default \(the default\)\n"
        rf"  load   {TIME}\n"
        rf"  total  {TIME}\n"
        rf"completed in {TIME}  ·  penstock run show [0-9a-z]{{4}}-[0-9a-z]{{4}}\n",
        done.stderr,
    )


def test_a_cached_run_says_where_its_results_come_from(hello: Any) -> None:
    first = re.search(RUN, hello().stderr)
    assert first
    lines = hello().stderr.splitlines()
    assert lines[1:3] == [f"  load   cached  ({first[0]})", f"  total  cached  ({first[0]})"]


def test_a_failing_run_says_what_failed_in_one_line(hello: Any) -> None:
    done = hello("fail")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert re.fullmatch(rf"  total  failed after {TIME}  ValueError: no", lines[2])
    assert re.fullmatch(
        rf"failed in {TIME}  ·  penstock run show [0-9a-z]{{4}}-[0-9a-z]{{4}}", lines[3]
    )
    assert len(lines) == 4


def test_many_hits_are_summed_up(hello: Any) -> None:
    assert len(hello("wide").stderr.splitlines()) == 22
    lines = hello("wide").stderr.splitlines()
    assert [line.split()[:2] for line in lines[1:9]] == [
        [f"total.{number}", "cached"] for number in range(8)
    ]
    assert lines[9] == "  … and 12 more steps from the cache"
    assert len(lines) == 11


def test_in_the_plainest_of_locales_every_line_can_be_printed(hello: Any) -> None:
    done = hello(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")
    assert "  -  penstock run show" in done.stderr
    assert done.stderr.isascii()


def on_terminal(folder: Path, *words: str, **variables: str) -> str:
    environment = {**os.environ, "TERM": "xterm-256color", **variables}
    environment.pop("NO_COLOR", None) if "NO_COLOR" not in variables else None
    text, status = pexpect.run(
        f"{shlex.quote(sys.executable)} hello.py {' '.join(words)}",
        cwd=str(folder), env=environment, withexitstatus=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    assert status == (1 if "fail" in words else 0), text
    return str(text)


def test_a_terminal_gets_colours(hello: Any, tmp_path: Path) -> None:
    assert "\x1b[32mcompleted\x1b[0m in" in on_terminal(tmp_path)
    assert "\x1b[36mcached\x1b[0m" in on_terminal(tmp_path)
    assert "\x1b[1;31mfailed\x1b[0m" in on_terminal(tmp_path, "fail")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_no_colours_gets_none(
    hello: Any, tmp_path: Path, variables: dict[str, str]
) -> None:
    text = on_terminal(tmp_path, **variables)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4


def test_a_narrow_terminal_cuts_no_line(hello: Any, tmp_path: Path) -> None:
    text = on_terminal(tmp_path, COLUMNS="20", NO_COLOR="1")
    assert re.search(rf"hello  run {RUN} on stack default \(the default\)", text)


def test_a_closed_stderr_stops_no_run(hello: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" hello.py 2>&-'], cwd=tmp_path, check=False
    )
    assert done.returncode == 0


def test_a_full_stderr_stops_no_run(hello: Any, tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "hello.py"], stderr=full, check=False)
    assert done.returncode in (0, 120)  # Python's own last flush may complain
    assert list(tmp_path.glob(".penstock/runs/*/end.json"))


def test_a_terminal_that_goes_away_stops_no_run(hello: Any, tmp_path: Path) -> None:
    slow = HELLO.replace("return [1, 2]", "import time; time.sleep(1); return [1, 2]")
    (tmp_path / "hello.py").write_text(f"import signal; signal.signal(1, signal.SIG_IGN)\n{slow}")
    child = pexpect.spawn(
        "env", [sys.executable, "hello.py"], cwd=str(tmp_path),
        env={**os.environ, "TERM": "xterm-256color"}, encoding="utf-8",
    )  # fmt: skip
    child.expect("on stack", timeout=60)
    os.close(child.child_fd)
    os.waitpid(child.pid, 0)
    assert list(tmp_path.glob(".penstock/runs/*/end.json"))


def test_a_pipeline_can_be_told_to_say_nothing(hello: Any, python: Any) -> None:
    done = python("-c", "from hello import hello; hello.with_options(progress=False).run()")
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.004, "0.00 s"),
        (9.99, "9.99 s"),
        (12.34, "12.3 s"),
        (185, "3 min 05 s"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations_are_written_as_people_read_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
