"""A project whose runs a little engine carries out, and what tests look at of it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import engine_job
import engines

from penstock import Client, Run
from penstock.runtime import engines as asking
from penstock.runtime import watching
from penstock.runtime.elsewhere import verdict

Err = Callable[[], str]


class Prod:
    """A project, its stack `prod`, and what lies in the folders of the two."""

    def __init__(self, folder: Path, project: ModuleType) -> None:
        self.folder = folder
        self.project = project
        self.programs: list[subprocess.Popen[str]] = []

    def run(self, name: str, *args: Any, **options: Any) -> Run[Any]:
        pipeline = getattr(self.project, name).on("prod").with_options(**options)
        run: Run[Any] = pipeline.run(*args)
        return run

    def last(self) -> Run[Any]:
        return Client("prod").run("last")

    def records(self, run: str, name: str) -> Any:
        """An object of the run, its first line."""
        text = (self.folder / "store" / "runs" / run / name).read_text()
        return json.loads(text.splitlines()[0])

    def is_sealed(self, run: str) -> bool:
        return (self.folder / "store" / "runs" / run / "end.json").exists()

    @property
    def jobs(self) -> list[Path]:
        """What the engine has."""
        return [each.parent for each in (self.folder / "engine").glob("*/run")]

    @property
    def asked(self) -> list[float]:
        """When the engine was asked."""
        file = self.folder / "engine" / "asked"
        return (
            [float(line.split()[0]) for line in file.read_text().splitlines()]
            if file.exists()
            else []
        )

    def fail(self, where: str, what: str = "") -> None:
        """From now on the engine does that, or nothing of the kind any more."""
        file = self.folder / "engine" / f"fails-{where}"
        file.write_text(what) if what else file.unlink()

    def say(self, word: str, *why: str) -> None:
        """Have the engine say that of its job."""
        engine_job.state(self.jobs[0], word, *why)

    def started(self, *words: str, **variables: str) -> "subprocess.Popen[str]":
        """The project's file as a program."""
        process = subprocess.Popen(
            [sys.executable, "-c", SHELL, *words], cwd=self.folder, text=True,
            env={**os.environ, "PENSTOCK_STACK": "prod", "FOLDER": str(self.folder), **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.programs.append(process)
        return process

    def end(self) -> None:
        """Whatever has become of the test, nothing goes on."""
        engines.end_all(self.folder / "engine")
        for process in self.programs:
            process.kill()
            process.communicate()


def hurry(put: Callable[[object, str, float], None]) -> None:
    """What takes a minute takes a moment."""
    put(watching, "NEAR", 0.1)
    put(asking, "FIRST", 0.2)
    put(asking, "EVERY", 0.3)
    put(asking, "SOONEST", 0.3)
    put(verdict, "TWICE", 0.5)
    put(verdict, "MISSED", 0.1)


SHELL = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a shell
sys.path[:0] = [".", HERE]
import engines, production
production.hurry(setattr)
from pathlib import Path
if "PROD" not in os.environ:
    engines.register(Path.cwd())
if sys.argv[1].endswith(".py"):
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    from penstock.cli.main import main
    sys.exit(main(sys.argv[1:]))
""".replace("HERE", repr(str(Path(__file__).parent)))


def until(condition: Callable[[], object]) -> None:
    """Wait for what is bound to happen."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def lines(text: str) -> list[str]:
    """What is said, without ids and times."""
    text = re.sub(r"\d{8}-\d{6}-\w{4}-\w{4}|(?<=show )\S+", "RUN", text)
    return re.sub(r"\d+(\.\d+)? (ms|s)\b", "TIME", text).splitlines()
