"""The example with real data, carried out by kfp: on a folder, and on an S3 server."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import OURS, Checkout
from engine import Carried, Cluster, Engine, Volume, orchestrator
from servers import Server
from small_projects import imported

from penstock.model.component import Secret
from penstock.stack.stack import Stack

DIGITS = "examples/digits.py"
STEPS = ["load", "split", "train.0", "train.1", "train.2", "compare", "report"]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


class Digits:
    """The example on a laptop, then by Kubeflow with a bucket in between."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        shutil.copy(EXAMPLES / "digits.py", checkout.folder / "examples/digits.py")
        done = checkout.typed("python", DIGITS, stack="default")
        assert done.returncode == 0, done.stderr
        self.first: Carried = checkout.carried_out(f"{DIGITS}:digits")
        self.near = checkout.digests("default")
        self.far = checkout.digests("far")


@pytest.fixture(scope="module")
def digits(
    engine: Engine, started: Callable[[str], Server], tmp_path_factory: pytest.TempPathFactory
) -> Digits:
    server = started("moto")
    folder = tmp_path_factory.mktemp("digits")
    cluster = Cluster(engine, folder / "cluster")
    checkout = Checkout(folder, cluster, server, server.bucket())
    cluster.environment["MPLCONFIGDIR"] = checkout.variables["MPLCONFIGDIR"]
    (checkout.folder / "examples").mkdir()
    return Digits(checkout)


def test_each_step_is_a_pod(digits: Digits) -> None:
    assert digits.first.succeeded, digits.first.said
    assert digits.first.calls == sorted(STEPS)


def test_the_digests_are_those_of_a_run_on_this_machine(digits: Digits) -> None:
    assert digits.far == digits.near
    assert {"load", "split", "compare", "report"} <= {step for step, _ in digits.far}


def test_a_run_on_this_machine_finds_everything_in_the_bucket(digits: Digits) -> None:
    done = digits.checkout.typed("python", DIGITS, stack="near")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stderr.splitlines() if line.startswith("  ")]
    assert [(line[0], line[1]) for line in lines] == [(step, "cached") for step in STEPS]


def test_there_is_nothing_left_to_compile(digits: Digits) -> None:
    assert digits.checkout.compiled(f"{DIGITS}:digits") == ""


def test_after_one_helper_was_edited_only_what_needs_it_is_compiled(digits: Digits) -> None:
    file = digits.checkout.folder / DIGITS
    written = file.read_text()
    file.write_text(written.replace('cmap="Blues"', 'cmap="Greens"'))
    carried = digits.checkout.carried_out(f"{DIGITS}:digits")

    assert carried.succeeded, carried.said
    assert carried.calls == ["report"]
    assert digits.checkout.digests().keys() == digits.far.keys()
    file.write_text(written)


def test_in_a_folder_the_digests_are_the_same(
    digits: Digits, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `.run()`, with no bucket in between."""
    cluster.environment |= {"MPLCONFIGDIR": digits.checkout.variables["MPLCONFIGDIR"], **OURS}
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
