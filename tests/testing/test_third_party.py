"""The package of docs/how-to/write-a-flavor.md, installed as its users would.

The page itself runs its tests; here is what it is to others, and what is left when it is gone.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-flavor.md"
FILE = re.compile(r"^```\w+\n(# (\S+\.\w+)\n.*?)^```$", re.MULTILINE | re.DOTALL)

HUM = """
from penstock import pipeline, step
from penstock_acme.signal import Signal

@step
def hum(rate: int) -> Signal:
    return Signal(rate, [0.5] * 1000)

@pipeline(progress=False)
def humming() -> Signal:
    return hum(8)

if __name__ == "__main__":
    humming.run()
"""

LOAD = """
import sys
from penstock import Client
output = Client().run("last")["hum"].output
print("penstock_acme" in sys.modules)
print(output.load().rate, "penstock_acme" in sys.modules)
"""

Python = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it is installed in."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("installed")
    for text, name in FILE.findall(PAGE.read_text("utf-8")):
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "install"]
    how = ["--no-deps", "--no-build-isolation", "--target", str(folder), str(source)]
    subprocess.run([*pip, *how], check=True)
    return folder


@pytest.fixture
def python(tmp_path: Path, package: Path) -> Python:
    """Runs Python in the test's folder, with the package or without."""
    for text, name in FILE.findall(PAGE.read_text("utf-8")):
        if name == "penstock.yaml":
            (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "hum.py").write_text(HUM)

    def run(*words: str, installed: bool = True) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(package)} if installed else os.environ
        return subprocess.run(
            [sys.executable, "-W", "error", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_every_category_has_a_flavor_of_it_and_none_is_imported(python: Python) -> None:
    code = """
import sys
from penstock.model.component import CATEGORIES
from penstock.stack.flavor import flavors
for category in CATEGORIES:
    print(*(item.name for item in flavors(category) if item.package == "penstock-acme"))
print("penstock_acme" in sys.modules)
"""
    assert python("-c", code).stdout.split("\n") == [
        *("backwards", "sqlite", "nice", "notes", "shelf", "False", "")
    ]


def test_its_own_category_is_listed_beside_ours(python: Python) -> None:
    done = python("-m", "penstock", "flavor", "list")

    (line,) = [line for line in done.stdout.splitlines() if line.startswith("data-validator ")]
    assert line.split() == ["data-validator", "bounds", "penstock-acme", "installed"]


def test_without_it_its_components_are_listed_with_a_warning(python: Python) -> None:
    done = python("-m", "penstock", "stack", "list", installed=False)

    assert done.returncode == 0
    assert "acme" in done.stdout
    assert "No package that is installed here brings flavors of the category" in done.stderr


def test_its_options_are_described(python: Python) -> None:
    done = python("-m", "penstock", "stack", "describe", "acme", "--json")

    assert '"level": 5' in done.stdout


def test_its_format_is_found_by_its_id_in_another_process(python: Python) -> None:
    assert python("hum.py").stderr == ""
    assert python("-c", LOAD).stdout.split() == ["False", "8", "True"]


def test_values_of_built_in_types_ask_no_package(python: Python) -> None:
    code = """
import sys
from penstock import pipeline, step

@step
def numbers() -> dict[str, list[int]]:
    return {"a": [1, 2]}

@pipeline(progress=False)
def counting() -> dict[str, list[int]]:
    return numbers()

counting.run().result()
print("importlib.metadata" in sys.modules, "penstock_acme" in sys.modules)
"""
    Path("penstock.yaml").unlink()  # it has a category that only a package can bring
    assert python("-c", code).stdout.split() == ["False", "False"]


def test_without_it_a_stack_says_what_is_missing(python: Python) -> None:
    done = python("-m", "penstock", "run", "list", "--stack", "acme", installed=False)

    assert done.returncode == 3
    assert "No orchestrator flavor named 'backwards'" in done.stderr
    assert done.stderr in PAGE.read_text("utf-8")


def test_without_it_its_values_say_what_is_missing(python: Python) -> None:
    python("hum.py")
    done = python("-c", LOAD, installed=False)

    assert "No format named 'penstock-acme.signal/1' is known here." in done.stderr
    assert "install the package that brings it (by its name: 'penstock-acme')." in done.stderr


def test_without_it_the_run_can_be_looked_at(python: Python) -> None:
    python("hum.py")
    done = python("-m", "penstock", "run", "show", "last", installed=False)

    assert done.returncode == 0, done.stderr
    assert "hum   completed" in done.stdout
