"""A project with three pipelines, and the command line in this process."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock import Retry, RunFailed, pipeline, step
from penstock.cli.main import main


class Split(NamedTuple):
    train: list[int]
    test: list[int]


@step
def load(count: int) -> list[int]:
    print(f"{count} rows…")
    return list(range(count))


@step
def split(rows: list[int]) -> Split:
    return Split(rows[1:], rows[:1])


@step
def square(row: int) -> int:
    return row * row


@step
def report(rows: list[int], squares: list[int]) -> Path:
    path = Path("rows.txt").absolute()
    path.write_text("\n".join(map(str, rows)))
    return path


@step(retries=Retry(times=1, delay=0))
def broken(rows: list[int], limit: float) -> list[int]:
    print("one more try")
    return rows[99:] or [rows[99]]


@step
def strange() -> object:
    return {"a": object}


@pipeline(progress=False)
def training(count: int = 3) -> Path:
    train, _ = split(load(count))
    return report(train, square.map([1, 2]))


@pipeline(progress=False)
def failing(limit: float = 0.5) -> None:
    broken(load(3), limit)


@pipeline(progress=False)
def pickling() -> None:
    strange()


@dataclass
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Penstock = Callable[..., Said]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the test is a project, and the time zone is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    (tmp_path / "penstock.yaml").touch()
    return tmp_path


@pytest.fixture
def penstock(capsys: pytest.CaptureFixture[str]) -> Penstock:
    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(words)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture
def trained() -> Any:
    """A run that is complete."""
    return training.run()


@pytest.fixture
def failed() -> Any:
    """A run with a failed step."""
    with pytest.raises(RunFailed) as caught:
        failing.run()
    return caught.value.run


@pytest.fixture
def pickled() -> Any:
    """A run with a pickle."""
    return pickling.run()


@pytest.fixture
def train() -> Any:
    """The pipeline itself."""
    return training


@pytest.fixture
def plain(tmp_path: Path) -> Callable[[str], str]:
    """A screen without what is different each time."""
    tail = r"[0-9a-z]{4}-[0-9a-z]{4}"

    def plain(text: str) -> str:
        runs: dict[str, str] = {}

        def numbered(found: re.Match[str]) -> str:
            return runs.setdefault(found[1], f"RUN-{len(runs) + 1}")

        text = re.sub(rf"\d{{8}}-\d{{6}}-({tail})", numbered, text.replace("\r\n", "\n"))
        text = re.sub(rf"\b({tail})\b", numbered, text)
        for pattern, instead in (
            (re.escape(str(tmp_path)), "HERE"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE TIME"),
            (r"DATE TIME by \S+ on \S+", "DATE TIME by USER on HOST"),
            (r"(DATE TIME +\S+ s  +)\S+", r"\1USER"),
            (r"USER: +\S+", "USER: USER"),
            (r"\d+\.\d+ s\b", "0.00 s"),
            (r"\d+\.\d+ [MG]iB", "0.0 MiB"),
            (r"\b[0-9a-f]{64}\b", "DIGEST"),
            (r'File ".*?(\w+\.py)", line \d+', r'File "\1", line N'),
            (r"\n *[~^]+ *(?=\n)", ""),
            (r"\d+\.\d+\.\d+[+.\w]*", "VERSION"),
            (r"(?<=\S)  +", "  "),
            (r"[0-9a-f]{40}", "COMMIT"),
        ):
            text = re.sub(pattern, instead, text)
        return text

    return plain
