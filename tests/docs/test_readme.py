import os
import subprocess
import sys
from pathlib import Path

import pexpect
from story import BLOCK, ROOT, Story

README = (ROOT / "README.md").read_text("utf-8")
CODE = next(text for kind, text in BLOCK.findall(README) if kind == "python")


def test_it_fits_on_one_screen() -> None:
    assert len(README.splitlines()) <= 60


def test_the_make_commands_are_real_targets(tmp_path: Path) -> None:
    made = Story(ROOT / "README.md", tmp_path).happen().made
    assert made[:2] == ["demo", "test"]
    for target in made:
        dry = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
        assert dry.returncode == 0, target


def test_make_demo_runs_the_example_twice() -> None:
    dry = subprocess.run(
        ["make", "-n", "demo"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert dry.stdout.count("python examples/digits.py") == 2


def test_the_code_is_about_ten_lines() -> None:
    assert len([line for line in CODE.splitlines() if line and not line.startswith("#")]) <= 11


def test_the_code_can_be_pasted_into_ipython_twice(tmp_path: Path) -> None:
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "1", "PROMPT_TOOLKIT_NO_CPR": "1"}
    prompt = pexpect.spawn(
        "env", [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor"],
        cwd=tmp_path, env=environment, encoding="utf-8", timeout=60, dimensions=(50, 150),
    )  # fmt: skip
    for number, squares in enumerate([r"\d\.\d\d s", "cached"], 1):
        prompt.expect_exact(f"In [{number}]:")
        prompt.send(f"\x1b[200~{CODE}\x1b[201~\r")  # what a terminal makes of a paste
        prompt.expect(rf"  squares  {squares}[^$]*completed in .*\r\n14\r\n")
    prompt.close(force=True)
