"""Long sweeps: a run of the tests takes an evenly spread part of them, always the same one.

* `@pytest.mark.sampled(most=60)` above a parametrised test: at most so many of its cases run.
* `sample(cases, most)`, a fixture: at most so many of what a test tries one after the other.
* `sample.every(5)`, where nobody knows beforehand how many there are: the slice to be tried;
  the test says afterwards how many it has left out: `sample.leave_out(400)`.

`PENSTOCK_TEST_ALL=1` takes all of everything, `PENSTOCK_TEST_PART=7` another part. Who
names a case, or chooses few of them, gets what was chosen. What was left out is said at the end.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

ALL = "PENSTOCK_TEST_ALL"
PART = "PENSTOCK_TEST_PART"
LEFT_OUT = "left out of a sample"


def takes_all() -> bool:
    return os.environ.get(ALL, "") not in ("", "0")


def part() -> int:
    """The number of the part: the first, unless somebody asks for another one."""
    return int(os.environ[PART])


def spread(count: int, most: int, number: int) -> list[int]:
    """One index of each so many, shifted from one to the next, so that no period in the cases
    meets a period in the sample. All numbers together have every index."""
    width = -(-count // most)
    chosen = (block * width + (number + block) % width for block in range(-(-count // width)))
    return [index for index in chosen if index < count]


class Sample:
    """What the fixture gives."""

    def __init__(self, told: list[tuple[str, object]]) -> None:
        self._told = told

    def __call__(self, cases: Sequence[T], most: int) -> list[T]:
        if takes_all() or len(cases) <= most:
            return list(cases)
        chosen = [cases[index] for index in spread(len(cases), most, part())]
        self.leave_out(len(cases) - len(chosen))
        return chosen

    def every(self, width: int) -> slice:
        return slice(None) if takes_all() else slice(part() % width, None, width)

    def leave_out(self, count: int) -> None:
        self._told.append((LEFT_OUT, count))


@pytest.fixture
def sample(request: pytest.FixtureRequest) -> Sample:
    return Sample(request.node.user_properties)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "sampled(most): at most so many cases of this test run")
    os.environ.setdefault(PART, "0")


def pytest_report_header() -> str:
    if takes_all():
        return f"samples: none, every case of everything ({ALL})"
    return f"samples: {PART}={part()}; every case of everything: {ALL}=1"


@pytest.hookimpl(trylast=True)  # of what `-k` and the like have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for cases in by_test(items):
        marker = cases[0].get_closest_marker("sampled")
        chosen = Sample(cases[0].user_properties)(cases, marker.kwargs["most"]) if marker else cases
        if chosen[0] is not cases[0]:  # what is told must be told by a test that runs
            chosen[0].user_properties += cases[0].user_properties
        kept += chosen
        names = {*map(id, chosen)}
        left += [case for case in cases if id(case) not in names]
    if left:
        config.hook.pytest_deselected(items=left)
        stay = {*map(id, kept)}
        items[:] = [item for item in items if id(item) in stay]


def by_test(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """The cases of each test function, in their order."""
    found = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        found[item.nodeid.partition("[")[0]].append(item)
    return list(found.values())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly what was not tested."""
    told: dict[str, int] = {}
    for each in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        left = sum(count for name, count in each.user_properties if name == LEFT_OUT)
        if left and each.when == "call":
            test = each.nodeid.partition("[")[0]
            told[test] = told.get(test, 0) + left
    if told:
        terminalreporter.write_sep(
            "=", f"LEFT OUT: {sum(told.values()):,} cases of {len(told)} sweeps", yellow=True
        )
        for name, count in sorted(told.items()):
            terminalreporter.write_line(f"{count:6,} of {name}")
        terminalreporter.write_line(f"All of them: make test-all, or {ALL}=1 with the command.")
