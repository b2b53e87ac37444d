"""What is said of the cache in several places."""

from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.model.controls import ANYTHING, Controls
from penstock.model.options import StepOptions

said = st.builds(Controls, st.booleans(), st.booleans(), st.none() | st.integers(1, 10**6))


@given(places=st.lists(said, min_size=1, max_size=4))
def test_the_strictest_counts_wherever_it_is_said(places: list[Controls]) -> None:
    found = reduce(Controls.joined, places)

    assert found.cache == all(each.cache for each in places)
    assert found.refresh == any(each.refresh for each in places)
    assert found.cache_for == min(
        (each.cache_for for each in places if each.cache_for is not None), default=None
    )


@given(one=said, other=said)
def test_it_does_not_matter_who_is_asked_first(one: Controls, other: Controls) -> None:
    assert one.joined(other) == other.joined(one)


@given(one=said)
def test_who_says_nothing_changes_nothing(one: Controls) -> None:
    assert one.joined(ANYTHING) == ANYTHING.joined(one) == one
    assert bool(one) == (one != ANYTHING)


@pytest.mark.parametrize(
    ("options", "controls", "changes"),
    [
        ({}, ANYTHING, {}),
        ({"cache": True}, Controls(cache=False), {"cache": False}),
        ({"cache": False}, Controls(cache=False), {}),
        ({"refresh": True}, Controls(refresh=True), {}),
        ({}, Controls(refresh=True), {"refresh": True}),
        ({}, Controls(cache_for=60.0), {"cache_for": timedelta(minutes=1)}),
        ({"cache_for": timedelta(hours=1)}, Controls(cache_for=60.0),
         {"cache_for": timedelta(minutes=1)}),
        ({"cache_for": timedelta(seconds=1)}, Controls(cache_for=60.0), {}),
    ],
)  # fmt: skip
def test_options_change_only_where_controls_are_stricter(
    options: dict[str, Any], controls: Controls, changes: dict[str, Any]
) -> None:
    assert StepOptions(**options).changes(controls) == changes
