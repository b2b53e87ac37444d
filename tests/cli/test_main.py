"""The command line as a whole: help, exit codes, streams, and what it does not import."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import __version__, quantities
from penstock.cli import output

HEAVY = ["pydantic", "networkx", "fsspec", "numpy", "pandas", "rich", "ruamel", "cloudpickle"]
Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def python(tmp_path: Path) -> Python:
    """Runs Python in the project, its stdin closed."""

    def run(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    return run


def shell(line: str, project: Path) -> "subprocess.CompletedProcess[str]":
    """A line of shell, with `penstock` in it."""
    line = line.replace("penstock", f"{shlex.quote(sys.executable)} -m penstock")
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_alone_it_shows_the_help(penstock: Any) -> None:
    assert penstock() == penstock("--help")
    assert penstock().code == 0


@pytest.mark.parametrize("word", ["version", "--version"])
def test_the_version_is_the_one_that_the_package_says(word: str, penstock: Any) -> None:
    assert penstock(word).out.startswith(f"penstock {__version__}")


@pytest.mark.parametrize("noun", ["artifact", "run", "stack"])
def test_a_noun_alone_shows_its_help(noun: str, penstock: Any) -> None:
    assert penstock(noun) == penstock(noun, "-h")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["version"], 0),
        (["rum"], 2),
        (["run", "list", "--nope"], 2),
        (["run", "show"], 2),
        (["run", "list", "--limit", "-1"], 2),
        (["stack", "describe", "nope"], 3),
        (["run", "list", "--stack", "nope"], 3),
        (["run", "show", "nope"], 4),
        (["artifact", "show", "nope/load"], 4),
    ],
)
def test_the_exit_code_says_what_kind_of_error_it_was(
    words: list[str], code: int, penstock: Any
) -> None:
    said = penstock(*words)
    assert said.code == code
    assert "Traceback" not in said.err


def test_a_store_of_a_later_version_is_exit_code_5(penstock: Any, trained: Any) -> None:
    Path(".penstock/store.json").write_text('{"version": 99, "id": "x"}')
    said = penstock("run", "list")
    assert (said.code, said.out) == (5, "")
    assert "has format 99" in said.err


def test_an_error_is_one_message_on_stderr(penstock: Any) -> None:
    said = penstock("rum")
    assert said.out == ""
    assert said.err == (
        "Error: There is no command 'rum'. Did you mean 'run'?\nType: penstock --help\n"
    )


def test_an_unlikely_command_is_answered_with_all(penstock: Any) -> None:
    assert penstock("stack", "xyz").err == (
        "Error: There is no command 'xyz'. There are 'check', 'delete', 'describe', 'down', "
        "'export', 'get', 'import', 'list', 'register', 'set', 'up', 'update'.\n"
        "Type: penstock stack --help\n"
    )


@pytest.mark.parametrize("words", ["--help", "run list", "stack describe"])
def test_looking_imports_nothing_heavy(
    words: str, python: Python, trained: Any, project: Path
) -> None:
    (project / "penstock.yaml").unlink()
    code = (
        "import sys; from penstock.cli.main import main; code = main(sys.argv[1].split());"
        "print(code, sorted(set(sys.argv[2].split()) & set(sys.modules)))"
    )
    done = python("-c", code, words, " ".join(HEAVY))
    assert done.stdout.splitlines()[-1] == "0 []"


def test_the_help_imports_no_command(python: Python) -> None:
    code = (
        "import sys; from penstock.cli.main import main; main(['--help']);"
        "print([name for name in sys.modules if name.startswith('penstock.cli.')])"
    )
    done = python("-c", code)
    assert done.stdout.splitlines()[-1] == (
        "['penstock.cli.group', 'penstock.cli.component', 'penstock.cli.main']"
    )


def test_symbols_of_ours_are_spelled_in_ascii_where_they_must_be(
    python: Python, trained: Any
) -> None:
    done = python(
        "-m", "penstock", "run", "logs", "last", LC_ALL="C", PYTHONIOENCODING="ascii"
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "load | 3 rows...\n", "")


def test_a_reader_who_leaves_early_is_no_error(project: Path, trained: Any) -> None:
    log = project / ".penstock/runs" / trained.id / "logs/load"
    (log / "zzz-000000").write_text("a line\n" * 100_000)
    done = shell("penstock run logs last | head -1", project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "load | 3 rows…\n", "")


def test_closed_streams_are_no_error(project: Path, trained: Any) -> None:
    done = shell("penstock run list <&- >&- 2>&-", project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_output_that_cannot_be_written_is_one_error(project: Path, trained: Any) -> None:
    done = shell("penstock run list > /dev/full", project)
    assert done.returncode == 1
    assert done.stderr == "Error: The result cannot be printed: No space left on device.\n"


@pytest.mark.parametrize(
    "words",
    [
        "version", "stack list", "stack get", "stack describe", "stack set default", "run list",
        "run show last", "run logs last", "artifact list", "artifact show last/load",
        "artifact export last/load x.json",
    ],
)  # fmt: skip
def test_json_has_exactly_the_keys_that_the_help_promises(
    words: str, penstock: Any, trained: Any
) -> None:
    said = penstock(*words.split(), "--json")
    first = said.data[0] if isinstance(said.data, list) else said.data
    promised = " ".join(penstock(*words.split(), "--help").out.split())
    promised = promised.partition("Print JSON: ")[2].partition(" with ")[2].partition(".")[0]
    assert sorted(first) == sorted(promised.split(", "))


@given(
    st.lists(
        st.lists(st.text("ab é\n", max_size=9), min_size=2, max_size=2), min_size=1, max_size=5
    )
)
def test_columns_of_a_table_begin_under_each_other(rows: list[list[str]]) -> None:
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "say", lambda text: lines.extend(text.split("\n")))
        output.table(["ONE", "TWO"], rows)
    assert len(lines) == len(rows) + 1
    begin = lines[0].index("TWO")
    for row, line in zip(rows, lines[1:], strict=True):
        cells = [" ".join(cell.splitlines()) for cell in row]
        assert line == (cells[0].ljust(begin) + cells[1]).rstrip()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 30, "3.0 GiB"), (5 << 40, "5.0 TiB")],
)
def test_sizes_are_written_for_people(count: int, text: str) -> None:
    assert quantities.size(count) == text
