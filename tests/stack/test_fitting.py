"""Options as their types want them, and what is said of those that do not fit."""

from collections.abc import Sequence

import pytest

from penstock.stack import fitting


@pytest.mark.parametrize(
    ("written", "write"),
    [
        ("abc", "Write [abc]; in a shell: '[abc]'."),
        ("abc,d", "Write [abc, d]; in a shell: '[abc, d]'."),
        ("numpy>=2,<3", 'Write ["numpy>=2,<3"]; in a shell: \'["numpy>=2,<3"]\'.'),
    ],
)
def test_one_text_in_the_place_of_several_is_shown_as_a_list(written: str, write: str) -> None:
    with pytest.raises(fitting.Unfit) as caught:
        fitting.value(written, Sequence[str], None)

    assert str(caught.value) == (
        f"{written!r} does not fit: a list, each item text is needed. {write}"
    )
    assert fitting.value([written], Sequence[str], None) == [written]
