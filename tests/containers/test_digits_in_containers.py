"""The example with real data: on a laptop, in containers with a bucket between, and on a laptop
with that bucket."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from team import Found, Team
from test_submitted_digits import DIGITS, EXAMPLES, KINDS, STEPS, kinds, results, steps


@pytest.fixture(scope="module")
def team(found: Found, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with found.team(tmp_path_factory.mktemp("digits")) as team:
        (team.folder / "examples").mkdir()
        shutil.copy(EXAMPLES / "digits.py", team.folder / DIGITS)
        yield team


def run(team: Team, stack: str) -> subprocess.CompletedProcess[str]:
    done = team.typed("python", DIGITS, stack=stack)
    assert done.returncode == 0, done.stderr
    return done


def test_containers_make_the_same_bytes_and_a_laptop_finds_all_of_them(team: Team) -> None:
    near = run(team, "default")
    digests = team.digests("default")

    far = run(team, "prod")
    assert team.digests("prod") == digests
    assert results(far) == results(near)
    assert set(kinds(far)) == {*KINDS}
    assert sorted(steps(far)) == sorted(STEPS)
    assert [code for code, _ in team.ends] == [0] * len(STEPS)

    again = run(team, "near")
    lines = [line.split() for line in again.stderr.splitlines() if line.startswith("  ")]
    assert [(line[0], line[1]) for line in lines] == [(step, "cached") for step in STEPS]
    assert results(again) == results(near)
