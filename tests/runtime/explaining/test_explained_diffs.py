"""Diffs of pieces of files."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from penstock.runtime.explaining import diffs

NAMES = ("a.py", "b.py")
lines = st.lists(st.sampled_from(["", "x", "y", "  z", "@@ -1 +1 @@"]), max_size=12)


def test_the_lines_have_the_numbers_that_they_have_in_their_files() -> None:
    found = diffs.unified("def f():\n    return 1", "def f():\n    return 2", NAMES, (12, 30))
    assert found.splitlines() == [
        "--- a.py", "+++ b.py", "@@ -12,2 +30,2 @@", " def f():", "-    return 1", "+    return 2",
    ]  # fmt: skip


def test_what_is_equal_has_no_diff() -> None:
    assert diffs.unified("x\ny", "x\ny", NAMES, (1, 1)) == ""


def test_a_piece_that_is_too_long_to_be_compared_has_no_diff() -> None:
    long = "x\n" * (diffs.LONGEST + 1)
    assert diffs.unified(long, "y", NAMES, (1, 1)) == ""


@given(lines, lines, lines)
def test_a_diff_makes_the_new_file_of_the_old_one(
    above: list[str], old: list[str], new: list[str]
) -> None:
    assume(old and new and old != new)
    begin = len(above) + 1
    found = diffs.unified(whole(old), whole(new), NAMES, (begin, begin))
    assert applied([*above, *old], found) == [*above, *new]


def whole(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def applied(text: list[str], diff: str) -> list[str]:
    """What `patch` makes of a text: here for hunks that are where they say."""
    result, at = [], 0
    for line in diff.splitlines()[2:]:
        if found := re.match(r"@@ -(\d+)(,0)?", line):
            start = int(found[1]) - (found[2] is None)
            result += text[at:start]
            at = start
        elif line.startswith("+"):
            result.append(line[1:])
        else:
            assert text[at] == line[1:]
            result += [line[1:]] * (line[0] == " ")
            at += 1
    return result + text[at:]
