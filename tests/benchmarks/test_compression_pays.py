"""When compression pays: the arithmetic of it, and one small run."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def module(name: str) -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(FOLDER))


compression, compressible, pairs = map(module, ("compression", "compressible", "pairs"))


def trip(write: float, read: float, size: int) -> Any:
    return compression.Trip(pairs.Cost(0, write), pairs.Cost(0, read), size)


def verdict(plain: Any, packed: Any) -> Any:
    return compression.Verdict("x", [plain] * 3, [packed] * 3)


def test_the_link_at_which_both_are_as_quick_is_where_it_stops_to_pay() -> None:
    plain, packed = trip(1, 1, 100_000_000), trip(3, 2, 40_000_000)
    link = verdict(plain, packed).link
    assert plain.wall + 2 * plain.size / link == packed.wall + 2 * packed.size / link
    assert link == 40_000_000


def test_what_does_not_become_smaller_never_pays() -> None:
    assert verdict(trip(1, 1, 100), trip(2, 2, 100)).cells()[-1] == "never"


def test_what_is_quicker_even_without_a_link_always_pays() -> None:
    found = verdict(trip(2, 2, 100), trip(1, 2, 50))
    assert found.cells()[-1] == "always"
    assert found.to_data()["always_pays"] is True


def test_seconds_are_compared_pair_by_pair() -> None:
    """The machine was ten times as slow in the second round, for both."""
    plain = [trip(1, 1, 100), trip(10, 10, 100), trip(1, 1, 100)]
    packed = [trip(3, 2, 50), trip(30, 20, 50), trip(3, 2, 50)]
    found = compression.Verdict("x", plain, packed)
    assert (found.write.median, found.read.median, found.lost) == (3, 2, 3)


def test_a_row_says_what_is_left_and_how_many_times_as_long_it_takes() -> None:
    row = verdict(trip(1, 1, 100_000_000), trip(3, 2, 25_000_000)).cells()
    assert row == ("x", "100", "25.0%", "3 ×", "2 ×", "50 MB/s")


@pytest.mark.parametrize(
    "name", ["random floats", "sorted numbers", "text", "sparse array", "JSON logs"]
)
def test_values_are_always_the_same(name: str) -> None:
    one, other = (compressible.VALUES[name](1) for _ in range(2))
    assert one.same(one.value, other.value)


def test_a_store_that_gives_back_something_else_is_noticed(tmp_path: Path) -> None:
    thing = compressible.Thing([1], len, lambda one, other: False)
    with pytest.raises(ValueError, match="not what was kept"):
        compression.trip(thing, "none", tmp_path)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What one round with small values prints, and its JSON by name of the value."""
    file = tmp_path_factory.mktemp("compression") / "values.json"
    command = [sys.executable, str(FOLDER / "compression.py")]
    words = ["--size", "1", "--rounds", "1", "--json", str(file)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=True)
    found = json.loads(file.read_text())["values"]
    return done.stdout, {item["value"]: item for item in found}


def test_every_value_has_a_line(small: tuple[str, dict[str, Any]]) -> None:
    lines = small[0].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("value"))
    assert [re.split("  +", line)[0] for line in lines[start + 1 :]] == list(small[1])
    assert list(small[1]) == list(compressible.VALUES)


def test_chance_is_not_compressed_and_zeros_are(small: tuple[str, dict[str, Any]]) -> None:
    left = {name: item["stored_bytes"] / item["bytes"] for name, item in small[1].items()}
    assert left["random floats"] > 0.9
    assert left["sparse array"] < 0.1
    assert all(item["bytes"] > item["stored_bytes"] for item in small[1].values())
