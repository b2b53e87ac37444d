"""The benchmarks say what they measured: the statistics, the verdicts, and one quick run of all."""

import importlib
import json
import re
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
NAMES = """\
import
modules, beyond bare python
heavy libraries among them
hello, whole process
lines that hello prints
second run(), computed
second run(), cached
chain of 5, per step
chain of 5, cached, per step
chain of 5, cached
chain of 10, per step
chain of 10, cached, per step
chain of 10, cached
fan-out of 5 and join
fan-out of 5, peak memory
fan-out of 5, cached, per step
fan-out of 5, cached
fan-out of 20 and join
fan-out of 20, peak memory
fan-out of 20, cached, per step
fan-out of 20, cached
fan-out of 20, per step
map of 20 that a step made
map of 20 that a step made, one changed
map of 20 that a step made, one changed, peak memory
map of 20 that a step made, one changed, written
1,000 prints in a step
frames between run() and the step
picture of 20 steps
penstock --help
penstock stack list
penstock orchestrator flavor list
penstock stack set careful
penstock artifact-store register
compile 5 steps for Kubeflow""".splitlines()
COUNTED = {  # whatever the machine, and however small the run
    "heavy libraries among them": 0,
    "lines that hello prints": 4,
    "chain of 10, cached": 2,
    "fan-out of 20, cached": 2,
}


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


pairs, row, table, readme, process = map(module, ("pairs", "row", "table", "readme", "process"))


class Machine:
    """One whose speed is another for each pair: what it says a piece of work takes."""

    def __init__(self, *speeds: float) -> None:
        self._seconds = cycle(1 / speed for speed in speeds)

    def sides(self, **work: float) -> dict[str, object]:
        """Sides that each take so much work. In one round the machine has one speed."""
        self._now = 0.0
        first = next(iter(work))

        def side(name: str, place: int) -> object:
            if name == first:
                self._now = next(self._seconds)
            return pairs.Cost(work[name] * self._now, 0.0)

        return {name: lambda place, name=name: side(name, place) for name in work}


def figures(**work: float) -> dict[str, list[object]]:
    return pairs.alternate(Machine(1, 2, 1, 0.5, 2).sides(**work), range(5))


def test_sides_run_in_turn() -> None:
    calls: list[str] = []
    sides = {name: lambda place, name=name: calls.append(f"{name}{place}") for name in "AB"}
    pairs.alternate(sides, range(3))
    assert calls == ["A0", "B0", "A1", "B1", "A2", "B2"]


def test_a_ratio_does_not_see_the_speed_of_the_machine() -> None:
    taken = figures(ours=3.0, bare=1.5)
    assert pairs.ratios(taken["ours"], taken["bare"]) == [2.0] * 5


def test_ratios_are_taken_pair_by_pair() -> None:
    ours, bare = ([pairs.Cost(cpu, 0.0) for cpu in side] for side in ([2.0, 8.0], [1.0, 2.0]))
    assert pairs.ratios(ours, bare) == [2.0, 4.0]


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert pairs.Spread.of([9, 1, 3, 5, 7]) == pairs.Spread(5, 3, 7)


def test_a_spread_of_one_figure_is_that_figure() -> None:
    assert pairs.Spread.of([4]) == pairs.Spread(4, 4, 4)


def test_the_cost_of_a_part_keeps_the_peak_memory() -> None:
    assert pairs.Cost(6.0, 9.0, 100).per(3) == pairs.Cost(2.0, 3.0, 100)


@pytest.mark.parametrize(("slower", "met"), [(1.0, True), (8.0, True), (9.0, False)])
def test_a_slow_side_is_seen_on_a_machine_that_changes_speed(slower: float, met: bool) -> None:
    taken = figures(ours=slower, bare=1.0)
    found = row.timed("x", taken["ours"], "bare", taken["bare"], row.Goal(times=8))
    assert found.ratio.median == slower
    assert found.met is met


def test_a_figure_over_its_goal_is_seen_though_the_ratio_is_good() -> None:
    taken = figures(ours=1.0, bare=1.0)
    assert row.timed("x", taken["ours"], "b", taken["bare"], row.Goal(999, 2)).met is False


def test_without_a_goal_there_is_no_verdict() -> None:
    assert row.counted("x", "files", [2]).met is None


def test_a_row_shows_figure_baseline_ratio_goal_and_verdict() -> None:
    spread = pairs.Spread(0.25, 0.2, 0.3)
    one = row.Row("chain", "ms", spread, row.Goal(0.3, 8), "files", spread, pairs.Spread(7, 7, 7))
    line = table.text([one]).splitlines()[1]
    assert re.split(r"  +", line) == [
        *["chain", "0.25 (0.2–0.3) ms", "0.25 ms", "files", "7 ×", "≤ 0.3 ms, 8 ×", "yes"]
    ]


def test_markdown_has_as_many_cells_in_each_line() -> None:
    lines = table.markdown([row.counted("x", "files", [2])]).splitlines()
    assert len(lines) == 3
    assert len({line.count("|") for line in lines}) == 1


def test_only_the_block_of_the_readme_is_rewritten() -> None:
    text = f"above\n{readme.BEGIN}\nold\n{readme.END}\nbelow\n"
    assert readme.rewritten(text, "new") == f"above\n{readme.BEGIN}\nnew\n{readme.END}\nbelow\n"


def test_a_readme_without_a_block_is_left_alone() -> None:
    with pytest.raises(ValueError, match="there is no"):
        readme.rewritten("text", "new")


def test_the_cost_of_a_child_is_processor_time_and_memory(tmp_path: Path) -> None:
    code = "import time; x = bytearray(50_000_000); end = time.process_time() + 0.3\n"
    cost = process.python(tmp_path, "-c", f"{code}while time.process_time() < end: pass").cost
    assert cost.cpu >= 0.3
    assert cost.peak >= 50_000_000


def test_a_child_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(process.Failed, match="no such thing"):
        process.python(tmp_path, "-c", "raise SystemExit('no such thing')")


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(process.Failed, match="ended with -9"):
        process.python(tmp_path, "-c", "import time; time.sleep(600)", timeout=0.1)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, object]]:
    """What a quick run of everything prints, and its JSON by name of the row."""
    file = tmp_path_factory.mktemp("benchmarks") / "rows.json"
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, {item["name"]: item for item in json.loads(file.read_text())["rows"]}


def test_the_table_has_every_row(quick: tuple[str, dict[str, object]]) -> None:
    lines = quick[0].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("measure"))
    assert [re.split("  +", line)[0] for line in lines[start + 1 :]] == NAMES


def test_the_json_has_every_row(quick: tuple[str, dict[str, object]]) -> None:
    assert list(quick[1]) == NAMES


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_is_what_it_must_be(
    quick: tuple[str, dict[str, object]], name: str
) -> None:
    assert quick[1][name]["figure"]["median"] == COUNTED[name]


def test_the_step_is_at_most_six_frames_under_run(quick: tuple[str, dict[str, object]]) -> None:
    assert 0 < quick[1]["frames between run() and the step"]["figure"]["median"] <= 6


def test_timed_rows_have_a_baseline_from_the_same_run(
    quick: tuple[str, dict[str, object]],
) -> None:
    timed = [item for item in quick[1].values() if item["unit"] in ("s", "ms")]
    assert len(timed) == 23
    for item in timed:
        ours, other, ratio = item["figure"], item["baseline"], item["ratio"]
        assert ratio["median"] == pytest.approx(ours["median"] / other["median"])


def test_one_measure_can_be_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "run.py"), "--quick", "--only", "frames"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 5
