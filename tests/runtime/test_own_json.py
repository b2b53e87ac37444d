"""What a project puts in the place of `json.dumps` is its own, and none of penstock's."""

import re
import subprocess
import sys
from pathlib import Path

import penstock

PROJECT = """\
import json


def dumps(value, **options):
    return b"what others expect"


json.dumps = dumps
from penstock import Client, context, pipeline, step


@step
def load(many: int) -> list[int]:
    context().log_metadata(many=many)
    return list(range(many))


@step
def half(number: int) -> float:
    if number == 1:
        raise ValueError(number)
    return number / 2


@pipeline(progress=False)
def halves(many: int) -> list[float]:
    return half.map(load(many))


if __name__ == "__main__":
    run = halves.with_options(stack="collecting").run(3)
    client = Client("collecting")
    client.run(run.id).pin()
    client.tag("halves/load", "prod")
    again = halves.with_options(stack="collecting", only="half").run(3)
    print([type(item).__name__ for item in again.result()], len(again.why()))
"""

STACKS = """\
orchestrators:
  collect: {flavor: local, failure: collect, workers: processes}
stacks:
  collecting: {orchestrator: collect, artifact_store: default}
"""


def test_a_project_may_replace_json_dumps(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(PROJECT)
    (tmp_path / "penstock.yaml").write_text(STACKS)
    command = [sys.executable, "jobs.py"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=100
    )
    assert done.stderr == ""
    assert done.stdout == "['float', 'Failure', 'float'] 4\n"


def test_nothing_here_is_written_by_what_may_be_replaced() -> None:
    found = [
        str(file)
        for file in Path(penstock.__file__).parent.rglob("*.py")
        if "testing" not in file.parts and re.search(r"\bjson\.dumps?\(", file.read_text("utf-8"))
    ]
    assert found == []
