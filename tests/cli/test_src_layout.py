"""A package that no folder of the path has: the message says what to type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PIPE = (
    "from penstock import pipeline, step\nfrom shopkit_here.rates import RATE\n\n\n"
    "@step\ndef price() -> int:\n    return RATE\n\n\n"
    "@pipeline\ndef shop() -> int:\n    return price()\n"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = tmp_path / "src/shopkit_here"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rates.py").write_text("RATE = 3\n")
    (package / "pipe.py").write_text(PIPE)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    return tmp_path


WAY = "'shopkit_here' is in 'src'. Type `PYTHONPATH=src penstock …`"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("src/shopkit_here/pipe.py", "ModuleNotFoundError: No module named 'shopkit_here'\n"),
        ("shopkit_here.pipe:shop", "Error: There is no module 'shopkit_here' here.\n"),
    ],
)
@pytest.mark.parametrize(
    ("mark", "end"),
    [("", "."), ("pyproject.toml", ", or install the project: `pip install -e .`")],
)
def test_a_package_in_src_is_told_with_what_to_type(
    target: str, said: str, mark: str, end: str, project: Path, penstock: object
) -> None:
    if mark:
        (project / mark).write_text("")
    found = penstock("pipeline", "show", target)  # type: ignore[operator]
    assert found.err.endswith(f"{said}{WAY}{end}\n")


def test_the_package_around_a_file_is_found_wherever_it_lies(
    project: Path, penstock: object
) -> None:
    os.rename(project / "src", project / "my code")
    found = penstock("pipeline", "show", "my code/shopkit_here/pipe.py")  # type: ignore[operator]
    assert found.err.endswith("is in 'my code'. Type `PYTHONPATH='my code' penstock …`.\n")


def test_what_is_nowhere_has_no_such_way(project: Path, penstock: object) -> None:
    (project / "src/shopkit_here/pipe.py").write_text("import is_nowhere\n")
    found = penstock("pipeline", "show", "src/shopkit_here/pipe.py")  # type: ignore[operator]
    assert found.err.endswith("No module named 'is_nowhere'\n")


def test_what_is_said_works(project: Path) -> None:
    words = [sys.executable, "-m", "penstock", "pipeline", "show", "shopkit_here.pipe:shop"]
    environment = {**os.environ, "PYTHONPATH": "src"}
    subprocess.run(words, cwd=project, env=environment, check=True, capture_output=True)
