import json
import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typing_in import EXAMPLES, typed

STEPS = ["load", "split", "train.0", "train.1", "train.2", "compare", "report"]


class Twice:
    """The example, run two times in a folder of its own by a user of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a folder"
        self.variables = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / ".config")}
        self.folder.mkdir()
        (self.folder / "pyproject.toml").touch()
        ignored = shutil.ignore_patterns(".penstock")
        shutil.copytree(EXAMPLES, self.folder / "examples", ignore=ignored)
        self.first = self.typed("python examples/digits.py")
        self.second = self.typed("python examples/digits.py")

    def typed(self, script: str) -> subprocess.CompletedProcess[str]:
        return typed(script, self.folder, **self.variables)

    def exported(self, name: str) -> Path:
        file = self.folder / f"exported-{name.replace('/', '-')}"
        if not file.exists():
            done = self.typed(f"penstock artifact export last/{name} '{file}'")
            assert done.returncode == 0, done.stderr
        return file


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Twice:
    return Twice(tmp_path_factory.mktemp("digits"))


def test_it_runs_and_says_nothing_but_what_happens(digits: Twice) -> None:
    lines = digits.first.stderr.splitlines()
    assert digits.first.returncode == 0, digits.first.stderr
    assert lines[0].startswith("digits  run ")
    assert lines[-1].startswith("completed in ")
    assert sorted(line.split()[0] for line in lines[1:-1]) == sorted(STEPS)


def test_the_second_run_takes_everything_from_the_cache(digits: Twice) -> None:
    steps = digits.second.stderr.splitlines()[1:-1]
    assert [line.split()[:2] for line in steps] == [[step, "cached"] for step in STEPS]
    assert digits.second.stdout == digits.first.stdout


def test_every_model_reads_nine_of_ten_digits(digits: Twice) -> None:
    metrics = read(digits)
    assert len(metrics["accuracy"]) == 3
    assert all(0.9 < share <= 1 for share in metrics["accuracy"].values())


def test_the_best_model_is_the_one_that_was_counted(digits: Twice) -> None:
    metrics = read(digits)
    confusion = metrics["confusion"]
    right = sum(row[digit] for digit, row in enumerate(confusion))
    assert sum(map(sum, confusion)) == metrics["test_images"] == 449
    assert right / 449 == metrics["accuracy"][metrics["best"]] == max(metrics["accuracy"].values())


def test_the_report_has_a_picture(digits: Twice) -> None:
    data = digits.exported("report/picture").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (900, 900)
    from matplotlib.image import imread  # slow to import, and for this test only

    colours = imread(digits.exported("report/picture"))[..., :3].reshape(-1, 3)
    assert len({tuple(colour) for colour in colours[::7]}) > 20


def test_what_it_says_to_type_next_works(digits: Twice) -> None:
    lines = re.findall(
        r"^  (\S.*penstock'? (?:run|artifact) .*)$", digits.second.stdout, re.MULTILINE
    )
    assert len(lines) == 3
    done = digits.typed("\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert (digits.folder / "confusion.png").read_bytes().startswith(b"\x89PNG")


def read(digits: Twice) -> Any:
    return json.loads(digits.exported("report/metrics").read_text())
