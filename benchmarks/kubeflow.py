"""What a submission to Kubeflow takes, and what watching it asks for.

    python benchmarks/kubeflow.py [--steps N] [--rounds N] [--seconds S] [--json FILE]

Everything is on this machine: a bucket on moto, and in the place of Kubeflow the server of the
tests, whose first pod says what is installed in the image; all others wait for their image for
ever. A submission is one call of `.run()` in a process of its own that has imported kfp, and
nothing yet of what speaks S3; beside it the same pipeline, written to a file before, is handed to
`kfp.Client`. "whole process" is such a process from its start to its end, beside one that does
nothing but import kfp. Seconds on the wall's clock. What is asked of the two servers is counted by
proxies before them, and not while time is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import machine
import process
import table
from pairs import Cost, Spread, alternate
from process import HERE
from row import NONE, Goal, Row, counted, timed

sys.path.append(str(HERE.parent / "tests/integrations/penstock_s3"))
sys.path.append(str(HERE.parent / "tests/integrations/penstock_kubeflow/standin"))

from servers import KEY, REGION, SECRET, Server  # type: ignore[import-not-found]
from standins import Hatchery  # type: ignore[import-not-found]

CLOCK: Final = """\
import json, sys, time


def took(work):
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))


"""
CHAIN: Final = f"""\
{CLOCK}from penstock import pipeline, step


@step
def increment(number: int) -> int:
    return number + 1


@pipeline
def chain(length: int = 100, number: int = 0) -> int:
    for _ in range(length):
        number = increment(number)
    return number


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    if "--import" in sys.argv:
        import kfp
    submitting = chain.with_options(wait="--watch" in sys.argv)
    took(lambda: submitting.run(*numbers))
"""
PENSTOCK: Final = str(Path(sys.executable).with_name("penstock"))
FILE: Final = "chain.yaml"
THEIRS: Final = f"""\
import warnings
warnings.simplefilter("ignore")
{CLOCK}import kfp


def hand_over():
    client = kfp.Client(host=sys.argv[1])
    client.create_run_from_pipeline_package("{FILE}", arguments={{}})


took(hand_over)
"""
IMAGE: Final = "registry.example/team/python:3"
STACKS: Final = f"""\
orchestrators:
  kf: {{flavor: kubeflow, host: "${{env:KFP_HOST}}", image: "{IMAGE}"}}
artifact_stores:
  bucket:
    flavor: s3
    path: s3://bucket/penstock
    endpoint_url: "${{env:S3_URL}}"
    region: {REGION}
stacks:
  near: {{orchestrator: default, artifact_store: bucket}}
  prod: {{orchestrator: kf, artifact_store: bucket}}
"""
BEYOND: Final = Goal(most=1)
SELDOM: Final = Goal(most=1)


@dataclass(frozen=True)
class Place:
    """A project, the two servers, and a proxy before each."""

    folder: Path
    straight: Mapping[str, str]
    """How a process is told where they are."""
    proxies: Mapping[str, Server]

    @classmethod
    def made(cls, folder: Path, exits: ExitStack) -> Place:
        project = folder / "project"
        project.mkdir()
        files = {"pyproject.toml": "", "chain.py": CHAIN, "theirs.py": THEIRS}
        for name, text in {**files, "penstock.yaml": STACKS}.items():
            (project / name).write_text(text)
        store = exits.enter_context(Server("moto"))
        hatchery = exits.enter_context(Hatchery())
        engine = exits.enter_context(hatchery.standin(folder / "engine"))
        straight = {"KFP_HOST": engine.url, "S3_URL": store.url}
        proxies = {
            name: exits.enter_context(Server("proxy", url, "0")) for name, url in straight.items()
        }
        place = cls(project, straight, proxies)
        keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        engine.set(environment={**keys, **straight})
        place.go("chain.py", "1", "1", "--watch")  # what is installed in the image is known then
        engine.set(unpullable=[IMAGE])  # from here on pods wait for it for ever
        return place

    def go(self, *words: str, counts: bool = False, stack: str = "prod") -> process.Finished:
        """A process, to its end."""
        os.environ.update(self.told(counts=counts, stack=stack))
        return process.python(self.folder, *words)

    def told(self, *, counts: bool, stack: str = "prod") -> Mapping[str, str]:
        """The variables of a process."""
        urls = {name: proxy.url for name, proxy in self.proxies.items()}
        return {**(urls if counts else self.straight), "PENSTOCK_STACK": stack}

    def requests(self) -> Mapping[str, int]:
        """Those through the proxies since this was asked last."""
        return {name: proxy.requests().total() for name, proxy in self.proxies.items()}


def main() -> None:
    options = arguments()
    process.leave_nothing()
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name, ExitStack() as exits:
        process.live_in(Path(name))
        os.environ.update(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET)
        facts = machine.described(Path(name))
        place = Place.made(Path(name), exits)
        rows = [
            *submitted(place, options.steps, options.rounds),
            *watched(place, options.steps, options.seconds),
            *cached(place, options.steps),
        ]
    print("  ·  ".join(facts.values()))
    print(table.text(rows))
    if options.json:
        data = {"machine": facts, "rows": [row.to_data() for row in rows]}
        options.json.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def submitted(place: Place, steps: int, rounds: int) -> Iterator[Row]:
    """Into a bucket in which there have been runs, of which none has left a result."""
    name = f"submit {steps:,} steps"
    place.go("chain.py", str(steps))
    place.go(PENSTOCK, "pipeline", "compile", "chain.py:chain", "--length", str(steps), "-o", FILE)
    place.requests()
    place.go("chain.py", str(steps), counts=True)
    asked = place.requests()
    ours, theirs = ["chain.py", str(steps), "--import"], ["theirs.py", place.straight["KFP_HOST"]]
    sides: dict[str, Callable[[int], Cost]] = {
        "ours": lambda _: place.go(*ours).reported,
        "theirs": lambda _: place.go(*theirs).reported,
        "whole": lambda _: place.go("chain.py", str(steps)).cost,
        "bare": lambda _: place.go("-W", "ignore", "-c", "import kfp").cost,
    }
    taken = alternate(sides, range(rounds))
    beyond, against = f"{name}, beyond import kfp", "kfp.Client"
    yield timed(beyond, taken["ours"], against, taken["theirs"], BEYOND, "s", "wall")
    yield timed(
        f"{name}, whole process", taken["whole"], "import kfp", taken["bare"], NONE, "s", "wall"
    )
    yield counted(f"{name}, requests to Kubeflow", "", [asked["KFP_HOST"]])
    yield counted(f"{name}, requests to the bucket", "", [asked["S3_URL"]])


def watched(place: Place, steps: int, seconds: float) -> Iterator[Row]:
    """A run that does not get on, for so long: from when it is submitted, and until it is left."""
    child = subprocess.Popen(
        [sys.executable, "chain.py", str(steps), "--watch"], cwd=place.folder,
        env={**os.environ, **place.told(counts=True)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stderr is not None
    for line in child.stderr:
        if "submitted" in line:
            break
    place.requests()
    begin = time.perf_counter()
    time.sleep(seconds)
    taken, asked = time.perf_counter() - begin, place.requests()
    child.send_signal(signal.SIGINT)
    said = child.communicate()[1]
    if child.returncode != -signal.SIGINT:
        raise process.Failed(f"watching ended with {child.returncode}:\n{said}")
    name = "watching, requests a second"
    yield counted(name, "", [sum(asked.values()) / taken], SELDOM)
    yield counted(f"{name}, of Kubeflow", "", [asked["KFP_HOST"] / taken])
    yield counted(f"{name}, of the bucket", "", [asked["S3_URL"] / taken])


def cached(place: Place, steps: int) -> Iterator[Row]:
    """All of it was computed on this machine before."""
    place.go("chain.py", str(steps), "--watch", stack="near")
    place.requests()
    cost = place.go("chain.py", str(steps), "--watch", counts=True).cost
    asked = place.requests()
    name = f"{steps:,} steps, cached"
    yield Row(f"{name}, whole process", "s", Spread.of([cost.wall]))
    yield counted(f"{name}, requests to Kubeflow", "", [asked["KFP_HOST"]], Goal(most=0))
    yield counted(f"{name}, requests to the bucket", "", [asked["S3_URL"]])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a submission to Kubeflow takes.")
    parser.add_argument("--steps", type=int, default=100, help="of the pipeline, in a row")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is submitted")
    parser.add_argument("--seconds", type=float, default=30, help="for which it is watched")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
