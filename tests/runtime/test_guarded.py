"""An observer that raises: the run goes on, and it is said once."""

import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import Status, pipeline, step
from penstock.runtime.guarded import Guarded
from penstock.runtime.observer import Silent
from penstock.testing import RecordingObserver


class Clumsy(Silent):
    """Drops what it is given."""

    def note(self, message: str) -> None:
        raise LookupError(f"where is {message}?")


def test_what_an_observer_raises_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    told = Guarded(Clumsy())
    told.note("it")
    told.note("that")

    lines = Path(__file__).read_text("utf-8").splitlines()
    line = next(number for number, each in enumerate(lines, 1) if "raise LookupError" in each)
    assert capsys.readouterr().err == (
        "  note: the observer Clumsy failed at note: LookupError: where is it? "
        f"({__file__}:{line}); the run goes on\n"
    )


def test_an_observer_is_told_everything_after_it_has_raised() -> None:
    class Forgetful(RecordingObserver):
        def run_started(self, *what: Any) -> None:
            raise RuntimeError

    observer = Forgetful()
    told = Guarded(observer)
    told.run_started("run", "pipeline", "stack", "origin", [])
    told.note("a")
    told.run_finished("run", Status.COMPLETED, 1.0)

    assert observer.events == [("note", "a"), ("run", "completed")]


def test_ctrl_c_in_an_observer_is_one() -> None:
    class Interrupted(Silent):
        def note(self, message: str) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guarded(Interrupted()).note("a")


def test_a_terminal_with_a_defect_changes_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        encoding = "utf-8"

        def isatty(self) -> bool:
            return False

        def write(self, text: str) -> int:
            raise RuntimeError("a defect")

        def flush(self) -> None: ...

    @step
    def fine() -> int:
        return 1

    @pipeline
    def watched() -> int:
        return fine()

    monkeypatch.setattr(sys, "stderr", Broken())
    run = watched.run()
    monkeypatch.undo()
    assert (run.status, run.result()) == (Status.COMPLETED, 1)
