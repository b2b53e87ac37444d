"""The table of edits: what must run again after each of them, and that nothing is taken for it."""

from collections.abc import Callable

import edits_of_classes
import edits_of_data
import edits_of_functions
import edits_of_packages
import edits_of_what_hides
import edits_of_what_is_looked_up
import edits_that_change_nothing
import pytest
from edit import Edit

TABLES = (
    edits_that_change_nothing,
    edits_of_functions,
    edits_of_classes,
    edits_of_data,
    edits_of_what_is_looked_up,
    edits_of_what_hides,
    edits_of_packages,
)
EDITS = {name: each for table in TABLES for name, each in table.EDITS.items()}

Judge = Callable[[Edit], list[str]]


@pytest.mark.sampled(most=40)
@pytest.mark.parametrize("name", EDITS)
def test_what_an_edit_changes_runs_again(judge: Judge, name: str) -> None:
    found = judge(EDITS[name])
    assert not found, "\n".join(found)


def test_every_edit_has_a_name_of_its_own() -> None:
    assert len(EDITS) == sum(len(table.EDITS) for table in TABLES)
