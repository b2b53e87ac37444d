"""The example with real data, its artifacts in a bucket, for two people and for a stranger."""

from pathlib import Path

import pytest
from laptops import Laptop
from servers import Server

DIGITS = "examples/digits.py"
Digests = dict[tuple[str, str], str]
STEPS = {"load", "split", "train.0", "train.1", "train.2", "compare", "report"}


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


@pytest.fixture(scope="module")
def near(started, tmp_path_factory: pytest.TempPathFactory) -> Digests:  # type: ignore[no-untyped-def]
    """What the same gives in a folder: once, because no server is asked for anything."""
    server = started("moto")
    laptop = Laptop(tmp_path_factory.mktemp("near"), server, server.bucket())
    assert laptop.steps(DIGITS, stack="default").keys() == STEPS
    return digests(laptop, "default")


def digests(laptop: Laptop, stack: str = "s3") -> Digests:
    """By step and output; the bytes of pickles are not always the same."""
    return {
        (each["step"], each["output"]): each["digest"]
        for each in laptop.artifacts(stack)
        if "pickle" not in each["format"]
    }


def test_only_the_variable_differs_and_the_digests_are_equal(mine: Laptop, near: Digests) -> None:
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
