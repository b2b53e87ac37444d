"""The lines of maps with many items."""

from collections.abc import Callable

import pytest

from penstock import Stack, pipeline, step
from penstock.api.pipeline import Pipeline
from penstock.model.records import Failure, Status, StepRun
from penstock.runtime.item_lines import FIRST, ItemLines

Made = Callable[..., Stack]


@step
def numbers(many: int) -> list[int]:
    return list(range(many))


@step
def half(number: int) -> int:
    if number == 30:
        raise ValueError("thirty")
    return number // 2


@pipeline
def listed(many: int) -> list[int]:
    return half.map(numbers(many))


@pipeline
def drawn(many: int) -> list[int]:
    return half.map(list(range(many)))


def lines(capsys: pytest.CaptureFixture[str], name: str) -> list[str]:
    """Those that tell of a step, or of its items."""
    said = [line.split(maxsplit=1) for line in capsys.readouterr().err.splitlines()]
    return [" ".join(each) for each in said if each[0].partition(".")[0] == name]


def test_a_short_map_has_a_line_for_each_item(capsys: pytest.CaptureFixture[str]) -> None:
    listed.run(FIRST)
    found = lines(capsys, "half")
    assert len(found) == FIRST + 1
    assert "items" not in found[-1]


@pytest.mark.parametrize("which", [listed, drawn], ids=["known at run time", "drawn"])
def test_a_long_map_has_one_line_for_the_items_after_the_first(
    which: Pipeline[..., list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    which.run(FIRST + 5)
    found = lines(capsys, "half")
    assert len(found) == FIRST + 1
    assert found[-1].startswith(f"half {FIRST + 5} items ")


@pytest.mark.parametrize("which", [listed, drawn], ids=["known at run time", "drawn"])
def test_a_failure_has_a_line_wherever_it_is(
    which: Pipeline[..., list[int]], stack: Made, capsys: pytest.CaptureFixture[str]
) -> None:

    which.on(stack(failure="collect", max_workers=1)).run(40)
    found = lines(capsys, "half")
    assert len(found) == FIRST + 2
    assert found[-2].startswith("half.30 failed")
    assert found[-2].endswith("ValueError: thirty")
    assert found[-1].startswith("half 40 items ")
    assert found[-1].endswith(", 1 failed")


def test_a_run_that_stops_within_a_map_says_how_far_it_came(
    stack: Made, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match="thirty"):
        listed.on(stack(max_workers=1)).run(40)
    found = lines(capsys, "half")
    assert found[-1].startswith("half 31 items ")
    assert found[-1].endswith(", 1 failed")


def test_items_that_were_in_the_cache_are_counted() -> None:
    items = ItemLines()
    for place in range(FIRST + 2):
        items.is_told(f"half.{place}", StepRun("", f"half.{place}", "", Status.CACHED))
    assert items.end("half").endswith(f", {FIRST + 2} cached")


def test_a_failure_is_always_told() -> None:
    items = ItemLines()
    failed = StepRun("", "", "", Status.FAILED, failure=Failure("ValueError", "no", ""))
    assert all(items.is_told(f"half.{place}", failed) for place in range(FIRST * 2))
    assert items.end("half") == ""
