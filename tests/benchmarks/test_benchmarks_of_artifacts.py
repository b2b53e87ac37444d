"""The benchmarks of artifacts measure what they say, and one small run gives every row."""

import importlib
import json
import mmap
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks"
ROWS = """\
array of 4 MB, stored and loaded | np.save, mapped
array of 4 MB, stored and loaded | pickle 5
array of 4 MB, stored and loaded | joblib
array of 4 MB, stored again | the first time
array of 4 MB, loaded | np.load, mapped
array of 4 MB, hashed and loaded | np.load
array of 4 MB, memory beside it |
frame of 39,062 × 8, written and read | feather
frame of 39,062 × 8, written and read | pickle 5
frame of 39,062 × 8, written and read | joblib
frame of 39,062 × 8, one column read | the column
forest of 1 MB, written and read | pickle 5
forest of 1 MB, written and read | joblib
10 arrays of 1 MB, written and read | pickle 5
10 arrays of 1 MB, written and read | joblib
10 arrays of 1 MB, written and read | np.savez
39 values of 1 KB through a pipeline, each | file operations
39 values of 1 KB, saved and loaded | pickle 5, a file each
tree of 7 files, stored and given | cp -r
tree of 7 files, stored and given | shutil.copytree
tree of 7 files, one changed, stored and given | cp -r
tree of 7 files, one changed, stored and given | shutil.copytree
tree of 7 files, one changed, new |
8 steps of 0.00781 s in 2 processes | multiprocessing.Pool""".splitlines()
MB = 1_000_000


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


pairs, row, moved, moving = map(module, ("pairs", "row", "moved", "moving"))
resident, footprint, ways, things = map(module, ("resident", "footprint", "ways", "things"))
artifacts = module("artifacts")


class Memory(ways.Way):  # type: ignore[misc,name-defined]
    """A way that keeps the value itself."""

    name = "memory"

    def write(self) -> None:
        self.kept = self.value

    def read(self) -> Any:
        return self.kept


class Copying(Memory):
    """One that copies what it reads."""

    def read(self) -> Any:
        return bytearray(self.kept)


class Wrong(Memory):
    """One whose clock stands well, because it reads something else."""

    def read(self) -> Any:
        return b"another value"


def thing(value: bytes) -> Any:
    return things.Thing(value, len, bytes.__eq__)


def taken(**seconds: tuple[float, float]) -> dict[str, list[dict[str, Any]]]:
    """What `moving.py` would say of these ways, by seconds to write and to read."""
    names = {"ours": "penstock", "pickle": "pickle 5"}
    return {
        names.get(way, way): [
            {
                "write": {"cpu": 0, "wall": write},
                "read": {"cpu": 0, "wall": read},
                "again": {"cpu": 0, "wall": write / 4},
                "hashed": {"cpu": 0, "wall": read * 2},
            }
        ]
        * 3
        for way, (write, read) in seconds.items()
    }


def test_the_time_on_the_clock_can_count_instead_of_the_processors() -> None:
    ours, other = [pairs.Cost(8.0, 3.0)], [pairs.Cost(1.0, 2.0)]
    assert row.timed("x", ours, "y", other, clock="wall").ratio.median == 1.5


def test_a_row_is_of_writing_and_reading_together() -> None:
    found = moved.Moved("forest", 512, taken(ours=(2, 1), pickle=(1, 1), joblib=(1, 5)))
    assert [each.ratio.median for each in found.rows()] == [1.5, 0.5]


@pytest.mark.parametrize(("feather", "pickle", "which"), [(1, 2, "feather"), (2, 1, "pickle 5")])
def test_only_the_better_of_two_is_a_goal(feather: float, pickle: float, which: str) -> None:
    costs = taken(ours=(1, 1), feather=(feather, 1), pickle=(pickle, 1), joblib=(1, 1))
    rows = moved.Moved("frame", 512, costs).rows()
    assert [each.against for each in rows if each.goal.times] == [which]


def test_a_bar_has_the_seconds_of_both_parts() -> None:
    bars = list(moved.Moved("small", 512, taken(ours=(2, 1), pickle=(3, 4))).bars())
    assert [(bar.way, bar.write, bar.read) for bar in bars] == [
        ("penstock", 2, 1),
        ("pickle 5", 3, 4),
    ]


def test_what_came_back_wrong_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not what was kept"):
        moving.measured(Wrong(b"a value", tmp_path), thing(b"a value"), check=True)


def test_what_came_back_right_is_measured(tmp_path: Path) -> None:
    costs = moving.measured(Memory(b"a value", tmp_path), thing(b"a value"), check=True)
    assert list(costs) == ["write", "read"]


def test_the_first_use_of_a_value_is_part_of_loading_it() -> None:
    used: list[object] = []
    moving.clocked(lambda: "value", things.Thing("value", used.append, str.__eq__))
    assert used == ["value"]


def test_a_copy_is_seen_in_memory(tmp_path: Path) -> None:
    assert footprint.beyond(Copying(bytes(64 * MB), tmp_path)) >= 64 * MB


def test_without_a_copy_there_is_hardly_more_memory(tmp_path: Path) -> None:
    assert footprint.beyond(Memory(bytes(64 * MB), tmp_path)) < 16 * MB


def test_a_copy_is_seen_though_nothing_else_ran_while_it_was_there() -> None:
    before = resident.anonymous()
    with resident.peak() as most:
        sum(bytearray(b"\1") * (64 * MB))
    assert most.bytes - before >= 64 * MB


def test_a_file_that_is_mapped_is_no_anonymous_memory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(64 * MB))
    before = resident.anonymous()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as data:
        assert data.find(b"\1") == -1
        assert resident.anonymous() - before < 16 * MB


def test_all_that_was_read_of_a_file_is_touched_memory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(64 * MB))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as data:
        before = resident.touched()
        data.find(b"\1")
        assert resident.touched() - before >= 60 * MB


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What a small run of everything prints, and its JSON."""
    folder = tmp_path_factory.mktemp("artifacts")
    file = folder / "figures.json"
    command = [sys.executable, str(FOLDER / "artifacts.py"), "--size", "4", "--rounds", "1"]
    command += ["--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return done.stdout, json.loads(file.read_text())


def test_a_small_run_has_every_row(small: tuple[str, dict[str, Any]]) -> None:
    assert [f"{item['name']} | {item['against']}".strip() for item in small[1]["rows"]] == ROWS


def test_the_table_has_as_many_lines(small: tuple[str, dict[str, Any]]) -> None:
    lines = small[0].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("measure"))
    names = [re.split("  +", line)[0] for line in lines[start + 1 :]]
    assert names == [line.split(" | ")[0].removesuffix(" |") for line in ROWS]


def test_every_time_stands_beside_another_one(small: tuple[str, dict[str, Any]]) -> None:
    for item in small[1]["rows"]:
        if item["unit"] in ("ms", "s"):
            wanted = item["figure"]["median"] / item["baseline"]["median"]
            assert item["ratio"]["median"] == pytest.approx(wanted), item["name"]


def test_of_a_tree_with_one_changed_file_one_file_is_stored(
    small: tuple[str, dict[str, Any]],
) -> None:
    (found,) = [item for item in small[1]["rows"] if item["unit"] == "objects"]
    assert found["met"] is True


def test_an_array_is_kept_without_a_copy(small: tuple[str, dict[str, Any]]) -> None:
    (found,) = [item for item in small[1]["rows"] if item["unit"] == "%"]
    assert found["figure"]["median"] < 50


def test_every_thing_has_a_bar_for_each_way(small: tuple[str, dict[str, Any]]) -> None:
    wanted = [way.name for _, kinds in moving.KINDS.values() for way in kinds]
    assert [bar["way"] for bar in small[1]["bars"]] == wanted


def test_make_bench_artifacts_runs_them() -> None:
    command = ["make", "-n", "bench-artifacts"]
    dry = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "benchmarks/artifacts.py" in dry.stdout


def test_the_page_shows_the_figures_that_are_kept() -> None:
    figures = json.loads((ROOT / "docs/pictures/artifacts.json").read_text("utf-8"))
    block = artifacts.page([row.from_data(item) for item in figures["rows"]], figures["machine"])
    assert block in (ROOT / "docs/speed.md").read_text("utf-8")
