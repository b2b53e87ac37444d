"""The harness itself: each kind of defect, planted in a way that no cache can see, is found."""

from collections.abc import Callable

from edit import Edit, added, edit, replaced
from edits_of_packages import INSTALLED, PART

Judge = Callable[[Edit], list[str]]

READING = """\
from pathlib import Path

from penstock import step

NAMES = ["found", "json"]


@step
def reads() -> str:
    return Path("shop", ".".join(NAMES)).read_text()
"""


def test_a_step_that_must_run_and_was_not_run_is_a_false_hit(judge: Judge) -> None:
    """A library's code may change only with its version."""
    library = replaced("site-packages/ratelib/__init__.py", "one", "two")
    found = judge(Edit(PART, [library], frozenset({"directly"}), before=INSTALLED))
    assert "false hit: directly was not run" in found


def test_a_result_that_a_run_without_a_cache_does_not_give_is_a_false_hit(judge: Judge) -> None:
    """Nobody can know which files a step opens."""
    file = replaced("shop/found.json", "1", "2")
    found = judge(Edit("shop.reading", [file], before=[added("shop/reading.py", READING)]))
    assert found == ["""false hit: reads gives '{"amount": 1}\\n', and means '{"amount": 2}\\n'"""]


def test_a_step_that_may_not_run_and_was_run_is_a_false_miss(judge: Judge) -> None:
    found = judge(edit("shop.chain", "shop/chain.py", "start: int = 1", "start: int = 2", "load"))
    assert found == ["false miss: halved was run", "false miss: total was run"]


def test_an_edit_after_which_all_is_as_before_is_none(judge: Judge) -> None:
    found = judge(edit("shop.chain", "shop/chain.py", "value / 2", "value * 0.5", "halved"))
    assert found == ["no edit: every step gives what it gave before"]
