"""The README's block of figures: what stands between two marks is written by the benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

BEGIN: Final = "<!-- benchmark -->"
END: Final = "<!-- /benchmark -->"


def rewritten(text: str, block: str) -> str:
    """The text with another block. Raises `ValueError` if it has no place for one."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there is no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{block.strip()}\n{END}{after}"


def rewrite(file: Path, block: str) -> None:
    """Put a block into a file."""
    file.write_text(rewritten(file.read_text("utf-8"), block), "utf-8")
