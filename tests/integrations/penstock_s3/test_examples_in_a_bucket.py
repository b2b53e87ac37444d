"""Every example prints the same, wherever its artifacts live."""

import ast
import re
from pathlib import Path

import pytest
from laptops import ROOT, Laptop
from servers import Server

EXAMPLES = sorted(
    file for file in (ROOT / "examples").rglob("*.py")
    if file.name != "digits.py" and ".penstock" not in file.parts
)  # fmt: skip
SHOWN = re.compile(r"^    \$ (.*)\n((?:    (?!\$ ).*\n)*)", re.MULTILINE)


@pytest.mark.sampled(most=6)
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.relative_to(ROOT)))
def test_an_example_prints_what_it_says_on_a_bucket(
    file: Path, server: Server, tmp_path: Path
) -> None:
    laptop = Laptop(tmp_path, server, server.bucket())
    shown = SHOWN.findall(ast.get_docstring(ast.parse(file.read_text()), clean=False) or "")
    done = laptop.typed("set -e\n" + "\n".join(line for line, _ in shown))

    assert done.returncode == 0, done.stderr
    printed = "".join(re.sub(r"^    ", "", out, flags=re.MULTILINE) for _, out in shown)
    assert done.stdout.replace("from s3", "from default") == printed
