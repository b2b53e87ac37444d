"""`penstock artifact-store bench`: what a place is good for, before anybody relies on it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any, Final, TextIO

import click

from penstock.api.ending import remark
from penstock.cli.options import BY_STACK, stack_option
from penstock.cli.output import json_option, print_json, table
from penstock.client import Client
from penstock.quantities import size as shown
from penstock.runtime.bench.report import Figure, Report, Told, What

NAMES: Final = {
    What.WRITE_LARGE: "write {}",
    What.READ_LARGE_FIRST: "read {}, for the first time",
    What.READ_LARGE: "read {}",
    What.WRITE_SMALL: "write {}",
    What.READ_SMALL: "read {}",
}
"""What is measured, with what it is measured with."""


@click.command()
@click.argument("name", required=False)
@click.option("--size", default="512MiB", show_default=True, help="Of the large object.")
@stack_option
@json_option("artifact_store", "flavor", "path", "compression", "raw", "rounds", "figures")
def bench(*, name: str | None, size: str, stack: str | None, as_json: bool) -> None:
    """Measure an artifact store.

    One large object and 1,000 small ones are written and read, in turn with the same bytes in the
    bare place. Nothing is left there. NAME is an artifact store; by default that of the stack.
    """
    if name is not None and stack is not None:
        raise click.UsageError("NAME and --stack both choose an artifact store: give one of them.")
    with _bar(sys.stderr) as told:
        report = Client(stack, chosen_by=BY_STACK).bench(name, size=size, told=told)
    if as_json:
        print_json(_data(report))
        return
    table(
        ["MEASURE", "MEDIAN", "BEST", "RAW", "OF RAW", "MEMORY"],
        [_row(figure, report) for figure in report.figures],
    )
    remark(f"\n{_told_of(report)}")


@contextmanager
def _bar(stream: TextIO | None) -> Iterator[Told | None]:
    """A progress bar, on terminals; when it is over nothing is left of it."""
    if stream is None or not stream.isatty():
        yield None
        return
    from rich.console import Console  # heavy, and only for terminals
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"))
    console = Console(file=stream, highlight=False)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=1.0)
        yield lambda part, doing: progress.update(task, completed=part, description=doing)


def _told_of(report: Report) -> str:
    """What the figures are of."""
    rounds = f"{report.rounds} round{'s' * (report.rounds > 1)}"
    packed = f", compression {report.compression}" if report.compression != "none" else ""
    cache = "Without the read cache" if report.distant else "Page cache warm"
    return (
        f"Artifact store {report.store} ({report.flavor}) at {report.path}, {rounds}. {cache}, "
        f"hashing included{packed}.\n"
        f"Raw: {report.raw}. Memory: the peak beyond the values."
    )


def _row(figure: Figure, report: Report) -> list[str]:
    """What the table says of a measure."""
    percent = figure.percent_of_raw
    return [
        NAMES[figure.what].format(_amount(figure)),
        _speed(figure, median(figure.seconds)),
        _speed(figure, min(figure.seconds)),
        _speed(figure, median(figure.raw)) if figure.raw else "-",
        "-" if percent is None else f"{percent:.0f} %",
        "-" if figure.memory is None else shown(figure.memory),
    ]


def _amount(figure: Figure) -> str:
    if figure.what.is_large:
        return shown(figure.size)
    return f"{figure.count:,} × {shown(figure.size)}"


def _speed(figure: Figure, seconds: float) -> str:
    """In what people compare: large objects by their bytes, small ones by their number."""
    if figure.what.is_large:
        return f"{figure.size / seconds / 1e6:,.0f} MB/s"
    return f"{seconds * 1e3:.3f} ms"


def _data(report: Report) -> dict[str, Any]:
    return {
        "artifact_store": report.store,
        "flavor": report.flavor,
        "path": report.path,
        "compression": report.compression,
        "raw": report.raw,
        "rounds": report.rounds,
        "figures": [_figure(figure) for figure in report.figures],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    percent = figure.percent_of_raw
    return {
        "measure": figure.what,
        "objects": figure.count,
        "object_bytes": figure.size,
        "seconds_per_object": list(figure.seconds),
        "raw_seconds_per_object": list(figure.raw),
        "median_megabytes_per_second": _rate(figure, median(figure.seconds)),
        "best_megabytes_per_second": _rate(figure, min(figure.seconds)),
        "median_milliseconds_per_object": round(median(figure.seconds) * 1e3, 6),
        "best_milliseconds_per_object": round(min(figure.seconds) * 1e3, 6),
        "percent_of_raw": None if percent is None else round(percent, 2),
        "peak_memory_bytes": figure.memory,
    }


def _rate(figure: Figure, seconds: float) -> float:
    return round(figure.size / seconds / 1e6, 3)
