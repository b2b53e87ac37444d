"""Every example, submitted: it prints the same, and its steps are pods."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest
from prod import STACKS, Prod
from servers import Server
from standins import Standin
from warm import Typed, Warm

EXAMPLES: Final = Path(__file__).resolve().parents[3] / "examples"
FILES: Final = sorted(
    file for file in EXAMPLES.rglob("*.py")
    if file.name != "digits.py" and ".penstock" not in file.parts
)  # fmt: skip
SHOWN: Final = re.compile(r"^    \$ (.*)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)
THEIR_OWN: Final = ("stack_in_code.py", "step_elsewhere.py")
"""Those that say in their code on which stack they run."""
KNOWING: Final = STACKS.replace(
    "prod: {{orchestrator: kf,",
    'prod: {{orchestrator: kf, secrets: {{TOKEN: "${{env:PROD_TOKEN}}"}},',
).replace("secret_env: {{", "secret_env: {{PROD_TOKEN: bucket/PROD_TOKEN, ")
"""What the last of them wants of a stack, but for a step operator: a pod is a process of its own
anyway."""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with Warm(tmp_path_factory.mktemp("warm")) as warm:
        yield warm


class Terminal:
    """A shell, as far as the lines of examples need one."""

    def __init__(self, prod: Prod, warm: Warm) -> None:
        self._warm = warm
        self._folder = prod.folder
        self._variables = {"PENSTOCK_STACK": "prod", **prod.variables}
        self.printed = ""

    def type(self, line: str) -> None:
        words = shlex.split(line)
        match words:
            case ["cd", folder]:
                self._folder /= folder
            case ["export", _]:
                self._variables |= _named(words[1:])
            case _:
                first = next(at for at, word in enumerate(words) if "=" not in word)
                done = self._typed(words[first:], _named(words[:first]))
                assert done.code == 0, done.said
                self.printed += done.printed

    def _typed(self, words: Sequence[str], variables: Mapping[str, str]) -> Typed:
        told = {**self._variables, **variables}
        return self._warm.typed(*words, folder=self._folder, variables=told).ended()


def _named(words: Sequence[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


@pytest.fixture
def prod(standin: Standin, started: Callable[[str], Server], tmp_path: Path) -> Prod:
    """The team's stacks are in a file of the user's: one of the examples is a project itself."""
    return prepared(Prod(tmp_path, standin, started("moto")))


def prepared(prod: Prod) -> Prod:
    shutil.copytree(EXAMPLES, prod.folder / "examples", ignore=shutil.ignore_patterns(".penstock"))
    place = Path(prod.variables["XDG_CONFIG_HOME"], "penstock")
    place.mkdir(parents=True)
    os.replace(prod.folder / "penstock.yaml", place / "penstock.yaml")
    return prod


@pytest.mark.sampled(most=3)
@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_example_prints_what_it_says(file: Path, prod: Prod, warm: Warm) -> None:
    shown = SHOWN.findall(ast.get_docstring(ast.parse(file.read_text()), clean=False) or "")
    terminal = Terminal(prod, warm)
    for line, _ in shown:
        terminal.type(line)

    printed = "".join(re.sub(r"^    ", "", out, flags=re.MULTILINE) for _, out in shown)
    assert terminal.printed.replace("from prod", "from default") == printed
    assert bool(prod.jobs) == (file.name not in THEIR_OWN)


def test_the_pipelines_of_those_run_there_if_they_are_told_to(
    standin: Standin, started: Callable[[str], Server], tmp_path: Path, warm: Warm
) -> None:
    token = {"PROD_TOKEN": "sesame open"}  # the other one stands in the code
    prod = prepared(Prod(tmp_path, standin, started("moto"), stacks=KNOWING, **token))
    file = prod.folder / "examples/step_elsewhere.py"
    file.write_text(file.read_text().replace('step_operator="apart", ', ""))
    terminal = Terminal(prod, warm)
    terminal.type("penstock pipeline run examples/stack_in_code.py:doubling --number 6")
    terminal.type("penstock pipeline run examples/step_elsewhere.py:fetching")

    assert "here, with a token of 11 characters: ***" in terminal.printed
    assert len(prod.jobs) == 2
