"""Makes the pages that are made of the code: python docs/reference/make.py

With --check it only says which of them are not what they should be. What is on them does not depend
on the machine: not on its folders and terminals, nor on other packages that are installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from runpy import run_path

HERE = Path(__file__).parent
COMMAND = "python docs/reference/make.py"


def pages() -> dict[str, str]:
    """Text by the name of its file."""
    return {f"{name}.md": run_path(str(HERE / f"{name}.py"))["page"]() for name in NAMES}


NAMES = ("cli", "categories")


def outdated() -> list[str]:
    """The pages that are not what they would be if they were made now."""
    return [name for name, text in pages().items() if _there(HERE / name) != text]


def _there(file: Path) -> str:
    return file.read_text("utf-8") if file.exists() else ""


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        found = [f"docs/reference/{name} is out of date. Type: {COMMAND}" for name in outdated()]
        sys.exit("\n".join(found) or 0)
    for name, text in pages().items():
        (HERE / name).write_text(text, "utf-8")
