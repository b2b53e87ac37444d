"""What is typed where a secret is asked for, and nobody sees it."""

import pytest

from penstock.cli.questions.kept import Kept
from penstock.errors import BadConfiguration


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("env:TOKEN", "${env:TOKEN}"),
        (" env: TOKEN ", "${env:TOKEN}"),
        ("file:~/a token", "${file:~/a token}"),
        ("${env:TOKEN}", "${env:TOKEN}"),
    ],
)
def test_a_reference_is_taken_for_one(typed: str, reference: str) -> None:
    assert Kept().reference("key", typed) == reference


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("env:", "comes the name of a variable"),
        ("env:two words", "comes the name of a variable"),
        ("env:${X}", "comes the name of a variable"),
        ("file:", "comes a path"),
        ("file:a}b", "comes a path"),
        ("${env:A}x", "That is no reference"),
    ],
)
def test_what_is_nearly_a_reference_is_kept_for_no_secret(typed: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=said):
        Kept().reference("key", typed)
