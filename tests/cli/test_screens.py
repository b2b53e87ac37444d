"""The main screens, as people see them. `REWRITE_SCREENS=1 pytest …` writes them anew."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

SCREENS = Path(__file__).with_name("screens")

HELLO = '''\
from penstock import pipeline, step

@step
def greet(name: str) -> str:
    return f"hello {name}"

@step
def shout(text: str) -> str:
    return text.upper()

@pipeline
def hello(name: str = "world") -> str:
    """Greets."""
    return shout(greet(name))

if __name__ == "__main__":
    hello.cli()
'''


@pytest.fixture
def same(plain: Callable[[str], str]) -> Callable[[str, str], None]:
    def same(name: str, text: str) -> None:
        file = SCREENS / f"{name}.txt"
        if os.environ.get("REWRITE_SCREENS"):
            file.write_text(plain(text))
        assert plain(text) == file.read_text()

    return same


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[..., str]:
    """What a program prints on a terminal of its own."""

    def run(*words: str, columns: int = 80, **variables: str) -> str:
        env = {**os.environ, "TERM": "xterm", "PYTHONDONTWRITEBYTECODE": "1", **variables}
        child = pexpect.spawn(
            "env", [sys.executable, *words], cwd=str(tmp_path), env=env, encoding="utf-8",
            dimensions=(50, columns), timeout=60,
        )  # fmt: skip
        text: str = child.read()
        child.close()
        assert child.exitstatus == 0, text
        return text

    return run


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("help", ["--help"]),
        ("version", ["version"]),
        ("stack-list", ["stack", "list"]),
        ("stack-get", ["stack", "get"]),
        ("stack-describe", ["stack", "describe"]),
        ("run-list-empty", ["run", "list"]),
        ("artifact-list-empty", ["artifact", "list"]),
        ("pipeline-help", ["pipeline", "--help"]),
        ("pipeline-run-help", ["pipeline", "run", "--help"]),
    ],
)
def test_a_screen_before_the_first_run(
    name: str, words: list[str], penstock: Any, same: Callable[[str, str], None]
) -> None:
    said = penstock(*words)
    same(name, said.out + said.err)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("run-list", ["run", "list"]),
        ("run-show", ["run", "show", "last"]),
        ("run-logs", ["run", "logs", "last"]),
        ("artifact-list", ["artifact", "list"]),
        ("artifact-show", ["artifact", "show", "last/load"]),
        ("artifact-show-file", ["artifact", "show", "last/report"]),
    ],
)
def test_a_screen_after_a_run(
    name: str, words: list[str], penstock: Any, trained: Any, same: Callable[[str, str], None]
) -> None:
    said = penstock(*words)
    same(name, said.out + said.err)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pipeline-show", ["show", "hello_there.py:hello"]),
        ("pipeline-run-flags", ["run", "hello_there.py:hello", "--help"]),
    ],
)
def test_a_screen_of_a_file(
    name: str, words: list[str], penstock: Any, tmp_path: Path, same: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "hello_there.py").write_text(HELLO)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    said = penstock("pipeline", *words)
    del sys.modules["hello_there"]
    same(name, said.out + said.err)


def test_the_screen_of_a_failed_run(
    penstock: Any, failed: Any, same: Callable[[str, str], None]
) -> None:
    said = penstock("run", "show", "last")
    same("run-show-failed", said.out + said.err)


def test_the_screen_of_a_cached_run(
    penstock: Any, trained: Any, train: Any, same: Callable[[str, str], None]
) -> None:
    train.run()
    said = penstock("run", "show", "last")
    same("run-show-cached", said.out + said.err)


def test_the_lines_of_a_run_on_a_terminal_are_coloured(
    tmp_path: Path, terminal: Callable[..., str], same: Callable[[str, str], None]
) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    assert "\x1b[32mcompleted\x1b[0m" in terminal("hello.py")
    same("lines", terminal("hello.py", "--no-cache", NO_COLOR="1"))


def test_on_a_narrow_terminal_the_cells_of_a_row_stand_below_each_other(
    trained: Any, terminal: Callable[..., str], same: Callable[[str, str], None]
) -> None:
    narrow = terminal("-m", "penstock", "run", "list", columns=40)
    assert trained.id in narrow
    same("run-list-narrow", narrow)
