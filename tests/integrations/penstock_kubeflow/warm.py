"""A Python that has imported what a submission needs, and forks for every line that is typed.

    python warm.py

kfp takes seconds to import, which a test with fifty submissions cannot spend. Each line of its
input is a JSON object: `words` to carry out in a `folder` with some `variables`, and the files for
what it says; the answer is the id of the process. A number instead is such an id: the answer is its
exit code, or null as long as it goes on. What is typed is `python FILE …` or `penstock …`.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

IMPORTED: Final = (
    "kfp.compiler", "kfp.kubernetes", "kfp_server_api", "s3fs", "aiobotocore.session",
    "penstock.cli.main", "penstock_kubeflow.orchestrator", "penstock_s3.store",
)  # fmt: skip
"""What a submission imports. None of it starts a thread."""

MOMENT: Final = 0.02
"""Seconds between two questions whether a process has ended."""


@dataclass(frozen=True)
class Typed:
    """A process that carries out what was typed."""

    warm: Warm
    process: int
    out: Path
    err: Path

    @property
    def code(self) -> int | None:
        """Its exit code; None as long as it goes on."""
        return self.warm.code(self.process)

    def ended(self, seconds: float = 120) -> Self:
        """The same, once it has."""
        limit = time.monotonic() + seconds
        while self.code is None:
            assert time.monotonic() < limit, f"it goes on:\n{self.said}"
            time.sleep(MOMENT)
        return self

    @property
    def printed(self) -> str:
        return self.out.read_text()

    @property
    def said(self) -> str:
        """On stderr."""
        return self.err.read_text()


class Warm:
    """In a `with`; what has not ended by then is killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._asking = threading.Lock()
        self._codes: dict[int, int | None] = {}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def typed(self, *words: str, folder: Path, variables: Mapping[str, str]) -> Typed:
        """A line in a terminal, which goes on by itself."""
        number = next(self._numbers)
        out, err = (self._folder / f"{kind}-{number}" for kind in ("out", "err"))
        for file in (out, err):
            file.touch()
        asked = {"words": words, "folder": str(folder), "variables": dict(variables)}
        process = self._ask({**asked, "out": str(out), "err": str(err)})
        self._codes[process] = None
        return Typed(self, process, out, err)

    def code(self, process: int) -> int | None:
        if self._codes[process] is None:
            self._codes[process] = self._ask(process)
        return self._codes[process]

    def _ask(self, what: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._asking:
            print(json.dumps(what), file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._codes:
            if self.code(process) is None:
                os.kill(process, signal.SIGKILL)
        self._process.communicate()


def forked(asked: Mapping[str, Any]) -> int:
    """The id of a child that carries out what is asked."""
    if child := os.fork():
        return child
    code = 70
    try:
        os.setsid()
        for number, name in enumerate((os.devnull, asked["out"], asked["err"])):
            flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
            os.dup2(os.open(name, flags), number)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["variables"])
        code = carried_out(asked["words"])
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def carried_out(words: Sequence[str]) -> int:
    """The exit code of a program, here and now; as Python ends one, with all its last acts."""
    program, *rest = words
    sys.argv = rest if program == "python" else list(words)
    code: object = 0
    try:
        if program == "python":
            sys.path[0] = str(Path(rest[0]).absolute().parent)
            runpy.run_path(rest[0], run_name="__main__")
        else:
            from penstock.cli.main import main

            code = main()
    except SystemExit as error:
        code = error.code
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    return code if isinstance(code, int) else int(code is not None)


def serve() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # kfp's
        for name in IMPORTED:
            importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, int):
            found, status = os.waitpid(asked, os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if found else None
        else:
            answer = forked(asked)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
