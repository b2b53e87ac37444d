"""What pages show of a terminal on which somebody is asked: their stories have none."""

import re

import pytest
from story import BLOCK, PAGES, ROOT, pattern, plain

SCREENS = {
    path.stem: path.read_text("utf-8") for path in ROOT.glob("tests/cli/screens/stacks/*.txt")
}
DIALOGS = [
    text
    for page in PAGES
    for kind, text in BLOCK.findall(page.read_text("utf-8"))
    if kind == "text" and text.startswith("$ ")
]


def is_kept(dialog: str) -> bool:
    """Whether the screens of `tests/cli` have what is shown below the command."""
    _, _, shown = dialog.partition("\n")
    wanted = pattern("\n".join(plain(shown)))
    return any(re.fullmatch(wanted, "\n".join(plain(screen)) + "\n") for screen in SCREENS.values())


@pytest.mark.parametrize("dialog", DIALOGS, ids=lambda dialog: dialog.partition("\n")[0])
def test_a_dialog_that_a_page_shows_is_a_screen_that_is_kept(dialog: str) -> None:
    assert is_kept(dialog)


def test_a_false_dialog_is_noticed() -> None:
    assert DIALOGS
    assert not any(is_kept(dialog.replace("Test it now?", "Try it now?")) for dialog in DIALOGS)
