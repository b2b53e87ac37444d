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


def broken(old: str, new: str, dress: str) -> tuple[bytes, int, int]:
    """The file, and line and column of the mistake in it."""
    assert GOOD.count(old) == 1
    text = DRESSES[dress](GOOD.replace(old, new))
    at = text.index("§")
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return text.replace("§", "").encode(), line, column


def complaint(data: bytes) -> str:
    FILE.write_bytes(data)
    with pytest.raises(StackError) as caught, writing(FILE):
        pytest.fail("it cannot be edited")
    assert FILE.read_bytes() == data
    return str(caught.value)


def points_at(said: str, line: int, column: int) -> bool:
    return f"penstock.yaml:{line}:{column}: " in said


def test_there_are_two_hundred_of_them() -> None:
    files = {broken(old, new, dress)[0] for old, new in BROKEN for dress in DRESSES}

    assert len(files) >= 200


def test_what_is_broken_was_good() -> None:
    Document(GOOD, FILE)


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_a_broken_file_is_pointed_into_and_never_rewritten(old: str, new: str, dress: str) -> None:
    data, line, column = broken(old, new, dress)
    said = complaint(data)

    assert points_at(said, line, column)
    assert len(said.splitlines()) <= 3  # what follows from the mistake may be told, too


@pytest.mark.parametrize(("old", "new"), BROKEN)
def test_a_complaint_that_points_beside_the_mistake_is_found_out(old: str, new: str) -> None:
    data, line, column = broken(old, new, "as it is")
    said = complaint(data)

    assert not any(points_at(said, line + by, column) for by in (-1, 1))
    assert not any(points_at(said, line, column + by) for by in (-1, 1))


def test_bytes_that_are_no_text_are_pointed_at_in_characters() -> None:
    FILE.write_bytes("active: prod\n# Käse ".encode() + b"\xff\n")

    with (
        pytest.raises(StackError, match=r"^penstock.yaml:2:8: This file is not UTF-8"),
        writing(FILE),
    ):
        pytest.fail("it cannot be edited")
