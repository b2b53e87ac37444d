import os
import subprocess
import sys
from pathlib import Path

import pytest

import penstock.stack

HEAVY = [
    "ruamel", "pydantic", "pydantic_core", "platformdirs", "importlib.metadata", "fsspec",
    "networkx", "penstock.stack.parsing", "penstock.stack.describe",
]  # fmt: skip

LOOK = """
import json, sys
from penstock.stack import Project, Registry
Registry(Project.find()).stack()
print(json.dumps([name for name in sys.argv[1:] if name in sys.modules]))
"""


def loaded(folder: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", LOOK, *HEAVY]
    env = {key: value for key, value in os.environ.items() if key != "PENSTOCK_STACK"}
    run = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs finds the user's file")
def test_the_default_stack_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded(tmp_path) == "[]"


FILE = """\
active: a
stacks:
  a: {orchestrator: default, artifact_store: default}
"""


def test_a_file_written_as_usual_and_a_stack_without_options_load_no_library(
    tmp_path: Path,
) -> None:
    (tmp_path / "penstock.yaml").write_text(FILE)

    assert loaded(tmp_path) == '["penstock.stack.parsing"]'


def test_any_other_file_loads_the_yaml_library_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text(f"---\n{FILE}")

    assert loaded(tmp_path) == '["ruamel", "penstock.stack.parsing"]'


@pytest.mark.parametrize("name", penstock.stack.__all__)
def test_every_name_of_the_package_is_found(name: str) -> None:
    assert getattr(penstock.stack, name).__name__ == name
