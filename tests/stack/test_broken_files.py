"""Files that somebody broke by hand: the complaint points at the mistake, the file stays."""

from pathlib import Path

import pytest
from breaking import BROKEN, GOOD

from penstock.errors import StackError
from penstock.stack.changing.document import Document
from penstock.stack.changing.writing import writing

FILE = Path("penstock.yaml")
DRESSES = {
    "as it is": lambda text: text,
    "from Windows": lambda text: text.replace("\n", "\r\n"),
    "below a head": lambda text: f"# Käse, ☃ und 😀: 'was'\n# {{}}\n\n{text}",
}


def broken(old: str, new: str, dress: str) -> tuple[bytes, str]:
    """The file, and where the mistake is."""
    assert GOOD.count(old) == 1
    text = DRESSES[dress](GOOD.replace(old, new))
    at = text.index("§")
    place = f"penstock.yaml:{text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}: "
    return text.replace("§", "").encode(), place


def test_there_are_two_hundred_of_them() -> None:
    assert len(set(BROKEN)) * len(DRESSES) >= 200


def test_what_is_broken_was_good() -> None:
    Document(GOOD, FILE)


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_a_broken_file_is_pointed_into_and_never_rewritten(old: str, new: str, dress: str) -> None:
    data, place = broken(old, new, dress)
    FILE.write_bytes(data)

    with pytest.raises(StackError) as caught, writing(FILE):
        pytest.fail("it cannot be edited")

    assert place in str(caught.value)
    assert FILE.read_bytes() == data


def test_bytes_that_are_no_text_are_pointed_at_in_characters() -> None:
    FILE.write_bytes("active: prod\n# Käse ".encode() + b"\xff\n")

    with (
        pytest.raises(StackError, match=r"^penstock.yaml:2:8: This file is not UTF-8"),
        writing(FILE),
    ):
        pytest.fail("it cannot be edited")
