import ast
import re
import shutil
from pathlib import Path

import pytest
from typing_in import EXAMPLES, typed

SHOWN = re.compile(r"^    \$ (.*)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)
FILES = sorted(file for file in EXAMPLES.rglob("*.py") if file.name != "digits.py")


@pytest.fixture(params=FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    folder = tmp_path / "a folder"
    shutil.copytree(EXAMPLES, folder / "examples", ignore=shutil.ignore_patterns(".penstock"))
    (folder / "pyproject.toml").touch()
    return folder


def shown(file: Path) -> list[tuple[str, str]]:
    """Commands and output, as the docstring has them."""
    found = SHOWN.findall(ast.get_docstring(ast.parse(file.read_text()), clean=False) or "")
    return [(line, re.sub(r"^    ", "", out, flags=re.MULTILINE)) for line, out in found]


def test_an_example_prints_what_it_says(file: Path, copy: Path) -> None:
    lines, outputs = zip(*shown(file), strict=True)
    done = typed("\n".join(lines), copy)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(outputs)


def test_an_example_runs_from_anywhere(file: Path, copy: Path, tmp_path: Path) -> None:
    done = typed(f"python '{copy / file.relative_to(EXAMPLES.parent)}'", tmp_path)
    assert done.returncode == 0, done.stderr


def test_an_example_is_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 55


def test_the_artifacts_of_an_example_lie_in_its_project(copy: Path) -> None:
    assert typed("cd examples\npython hello.py", copy).returncode == 0
    assert (copy / ".penstock/runs").is_dir()
    assert not list((copy / "examples").glob(".*"))


@pytest.mark.parametrize(
    "trouble", ["-u XDG_CONFIG_HOME HOME=/dev/null", "LC_ALL=C", "TERM=dumb", "PYTHONUTF8=0"]
)
def test_hello_needs_neither_a_home_nor_a_locale_nor_an_input(trouble: str, copy: Path) -> None:
    done = typed(f"env {trouble} python examples/hello.py <&-", copy)
    assert (done.returncode, done.stdout) == (0, "[1, 4, 9]\n14\n"), done.stderr
