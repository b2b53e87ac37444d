"""The example with real data, submitted as users do it: to the stand-in, with a bucket between; and
carried out by kfp in a folder."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from checkout import OURS
from engine import Cluster, Volume, orchestrator
from prod import Prod
from servers import Server
from small_projects import imported
from standins import Hatchery

from penstock.model.component import Secret
from penstock.stack.stack import Stack

DIGITS: Final = "examples/digits.py"
STEPS: Final = ["load", "split", "train.0", "train.1", "train.2", "compare", "report"]
EXAMPLES: Final = Path(__file__).resolve().parents[3] / "examples"
KINDS: Final = {
    "head": r"digits  run \S+ on stack \S+ \(.+\)",
    "note": r"  note: .+",
    "step": r"  (?P<step>\S+) +(\d+\.\d+ s.*|cached  \(.+\))",
    "end": r"completed in \S+ s  ·  .*penstock run show \S+",
}
"""What a run says, line by line."""


class Digits:
    """The example on a laptop, then on Kubeflow, each in a process."""

    def __init__(self, prod: Prod) -> None:
        self.prod = prod
        (prod.folder / "examples").mkdir()
        shutil.copy(EXAMPLES / "digits.py", prod.folder / DIGITS)
        self.local = self.run("default")
        self.near = prod.digests("default")
        self.first = self.run("prod")
        self.far = prod.digests("prod")

    def run(self, stack: str) -> subprocess.CompletedProcess[str]:
        done = self.prod.typed("python", DIGITS, stack=stack)
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def digits(
    hatchery: Hatchery, started: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Digits]:
    folder = tmp_path_factory.mktemp("digits")
    with hatchery.standin(folder / "engine") as engine:
        yield Digits(Prod(folder, engine, started("moto")))


def kinds(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Of all lines that it has said, one after the other; a line of no kind is itself."""
    found = []
    for line in done.stderr.splitlines():
        fits = [kind for kind, pattern in KINDS.items() if re.fullmatch(pattern, line)]
        found += fits or [line]
    return found


def steps(done: subprocess.CompletedProcess[str]) -> Sequence[str]:
    return re.findall(r"^  (\S+) +(?:\d|cached)", done.stderr, re.MULTILINE)


def results(done: subprocess.CompletedProcess[str]) -> str:
    """What it prints, without where the artifacts are."""
    return re.sub("(?m)^Artifacts: .*$", "", done.stdout)


def test_it_says_what_a_run_on_this_machine_says(digits: Digits) -> None:
    far, near = kinds(digits.first), kinds(digits.local)
    assert set(far) == {*KINDS}
    assert set(near) <= {*KINDS}
    assert [kind for kind in far if kind != "note"] == ["head", *["step"] * len(STEPS), "end"]
    assert sorted(steps(digits.first)) == sorted(steps(digits.local)) == sorted(STEPS)
    assert results(digits.first) == results(digits.local)


def test_it_says_where_kubeflow_shows_the_run(digits: Digits) -> None:
    (job,) = digits.prod.jobs
    found = re.findall(r"note: submitted to kf: (\S+)", digits.first.stderr)
    assert found == [f"{digits.prod.variables['KFP_HOST']}/#/runs/details/{job['id']}"]


def test_the_digests_are_those_of_a_run_on_this_machine(digits: Digits) -> None:
    assert digits.far == digits.near
    assert {"load", "split", "compare", "report"} <= {step for step, _ in digits.far}


def test_a_run_on_this_machine_finds_everything_in_the_bucket(digits: Digits) -> None:
    done = digits.run("near")
    lines = [line.split() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert [(line[0], line[1]) for line in lines] == [(step, "cached") for step in STEPS]


def test_what_is_all_in_the_cache_asks_kubeflow_for_nothing(digits: Digits) -> None:
    """There is none where it is said to be."""
    done = digits.prod.typed("python", DIGITS, stack="prod", KFP_HOST="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert len(digits.prod.jobs) == 1


def test_after_one_helper_was_edited_only_what_needs_it_is_a_pod(digits: Digits) -> None:
    file = digits.prod.folder / DIGITS
    written = file.read_text()
    file.write_text(written.replace('cmap="Blues"', 'cmap="Greens"'))
    done = digits.run("prod")

    fresh = [line for line in done.stderr.splitlines() if re.fullmatch(r"  \S+ +\d.*", line)]
    assert [line.split()[0] for line in fresh] == ["report"]
    assert digits.prod.digests("prod").keys() == digits.far.keys()
    file.write_text(written)


def test_there_is_nothing_left_to_compile(digits: Digits) -> None:
    assert digits.prod.compiled(f"{DIGITS}:digits") == ""


def test_in_a_folder_the_digests_are_the_same(
    digits: Digits, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no bucket in between."""
    cluster.environment |= {"MPLCONFIGDIR": digits.prod.variables["MPLCONFIGDIR"], **OURS}
    monkeypatch.setenv("TEAM_KEY", OURS["TEAM_KEY"])
    store = Volume(path=str(tmp_path / "store"), signing_key=Secret("${env:TEAM_KEY}"))
    stack = Stack("folder", orchestrator=orchestrator(cluster), artifact_store=store)
    with imported(
        tmp_path, {"digits.py": (EXAMPLES / "digits.py").read_text()}, "digits"
    ) as module:
        run = module.digits.on(stack).with_options(progress=False).run()

    made = {
        (view.id, name): output.artifact
        for view in run
        for name, output in view.outputs.items()
        if "pickle" not in output.artifact.format
    }
    assert {name: artifact.digest for name, artifact in made.items()} == digits.near
    assert cluster.carried[0].calls == sorted(STEPS)
