"""A project with steps, stacks with step operators, and other interpreters."""

import os
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Pipeline,
    Run,
    RunFailed,
    Stack,
    Step,
    SubprocessStepOperator,
    pipeline,
)
from penstock.stack import StepOperator

SOURCE = Path(__file__).with_name("work.py").read_text()


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module with the steps, in the project's folder."""
    (tmp_path / "work.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("work")
    del sys.modules["work"]


@pytest.fixture
def stack(tmp_path: Path) -> Callable[..., Stack]:
    """Makes a stack with these step operators, by default one; all have one store."""

    def made(*operators: StepOperator, store: str = "store", **options: Any) -> Stack:
        return Stack(
            "here",
            orchestrator=LocalOrchestrator(failure="finish"),
            artifact_store=LocalArtifactStore(path=str(tmp_path / store)),
            step_operators=operators or [SubprocessStepOperator()],
            **options,
        )

    return made


@pytest.fixture
def ended() -> Callable[..., Run[Any]]:
    """Runs steps on a stack, each by its step operator; a run that failed is as good."""

    def run(stack: Stack, *steps: tuple[Step[..., Any], Any]) -> Run[Any]:
        name = stack.step_operators[0].name

        @pipeline(progress=False)
        def running() -> None:
            for step, *arguments in steps:
                step.with_options(step_operator=name)(*arguments)

        alone: Pipeline[[], Any] = running
        try:
            return alone.on(stack).run()
        except RunFailed as error:
            return error.run  # type: ignore[no-any-return]

    return run


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with everything that this one has."""
    folder = tmp_path_factory.mktemp("other") / "venv"
    libraries = Path(_made(folder), "penstock.pth")
    here = [str(Path(penstock.__file__).parents[1]), *filter(os.path.isdir, sys.path)]
    libraries.write_text(
        "\n".join(item for item in here if "site-packages" in item or "sdk" in item)
    )
    return folder


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing in it."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    _made(folder)
    return folder


def _made(folder: Path) -> str:
    """Makes one; where its packages are."""
    venv.EnvBuilder(symlinks=True).create(folder)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(folder / "lib" / version / "site-packages")
