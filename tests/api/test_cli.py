"""`training.cli()`: the command line of a pipeline."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from penstock import Client, Pipeline, RunFailed, pipeline, step
from penstock.api.commands import Asked, command
from penstock.errors import BadStep


class Color(Enum):
    RED = "red"
    BLUE = 2


@dataclass
class Adam:
    beta: float = 0.9
    name: str = "adam"


@dataclass
class Config:
    lr: float
    epochs: int = 3
    adam: Adam = field(default_factory=Adam)

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ValueError("at least one epoch is needed")


class Model(BaseModel):
    depth: Annotated[int, Field(gt=0)] = 3


@dataclass
class Tree:
    name: str = "leaf"
    left: "Tree | None" = None


@step
def noted(value: str) -> str:
    return value


@step
def divided(by: int) -> float:
    return 1 / by


@pipeline
def training(
    count: int, lr: float = 0.1, name: str = "a b", fast: bool = False, day: date | None = None
) -> str:
    """Trains a model.

    On the data.
    """
    return noted(f"{count} {lr} {name} {fast} {day}")


@pipeline
def dividing(by: int = 0) -> float:
    return divided(by)


@pipeline
def stumbling() -> None:
    raise LookupError("no such table")


def asked(pipe: Pipeline[..., Any], *words: str) -> Any:
    """What the pipeline would be called with."""
    said = command(pipe).main(words, prog_name="x", standalone_mode=False)
    assert isinstance(said, Asked)
    return said.arguments


def taking(hint: Any, default: Any = ...) -> Pipeline[..., Any]:
    """A pipeline with one parameter, `x`, of this type."""

    def body(x: Any = default) -> None: ...

    def required(x: Any) -> None: ...

    function = required if default is ... else body
    function.__annotations__["x"] = hint
    return pipeline(function)


@pytest.fixture
def ended(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The exit code of a pipeline's command line, and what it printed."""

    def ended(pipe: Pipeline[..., Any], *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            pipe.cli(words)
        said = capsys.readouterr()
        code: Any = caught.value.code
        return code, said.out, said.err

    return ended


@pytest.mark.parametrize(
    ("hint", "word", "value"),
    [
        (int, "-3", -3),
        (float, "1e-3", 0.001),
        (str, "null", "null"),
        (str, "", ""),
        (int | None, "3", 3),
        (Path, "a/b", Path("a/b")),
        (Literal["a", 3], "3", 3),
        (Literal["a", 3] | None, "a", "a"),
        (Color, "red", Color.RED),
        (Color | None, "2", Color.BLUE),
        (date, "2025-02-03", date(2025, 2, 3)),
        (Decimal, "0.10", Decimal("0.10")),
        (list[int], "[1, 2]", [1, 2]),
        (list[str], '["a"]', ["a"]),
        (dict[str, float], '{"a": 1}', {"a": 1.0}),
        (tuple[int, str], '[1, "a"]', (1, "a")),
        (int | str, "3", 3),
        (int | str, "three", "three"),
        (Any, "[1]", [1]),
        (Any, "word", "word"),
        (bytes, "word", b"word"),
        (Annotated[int, "of rows"], "3", 3),
        (list[Adam], '[{"beta": 1}]', [Adam(1.0)]),
    ],
)
def test_a_word_becomes_a_value_of_the_annotated_type(hint: Any, word: str, value: Any) -> None:
    found = asked(taking(hint), "--x", word)["x"]
    assert (found, type(found)) == (value, type(value))


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers())))
def test_any_list_can_be_written_as_json(value: list[dict[str, int]]) -> None:
    assert asked(taking(list[dict[str, int]]), "--x", json.dumps(value)) == {"x": value}


@pytest.mark.parametrize(("word", "value"), [("--fast", True), ("--no-fast", False)])
def test_a_bool_is_a_pair_of_flags(word: str, value: bool) -> None:
    assert asked(training, "--count", "1", word)["fast"] is value


def test_what_is_not_given_is_left_to_the_pipeline() -> None:
    assert asked(training, "--count", "1") == {"count": 1}


def test_underscores_are_typed_as_dashes() -> None:
    @pipeline
    def scored(max_depth: int, _seed: int = 0) -> None: ...

    assert asked(scored, "--max-depth", "1", "--seed", "2") == {"max_depth": 1, "_seed": 2}


def test_names_that_differ_in_case_are_different_flags() -> None:
    @pipeline
    def cased(n: int = 0, N: int = 0) -> None: ...  # noqa: N803

    assert asked(cased, "--n", "1", "--N", "2") == {"n": 1, "N": 2}


def test_fields_of_a_dataclass_are_flags() -> None:
    words = ["--x.lr", "0.1", "--x.adam.name", "sgd"]
    assert asked(taking(Config), *words) == {"x": Config(0.1, 3, Adam(0.9, "sgd"))}


def test_fields_change_the_default_that_the_parameter_has() -> None:
    default = Config(0.5, 9, Adam(0.1))
    assert asked(taking(Config, default), "--x.epochs", "7") == {"x": Config(0.5, 7, Adam(0.1))}


def test_fields_of_a_pydantic_model_are_flags() -> None:
    assert asked(taking(Model, Model()), "--x.depth", "5") == {"x": Model(depth=5)}


def test_a_dataclass_that_may_be_none_is_made_when_one_field_is_given() -> None:
    optional = taking(Config | None, None)
    assert asked(optional) == {}
    assert asked(optional, "--x.lr", "1") == {"x": Config(1.0)}


def test_a_dataclass_inside_itself_is_json() -> None:
    tree = taking(Tree, Tree())
    assert asked(tree, "--x.left", '{"name": "b"}') == {"x": Tree(left=Tree("b"))}


@pytest.mark.parametrize(
    ("pipe", "words", "message"),
    [
        (training, [], "Missing option '--count'."),
        (training, ["--count", "x"], "Invalid value for '--count': 'x' is not a valid integer."),
        (taking(Config), [], "Missing option '--x.lr'."),
        (taking(Config | None, None), ["--x.epochs", "1"],
         "--x.lr is missing: Config has no default for it."),
        (taking(Config), ["--x.lr", "1", "--x.epochs", "0"],
         "--x: at least one epoch is needed"),
        (taking(Model), ["--x.depth", "0"], "--x.depth: Input should be greater than 0."),
        (taking(list[int]), ["--x", "one"],
         "Invalid value for '--x': 'one' does not fit list[int]: Input should be a valid list."),
        (taking(Color), ["--x", "green"],
         "Invalid value for '--x': 'green' is not one of 'red', '2'."),
    ],
)  # fmt: skip
def test_a_wrong_word_is_one_usage_error(
    pipe: Any, words: list[str], message: str, ended: Any
) -> None:
    code, out, err = ended(pipe, *words)
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == f"Error: {message}"
    assert err.splitlines()[1].endswith("--help")


def test_a_misspelt_flag_is_asked_about(ended: Any) -> None:
    code, _, err = ended(training, "--count", "1", "--nam", "x")
    assert code == 2
    assert "--name" in err


@pytest.mark.parametrize(
    "name",
    ["stack", "config", "cache", "no_cache", "refresh", "resume", "to", "only", "pdb", "json"],
)
def test_a_parameter_with_the_name_of_a_flag_of_ours_is_refused(name: str) -> None:
    function: Any = eval(f"lambda {name}=0: None")
    function.__name__ = "mine"
    with pytest.raises(BadStep, match=r"has the name of a flag of cli\(\)") as caught:
        command(pipeline(function))
    assert caught.value.hint == "Rename it, or parse your own arguments and call mine.run()."


def test_two_parameters_of_one_flag_are_refused() -> None:
    @pipeline
    def both(fast: bool = False, no_fast: int = 0) -> None: ...

    with pytest.raises(BadStep, match="fast and no_fast of pipeline 'both' would both be --no-fas"):
        command(both)


def test_the_help_has_the_docstring_and_every_default(ended: Any) -> None:
    code, out, _ = ended(training, "--help")
    assert code == 0
    assert "  Trains a model.\n\n  On the data.\n" in out
    for line in (
        "--count INTEGER  [required]", "--lr FLOAT [default: 0.1]", "--name TEXT [default: a b]",
        "--fast / --no-fast [default: false]", "--stack TEXT", "--no-cache", "--refresh", "--json",
    ):  # fmt: skip
        assert " ".join(line.split()) in " ".join(out.split())


def test_a_run_ends_the_process_with_0(ended: Any) -> None:
    code, out, _ = ended(training, "--count", "2", "--lr", "0.2")
    assert (code, out) == (0, "")
    assert Client().run("last").result() == "2 0.2 a b False None"


def test_the_outcome_can_be_had_as_json(ended: Any) -> None:
    _, out, _ = ended(training, "--count", "2", "--json")
    assert json.loads(out) == {
        "run": Client().run("last").id,
        "pipeline": "training",
        "status": "completed",
        "steps": {"noted": "completed"},
    }


def test_no_cache_takes_nothing_from_the_cache(ended: Any) -> None:
    for words in ([], ["--no-cache"]):
        ended(training, "--count", "2", *words)
    assert Client().run("last")["noted"].status == "completed"


def test_an_unknown_stack_is_a_configuration_error(ended: Any) -> None:
    code, out, err = ended(training, "--count", "1", "--stack", "nope")
    assert (code, out) == (3, "")
    assert err == (
        "Error: There is no stack 'nope' (--stack). Stacks: 'default'.\nType: penstock stack list\n"
    )


def test_a_failed_step_shows_the_users_frames_only(ended: Any) -> None:
    code, _, err = ended(dividing)
    assert code == 1
    assert "in divided\n" in err
    assert "sdk/penstock/" not in err
    assert err.splitlines()[-2].startswith("Error: Step divided of 'dividing' failed: ZeroDivision")
    assert err.splitlines()[-1] == f"penstock run show {Client().run('last').id}"


def test_a_failed_run_has_an_outcome_as_json_too(ended: Any) -> None:
    code, out, _ = ended(dividing, "--json")
    assert (code, json.loads(out)["steps"]) == (1, {"divided": "failed"})


def test_an_error_between_the_steps_shows_the_users_frames_only(ended: Any) -> None:
    code, _, err = ended(stumbling)
    assert code == 1
    assert "in stumbling\n" in err
    assert "sdk/penstock/" not in err
    assert (
        err.splitlines()[-1]
        == "Error: Pipeline 'stumbling' stopped with LookupError: no such table"
    )


def test_in_python_a_failed_step_raises() -> None:
    with pytest.raises(RunFailed):
        dividing.with_options(progress=False).run()


def test_plain_flags_import_no_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom typing import Literal\n"
        "from penstock import pipeline\n@pipeline\n"
        "def flow(n: int, p: Path, mode: Literal['a'] = 'a', fast: bool = True) -> None: ...\n"
        "try: flow.cli(['--n', '1', '--p', 'x', '--mode', 'a'])\n"
        "except SystemExit as end: print(end.code, 'pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0 False\n"


SLOW = """\
import time
from penstock import pipeline, step

@step
def slow() -> None:
    print("here", flush=True)
    time.sleep(60)

@pipeline
def patient() -> None:
    slow()

patient.cli()
"""


def test_an_interrupted_run_is_exit_code_130(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    child = subprocess.Popen(
        [sys.executable, "slow.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert Client().run("last").status == "stopped"


def test_the_usage_can_be_typed_again(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "from penstock import pipeline\n@pipeline\ndef flow(n: int) -> None: ...\nflow.cli()\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "flow.py")],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.stderr == "Error: Missing option '--n'.\nType: python flow.py --help\n"
