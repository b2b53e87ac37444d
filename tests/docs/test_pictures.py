"""The pictures on the pages are what the code draws, and each is shown."""

import re
from pathlib import Path
from runpy import run_path
from xml.etree import ElementTree as ET

import pytest
from story import PAGES, ROOT

FOLDER = ROOT / "docs/pictures"
DRAWN = run_path(str(FOLDER / "make.py"))["pictures"]()


@pytest.mark.parametrize("name", DRAWN)
def test_a_stored_picture_is_what_is_drawn_today(name: str) -> None:
    stored = (FOLDER / name).read_text("utf-8")
    ET.fromstring(stored)
    assert stored == DRAWN[name], "Type: python docs/pictures/make.py"


def test_every_stored_picture_is_made_and_shown() -> None:
    stored = {path.name for path in FOLDER.glob("*.svg")}
    shown = re.findall(r"!\[[^]]+\]\((\S+\.svg)\)", "".join(map(Path.read_text, PAGES)))
    assert stored == set(DRAWN) == {Path(path).name for path in shown}
