"""The benchmarks of S3: what a store in a bucket takes, beside the calls of other libraries.

    python benchmarks/s3.py [--size MIB] [--rounds N] [--minutes M] [--small N] [--only SERVER]
                            [--way NAME] [--json FILE]

Everything goes to a server on this machine, moto or `rclone serve s3`; most of what is measured is
therefore the server. Each way is a process of its own that stays, and they take turns. Time is that
of the clock on the wall, and of every way the best of its turns counts: what disturbs one only
makes it longer. Where the machine's host has taken more than a quarter of a turn's time ("steal"),
all ways take that turn once more. Writing with penstock is hashing, looking whether it is there,
and sending; reading is fetching and hashing. "beside" is the most memory that there was beside the
value. obstore is installed into an environment of its own under `build/others/`; a library that
cannot be had is left out, with the reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

import machine
import others
import process
import stolen
import table
from bucket_ways import WAYS
from pairs import Cost
from process import HERE
from row import NONE, Goal, Row, counted, timed

sys.path.append(str(HERE.parent / "tests" / "integrations" / "penstock_s3"))

from servers import Server  # type: ignore[import-not-found]

SERVERS: Final = ("moto", "rclone")
APART: Final = {"obstore": ("obstore",)}
"""What is installed for ways whose library is nothing of ours."""
OURS: Final = "penstock"
QUICK: Final = Goal(times=1 / 0.9)
"""Beside the quickest call of s3fs, hash included."""
PART: Final = 16
"""MiB."""
PARTS: Final = 8
"""That are in memory at once."""
TOO_MUCH: Final = 0.25
"""Of the time of a turn that was stolen."""
AGAIN: Final = 2
"""How often a turn is taken that was disturbed."""
PHASES: Final = {
    "write": "{size:,} MiB written",
    "read": "{size:,} MiB read",
    "ranges": "5 parts of 1 MiB read",
    "put_small": "{small:,} objects of 1 KB written",
    "get_small": "{small:,} objects of 1 KB read",
}


@dataclass(frozen=True, slots=True)
class Choices:
    """How much is measured."""

    ways: Sequence[str]
    size: int
    """MiB of the large object."""
    small: int
    rounds: int
    minutes: float
    """After which no other round begins, on one server."""


@dataclass
class Way:
    """A child that has one way, and what it took so far."""

    name: str
    child: subprocess.Popen[str]
    version: str = ""
    phases: Sequence[str] = ()
    costs: dict[str, list[Cost]] = field(default_factory=dict)

    @classmethod
    def started(cls, name: str, url: str, chosen: Choices) -> Self:
        """Raises `CalledProcessError` if its library cannot be installed."""
        program = others.installed(name, APART[name]) if name in APART else sys.executable
        command = [program, str(HERE / "bucket.py"), name, url, str(chosen.size)]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        made = cls(name, subprocess.Popen([*command, str(chosen.small)], **pipes, text=True))
        said = made._said()
        made.version, made.phases = said["version"], said["phases"]
        return made

    def take(self, phase: str) -> None:
        assert self.child.stdin is not None
        print(phase, file=self.child.stdin, flush=True)
        said = self._said()
        cost = Cost(said["cpu"], said["wall"], int(said["beside"]))
        self.costs.setdefault(phase, []).append(cost)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.child.communicate()

    def _said(self) -> Any:
        assert self.child.stdout is not None
        if not (line := self.child.stdout.readline()):
            raise SystemExit(f"{self.name} has ended with {self.child.wait()}.")
        return json.loads(line)


def main() -> None:
    options = arguments()
    process.leave_nothing()
    ways = options.way and [OURS, *options.way]
    chosen = Choices(
        ways or list(WAYS), options.size, options.small, options.rounds, options.minutes
    )
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        process.live_in(Path(name))
        facts = machine.described(Path(name))
        measured = {server: beside(server, chosen) for server in options.only or SERVERS}
    rows = [row for ways in measured.values() for row in ways]
    print("  ·  ".join([*facts.values(), *versions()]))
    print(table.text(rows))
    if options.json:
        data = {"machine": facts, "rows": [row.to_data() for row in rows]}
        options.json.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def beside(kind: str, chosen: Choices) -> list[Row]:
    """What all ways take, on one server."""
    with ExitStack() as stack:
        server = stack.enter_context(Server(kind))
        ways = list(started(stack, server.url, chosen))
        end = time.monotonic() + chosen.minutes * 60
        for number in range(chosen.rounds):
            if number and time.monotonic() > end:
                others.say(f"{kind}: there is no time for more rounds than {number}")
                break
            for phase in PHASES:
                turn(f"{kind}: round {number + 1}: {phase}", ways, phase)
    return list(rows(kind, ways, chosen))


def turn(name: str, ways: Sequence[Way], phase: str) -> None:
    """Every way once; and once more if somebody else had the processors."""
    for _ in range(AGAIN):
        with stolen.share() as taken:
            for way in ways:
                if phase in way.phases:
                    way.take(phase)
        others.say(f"{name}, {taken.seconds:.1f} s, steal {taken.share:.0%}")
        if taken.share <= TOO_MUCH:
            return


def started(stack: ExitStack, url: str, chosen: Choices) -> Iterator[Way]:
    for name in dict.fromkeys(chosen.ways):
        try:
            yield stack.enter_context(Way.started(name, url, chosen))
        except subprocess.CalledProcessError as error:
            others.say(f"left out: {name}: {others.reason(error)}")


def rows(kind: str, ways: Sequence[Way], chosen: Choices) -> Iterator[Row]:
    ours = next(way for way in ways if way.name == OURS)
    for phase, text in PHASES.items():
        name = f"{kind}: {text.format(size=chosen.size, small=chosen.small)}"
        theirs = {way.name: best(way.costs[phase]) for way in ways if phase in way.costs}
        cost = theirs.pop(OURS)
        s3fs = [name for name in theirs if name.startswith("s3fs")]
        quickest = min(s3fs, key=lambda name: theirs[name].wall, default="")
        for other, beside in theirs.items():
            goal = QUICK if other == quickest and phase in ("write", "read") else NONE
            yield timed(name, [cost], other, [beside], goal, unit="s", clock="wall")
    for phase, most in (("write", (PARTS + 1) * PART), ("read", chosen.size + PART)):
        peaks = [cost.peak / (1 << 20) for cost in ours.costs[phase]]
        yield counted(f"{kind}: {phase}, memory beside", "MiB", peaks, Goal(most=most))


def best(costs: Sequence[Cost]) -> Cost:
    """That of the quickest turn."""
    return min(costs, key=lambda cost: cost.wall)


def versions() -> list[str]:
    from importlib.metadata import version

    return [f"{name} {version(name)}" for name in ("s3fs", "boto3", "aiobotocore", "moto")]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a bucket takes, beside other libraries.")
    parser.add_argument("--size", type=int, default=512, help="MiB of the large object")
    parser.add_argument("--small", type=int, default=200, help="how many small objects")
    parser.add_argument("--rounds", type=int, default=3, help="how often each way takes its turn")
    parser.add_argument("--minutes", type=float, default=3, help="no round begins after these")
    parser.add_argument("--only", action="append", choices=SERVERS, help="one server")
    parser.add_argument("--way", action="append", choices=WAYS, help="one way beside ours")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
