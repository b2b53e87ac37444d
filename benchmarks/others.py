"""Other tools beside penstock: a hello of two steps, and a chain of 100 that do nothing.

    python benchmarks/others.py [--only NAME] [--rounds N] [--json FILE]

Each tool runs locally, keeps every result, and takes nothing from a cache: what exactly each does
is said in its file under `peers/`. Both sides are whole processes, with the processes that they
start and wait for, in turn; figures are processor time. Each tool has run once before, so that its
database is there. Tools are installed from PyPI, each into a virtual environment of its own under
`build/others/`; one that cannot be installed or run is left out, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import machine
import process
from pairs import Cost, Spread, alternate, ratios
from process import HERE, Failed, python

BUILD: Final = HERE.parent / "build" / "others"
HELLO: Final = 2
CHAIN: Final = 100
LONGEST: Final = 1800.0
"""Seconds after which a run is given up."""

TOOLS: Final = {
    "kedro": ["kedro", "kedro-datasets[pickle-pickledataset]"],
    "dagster": ["dagster"],
    "metaflow": ["metaflow"],
    "prefect": ["prefect", "fastapi<0.120"],  # its server does not start with later ones
    "zenml": ["zenml[local]"],
}
"""What to install for each."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One tool beside penstock; costs are in the order of the rounds."""

    tool: str
    version: str
    hello: list[Cost]
    our_hello: list[Cost]
    chain: list[Cost]
    our_chain: list[Cost]

    def to_data(self) -> dict[str, Any]:
        """JSON-able."""
        times = {
            "hello": asdict(Spread.of(ratios(self.hello, self.our_hello))),
            "chain": asdict(Spread.of(ratios(self.chain, self.our_chain))),
        }
        return {**asdict(self), "times": times}


def main() -> None:
    options = arguments()
    found, skipped = [], {}
    with TemporaryDirectory(prefix="penstock-benchmarks-") as name:
        folder = Path(name)
        live_quietly(folder)
        facts = machine.described(folder)
        for tool in options.only or TOOLS:
            say(f"measuring {tool} ...")
            try:
                found.append(compared(tool, installed(tool), folder, options.rounds))
            except (Failed, subprocess.CalledProcessError) as error:
                skipped[tool] = reason(error)
                say(f"left out: {tool}: {skipped[tool]}")
    print("  ·  ".join(facts.values()))
    print(table(found))
    for tool, why in skipped.items():
        print(f"{tool} is left out: {why}")
    if options.json:
        rows = [item.to_data() for item in found]
        data = {"machine": facts, "rows": rows, "left out": skipped}
        options.json.write_text(json.dumps(data, indent=1) + "\n")


def installed(tool: str, needed: Sequence[str] = ()) -> str:
    """The Python of an environment that has the tool, and what it needs."""
    program = BUILD / tool / "bin" / "python"
    stamp = BUILD / tool / "installed"
    if not stamp.exists():
        wanted = needed or TOOLS[tool]
        say(f"installing {' '.join(wanted)} ...")
        run = partial(subprocess.run, check=True, capture_output=True, text=True)
        run([sys.executable, "-m", "venv", "--clear", str(BUILD / tool)])
        pip = [str(program), "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]
        run([*pip, "install", *wanted])
        stamp.touch()
    return str(program)


def compared(tool: str, program: str, folder: Path, rounds: int) -> Comparison:
    def theirs(length: int, place: Path) -> Cost:
        return peer(tool, place, length, program)

    def ours(length: int, place: Path) -> Cost:
        return peer("penstock", place, length, sys.executable)

    for place in process.fresh(folder, 1):
        theirs(HELLO, place)
        ours(HELLO, place)
    sides = {
        "hello": partial(theirs, HELLO),
        "our hello": partial(ours, HELLO),
        "chain": partial(theirs, CHAIN),
        "our chain": partial(ours, CHAIN),
    }
    taken = alternate(sides, process.fresh(folder, rounds))
    return Comparison(tool, version(tool, program, folder), *taken.values())


def peer(tool: str, place: Path, length: int, program: str) -> Cost:
    """One run in an empty folder."""
    where = place / f"{tool}-{length}"
    where.mkdir()
    script = HERE / "peers" / f"with_{tool}.py"
    return python(where, str(script), str(length), program=program, timeout=LONGEST).cost


def version(tool: str, program: str, folder: Path) -> str:
    code = f"import importlib.metadata; print(importlib.metadata.version({tool!r}))"
    return python(folder, "-c", code, program=program).out.strip()


def live_quietly(folder: Path) -> None:
    """As `process.live_in`; and nobody is told of what runs here."""
    process.live_in(folder)
    os.environ.update(quiet(folder))


def quiet(folder: Path) -> dict[str, str]:
    """Variables with which each tool keeps to this folder and tells nobody of what it does."""
    for name in ("dagster", "prefect", "zenml"):
        (folder / name).mkdir()
    return {
        "DO_NOT_TRACK": "1",
        "KEDRO_DISABLE_TELEMETRY": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_HOME": str(folder / "dagster"),
        "METAFLOW_USER": "somebody",
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
    }


def table(found: Sequence[Comparison]) -> str:
    """One line for each tool, as Markdown."""
    lines = [
        "| tool | hello | beside penstock | chain of 100 | beside penstock |",
        "| :-- | --: | --: | --: | --: |",
    ]
    for item in found:
        hello = cells(item.hello, item.our_hello)
        chain = cells(item.chain, item.our_chain)
        lines.append(f"| {item.tool} {item.version} | {hello} | {chain} |")
    return "\n".join(lines)


def cells(theirs: Sequence[Cost], ours: Sequence[Cost]) -> str:
    cpu = Spread.of(cost.cpu for cost in theirs).median
    times = Spread.of(ratios(theirs, ours))
    return f"{cpu:.2f} s | {times.median:.3g} × ({times.low:.3g}–{times.high:.3g})"


def reason(error: Failed | subprocess.CalledProcessError) -> str:
    """The last line of what it said."""
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    return next((line for line in reversed(text.splitlines()) if line.strip()), str(error))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What other tools cost, beside penstock.")
    parser.add_argument("--only", action="append", choices=TOOLS, help="one tool; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
