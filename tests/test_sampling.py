"""Samples of long sweeps: spread evenly, another one by number, and never in secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sampling import ALL, PART, Sample, spread

SWEEPS = """
import pytest

@pytest.mark.sampled(most=3)
@pytest.mark.parametrize("number", range(10))
def test_a_table(number):
    pass

def test_a_loop(sample):
    assert len(sample(range(100), 30)) in (25, 100)
"""


@pytest.fixture(autouse=True)
def a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALL, raising=False)
    monkeypatch.setenv(PART, "7")


@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 10**6))
def test_a_sample_is_as_large_as_it_may_be_and_evenly_spread(
    count: int, most: int, part: int
) -> None:
    width = -(-count // most)
    chosen = spread(count, most, part)
    assert count // width <= len(chosen) <= most
    assert [index // width for index in chosen] == [*range(len(chosen))]


@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 10**6))
def test_the_samples_of_some_days_are_everything(count: int, most: int, part: int) -> None:
    days = range(part, part + -(-count // most))
    assert sorted(each for day in days for each in spread(count, most, day)) == [*range(count)]


def test_few_cases_are_all_taken() -> None:
    told: list[tuple[str, object]] = []
    assert Sample(told)("abc", 3) == ["a", "b", "c"]
    assert told == []


def test_of_an_unknown_number_every_nth_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Sample([]).every(5) == slice(2, None, 5)
    monkeypatch.setenv(ALL, "1")
    assert Sample([]).every(5) == slice(None)


def swept(folder: Path, *words: str, **variables: str) -> str:
    """What pytest prints about sweeps in a folder."""
    (folder / "test_sweeps.py").write_text(SWEEPS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "sampling", "-p", "no:cacheprovider", *words],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            **variables,
        },
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n1"]])
def test_what_is_left_out_is_said(tmp_path: Path, workers: list[str]) -> None:
    said = swept(tmp_path, *workers)
    assert "samples: PENSTOCK_TEST_PART=7; every case of everything: PENSTOCK_TEST_ALL=1" in said
    assert "LEFT OUT: 82 cases of 2 sweeps" in said
    assert "     7 of test_sweeps.py::test_a_table\n" in said
    assert "4 passed" in said


def test_everything_can_be_asked_for(tmp_path: Path) -> None:
    said = swept(tmp_path, PENSTOCK_TEST_ALL="1")
    assert "samples: none, every case of everything" in said
    assert "11 passed" in said
    assert "LEFT OUT" not in said


def test_whoever_chooses_cases_gets_them(tmp_path: Path) -> None:
    said = swept(tmp_path, "test_sweeps.py::test_a_table[4]", "test_sweeps.py::test_a_table[5]")
    assert "2 passed" in said
    assert "LEFT OUT" not in said
