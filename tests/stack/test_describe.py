from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest

from penstock.artifacts.local import LocalArtifactStore
from penstock.model.component import Secret
from penstock.stack.describe import Option, about, options, words


def test_options_of_a_flavor_come_with_the_docstrings_below_their_fields(
    kitchen: ModuleType,
) -> None:
    found = {option.name: option for option in options(kitchen.Oven)}

    assert found["host"] == Option(
        "host", "text", True, None, "Where the oven stands, as a URL.", False
    )
    assert found["mode"].default == "fan"
    assert found["degrees"].description == ""
    assert found["key"].secret
    assert "name" not in found


def test_options_of_base_classes_are_described_too() -> None:
    found = {option.name: option for option in options(LocalArtifactStore)}

    assert found["path"].default == ".penstock"
    assert found["allow_pickle"].description.startswith("Which pickles may be loaded")


@pytest.mark.parametrize(
    ("hint", "text"),
    [
        (str, "text"),
        (int | None, "a whole number"),
        (float | str, "a number or text"),
        (Literal["a", "b"], "one of 'a', 'b'"),
        (tuple[int, ...], "a list, each item a whole number"),
        (list[str] | None, "a list, each item text"),
        (dict[str, bool], "a mapping, each value true or false"),
        (dict, "a mapping"),
        (Path, "a path"),
        (Annotated[int, "x"], "a whole number"),
        (Any, "anything"),
        (Secret | None, "a secret, best as ${env:NAME} or ${file:PATH}"),
        (bytes, "a bytes"),
    ],
)
def test_types_are_said_in_plain_words(hint: Any, text: str) -> None:
    assert words(hint) == text


def test_a_class_is_about_what_its_docstring_begins_with() -> None:
    class Told(LocalArtifactStore):
        """Two lines
        of one sentence.

        And more.
        """

    @dataclass(frozen=True, kw_only=True)
    class Silent(LocalArtifactStore):
        pass

    assert (about(Told), about(Silent)) == ("Two lines of one sentence.", "")
