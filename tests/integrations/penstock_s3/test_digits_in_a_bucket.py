"""The example with real data, its artifacts in a bucket, for two people and for a stranger."""

from pathlib import Path

import pytest
from laptops import Laptop
from servers import Server

DIGITS = "examples/digits.py"
STEPS = {"load", "split", "train.0", "train.1", "train.2", "compare", "report"}


@cache
def in_a_folder(place: Path) -> dict[tuple[str, str], str]:
    XX


@pytest.fixture(scope="module", params=["moto", "rclone"])
def shared(started, request: pytest.FixtureRequest) -> tuple[Server, str]:  # type: ignore[no-untyped-def]
    server = started(request.param)
    return server, server.bucket()


@pytest.fixture(scope="module")
def mine(shared: tuple[Server, str], tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """Whoever ran it first."""
    laptop = Laptop(tmp_path_factory.mktemp("mine"), *shared)
    assert laptop.steps(DIGITS).keys() == STEPS
    return laptop


def test_only_the_variable_differs_and_the_digests_are_equal(
    mine: Laptop, near: dict[tuple[str, str], str]
) -> None:
    far = digests(mine)
    assert near == far
    assert {"load", "split", "compare", "report"} <= {step for step, _ in far}


def test_a_second_run_takes_everything_from_the_bucket(mine: Laptop) -> None:
    assert set(mine.steps(DIGITS).values()) == {"cached"}


def test_on_another_machine_everything_is_there_already(
    mine: Laptop, shared: tuple[Server, str], tmp_path: Path
) -> None:
    theirs = Laptop(tmp_path, *shared)
    said = theirs.steps(DIGITS)
    assert (said.keys(), set(said.values())) == (STEPS, {"cached"})


def test_who_does_not_have_the_key_runs_the_pickled_steps_again_and_is_told_why(
    mine: Laptop, shared: tuple[Server, str], tmp_path: Path
) -> None:
    stranger = Laptop(tmp_path, *shared, team=False)
    said = stranger.steps(DIGITS)
    pickled = {each["step"] for each in mine.artifacts() if "pickle" in each["format"]}

    assert pickled == {"train.0", "train.1", "train.2"}
    assert all("is a pickle signed with key" in said[step] for step in pickled)
    assert {said["load"], said["split"]} == {"cached"}
