"""`penstock pipeline`: pipelines of a file, with a main block or without one."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import Client

FLOW = '''\
from penstock import Resources, pipeline, step
from sizes import size

with open("imported", "a") as log:
    log.write("x")

class Model:
    def __init__(self, rate: float) -> None:
        self.rate = rate

@step(retries=2, resources=Resources(cpu=1))
def train(rows: int, rate: float) -> Model:
    return Model(rows * rate * size())

@step
def best(models: list[Model]) -> float:
    return max(model.rate for model in models)

@pipeline
def training(rows: int, rate: float = 0.5) -> float:
    """Trains."""
    return best(train.map([rows, rows + 1], rate=rate))
'''

MAIN = """
if __name__ == "__main__":
    training.cli()
"""


@pytest.fixture(autouse=True)
def flow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A project with a file in a folder; what tests import is forgotten again."""
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    known = set(sys.modules)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/flow.py").write_text(FLOW)
    (tmp_path / "sub/sizes.py").write_text("def size() -> int:\n    return 1\n")
    yield
    for name in set(sys.modules) - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_pipeline_runs_without_a_main_block(penstock: Any) -> None:
    said = penstock("pipeline", "run", "sub/flow.py:training", "--rows", "4", "--json")
    assert (said.code, said.data["status"]) == (0, "completed")
    run = Client().run("last")
    assert run.result() == 2.5
    assert run.record.reference == "flow:training"


def test_the_file_is_imported_once(penstock: Any) -> None:
    penstock("pipeline", "run", "sub/flow.py:training", "--rows", "4")
    penstock("pipeline", "show", "sub/flow.py:training", "--rows", "4")
    assert Path("imported").read_text() == "x"


def test_the_name_may_be_left_out_if_there_is_one_pipeline(penstock: Any) -> None:
    assert penstock("pipeline", "run", "sub/flow.py", "--rows", "4").code == 0


def test_a_module_may_be_named_instead_of_a_file(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/flows.py").write_text(
        "from penstock import pipeline, step\n@step\ndef one() -> int:\n    return 1\n"
        "@pipeline\ndef ones() -> int:\n    return one()\n"
    )
    assert penstock("pipeline", "run", "own.flows:ones").code == 0
    assert Client().run("last").record.reference == "own.flows:ones"


def test_several_pipelines_are_listed_with_what_to_type(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "two.py").write_text(
        "import sys\nsys.path.insert(1, 'sub')\nfrom flow import training\n"
        "from penstock import pipeline\n@pipeline\ndef a() -> None: ...\n@pipeline\n"
        "def b() -> None: ...\n"
    )
    said = penstock("pipeline", "run", "two.py")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "Error: two.py has 2 pipelines. Type one of:\n"
        "  penstock pipeline run two.py:a\n  penstock pipeline run two.py:b\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["sub/flw.py"], 4, "There is no file 'sub/flw.py'.\nDid you mean 'flow.py'?"),
        (["sub"], 4, "sub is a folder."),
        (["penstock.yaml"], 4, "penstock.yaml is no Python file: it must end in .py."),
        (["sub/flow.py:trainin"], 4, ("sub/flow.py has no pipeline 'trainin'. Pipelines: "
         "'training'.\nDid you mean 'training'?")),
        (["sub/flow.py:train"], 4, ("'train' in sub/flow.py is a step, and no pipeline. Pipelines: "
         "'training'.\nDid you mean 'training'?")),
        (["sub/flow.py:Model"], 4, ("'Model' in sub/flow.py is something else, and no pipeline. "
         "Pipelines: 'training'.")),
        (["sub/sizes.py"], 4,
         "sub/sizes.py has no pipeline.\nWrite @pipeline on top of a function."),
        (["nope:training"], 4, ("There is no module 'nope' here.\nName a file, FILE.py:NAME, or "
         "start where the module can be imported.")),
        (["sub/flow.py:training"], 2, ("Missing option '--rows'.\nType: penstock pipeline VERB "
         "sub/flow.py:training --help")),
        (["sub/flow.py:training", "--rows", "x"], 2, ("Invalid value for '--rows': 'x' is not a "
         "valid integer.\nType: penstock pipeline VERB sub/flow.py:training --help")),
        (["sub/flow.py:training", "--config", "no.yaml"], 3, ("no.yaml:1:1: This file cannot be "
         "read: No such file or directory. Did you mean 'penstock.yaml'?")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["run", "show"])
def test_a_wrong_word_is_one_clear_error(
    verb: str, words: list[str], code: int, message: str, penstock: Any
) -> None:
    said = penstock("pipeline", verb, *words)
    assert (said.code, said.out) == (code, "")
    assert said.err == f"Error: {message.replace('VERB', verb)}\n"
    assert not Path(".penstock/runs").exists()


def test_what_is_missing_is_said_with_the_file_that_lacks_it(penstock: Any) -> None:
    Path("prod.yaml").write_text("parameters: {rate: 1}")
    said = penstock("pipeline", "run", "sub/flow.py:training", "--config", "prod.yaml")
    assert said.code == 2
    assert said.err.startswith("Error: Missing option '--rows': prod.yaml has no 'rows' either.\n")


def test_the_help_after_a_file_is_that_of_its_pipeline(penstock: Any) -> None:
    said = penstock("pipeline", "run", "sub/flow.py:training", "--help")
    assert said.code == 0
    assert said.out.startswith(
        "Usage: penstock pipeline run sub/flow.py:training [OPTIONS]\n\n  Trains.\n"
    )
    assert "--rows INTEGER  [required]" in said.out


def test_a_file_that_fails_shows_the_users_frames_only(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "sub/sizes.py").write_text("1 / 0\n")
    said = penstock("pipeline", "run", "sub/flow.py:training", "--rows", "1")
    assert said.code == 1
    frames = [line for line in said.err.splitlines() if line.startswith("  File")]
    assert frames == [
        f'  File "{tmp_path}/sub/flow.py", line 2, in <module>',
        f'  File "{tmp_path}/sub/sizes.py", line 1, in <module>',
    ]
    assert said.err.splitlines()[-1] == (
        "Error: sub/flow.py cannot be imported: it stopped with ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def a(:\n", "bad.py cannot be imported: it stopped with SyntaxError: invalid syntax"),
        ("import nope\n", "bad.py cannot be imported: it stopped with ModuleNotFoundError: No mod"),
        ("raise SystemExit(3)\n", "bad.py cannot be imported: it stopped with SystemExit: 3"),
    ],
)
@pytest.mark.parametrize("target", ["bad.py", "bad:a"])
def test_a_file_that_cannot_be_imported(
    text: str, said: str, target: str, penstock: Any, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(text)
    found = penstock("pipeline", "show", target)
    assert found.code == 1
    assert found.err.splitlines()[-1].startswith(
        f"Error: {said.replace('bad.py', target.partition(':')[0])}"
    )
    assert "penstock/" not in found.err
    assert "importlib" not in found.err


def test_a_file_that_runs_when_it_is_imported_is_refused(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "sub/flow.py").write_text(f"{FLOW}\ntraining.run(3)\n")
    said = penstock("pipeline", "run", "sub/flow.py:training", "--rows", "1")
    assert said.code == 1
    assert "training.run() is called while" in said.err
    assert said.err.endswith("Move it under `if __name__ == '__main__':`.\n")


def test_a_file_named_like_a_module_that_is_there_is_refused(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(FLOW)
    said = penstock("pipeline", "run", "json.py:training")
    assert said.code == 1
    assert said.err.startswith("Error: json.py cannot be imported as 'json': the module <module ")
    assert said.err.endswith("Rename the file.\n")


def test_python_and_penstock_share_the_cache(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "sub/flow.py").write_text(FLOW + MAIN)
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(
        [sys.executable, "sub/flow.py", "--rows", "4"], check=True, env=env, capture_output=True
    )
    subprocess.run(
        [sys.executable, "-m", "penstock", "pipeline", "run", "sub/flow.py:training", "--rows=4"],
        check=True, env=env, capture_output=True,
    )  # fmt: skip
    run = Client().run("last")
    assert {view.status for view in run} == {"cached"}
    assert run.result() == 2.5


def test_show_runs_nothing(penstock: Any) -> None:
    said = penstock("pipeline", "show", "sub/flow.py:training", "--rows", "4", "--json")
    assert said.data["pipeline"] == "training"
    assert said.data["function"] == "flow:training"
    assert said.data["steps"][-1] == {
        "step": "best",
        "after": ["train.0", "train.1"],
        "function": "flow:best",
        "where": f"{os.getcwd()}/sub/flow.py:22",
        "options": {},
    }
    assert said.data["steps"][0]["options"]["retries"] == 2
    assert not Path(".penstock").exists()


def test_show_honours_the_configuration(penstock: Any) -> None:
    Path("prod.yaml").write_text("parameters: {rows: 4}\nsteps: {train.1: {timeout: 9}}")
    said = penstock("pipeline", "show", "sub/flow.py:training", "--config", "prod.yaml", "--json")
    assert [step["options"].get("timeout") for step in said.data["steps"]] == [None, 9, None]


def test_a_graph_is_printed_as_mermaid_and_as_a_picture(penstock: Any) -> None:
    words = ["pipeline", "show", "sub/flow.py:training", "--rows", "4"]
    assert penstock(*words, "--mermaid").out.startswith("flowchart TD\n    s0[")
    assert penstock(*words, "--svg").out.startswith("<svg ")


def test_only_one_picture_is_printed(penstock: Any) -> None:
    said = penstock("pipeline", "show", "sub/flow.py:training", "--rows", "4", "--svg", "--mermaid")
    assert said.code == 2
    assert said.err.startswith("Error: Choose one of --mermaid, --svg and --json.")


def test_a_parameter_named_like_a_flag_of_show_is_refused_there_only(
    penstock: Any, tmp_path: Path
) -> None:
    (tmp_path / "one.py").write_text(
        "from penstock import pipeline\n@pipeline\ndef draw(svg: int = 0) -> None: ...\n"
    )
    assert penstock("pipeline", "show", "one.py").code == 2
    assert penstock("pipeline", "run", "one.py").code == 0


def test_a_pipeline_without_steps_says_so(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "from penstock import pipeline\n@pipeline\ndef nothing() -> None: ...\n"
    )
    said = penstock("pipeline", "show", "one.py")
    assert (said.code, said.out, said.err) == (0, "", "Pipeline 'nothing' has no steps.\n")


def test_an_error_between_the_steps_shows_the_users_frames_only(
    penstock: Any, tmp_path: Path
) -> None:
    (tmp_path / "one.py").write_text(
        "from penstock import pipeline\n@pipeline\ndef bad() -> None:\n    {}['a']\n"
    )
    said = penstock("pipeline", "show", "one.py")
    assert said.code == 1
    assert "in bad\n" in said.err
    assert "penstock/" not in said.err
    assert said.err.splitlines()[-1] == "Error: Pipeline 'bad' stopped with KeyError: 'a'"


def test_the_outcome_of_a_failed_run_is_told(penstock: Any, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        "from penstock import pipeline, step\n@step\ndef divided(by: int) -> float:\n"
        "    return 1 / by\n@pipeline\ndef dividing() -> float:\n    return divided(0)\n"
    )
    said = penstock("pipeline", "run", "one.py", "--json")
    assert said.code == 1
    assert json.loads(said.out)["steps"] == {"divided": "failed"}
    assert "Error: Step divided of 'dividing' failed: ZeroDivisionError" in said.err
