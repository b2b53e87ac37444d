"""`--pdb`: the debugger, opened where a step has failed."""

import os
import subprocess
import sys

import pexpect
import pytest

from penstock import Client

FLOW = """\
from penstock import pipeline, step

@step
def divided(by: int) -> float:
    secret = 42
    return secret / by

@pipeline
def dividing(by: int = 0) -> float:
    return divided(by)

@pipeline
def stumbling() -> float:
    table = {"rows": 1}
    return divided(table["cols"])

if __name__ == "__main__":
    import sys
    globals()[sys.argv.pop(1)].cli()
"""


@pytest.mark.parametrize(
    ("name", "line", "variable", "value"),
    [("dividing", "secret / by", "secret", "42"), ("stumbling", 'table["cols"]', "table", "rows")],
)
def test_the_debugger_opens_in_the_frame_that_failed(
    name: str, line: str, variable: str, value: str
) -> None:
    with open("flow.py", "w") as file:
        file.write(FLOW)
    child = pexpect.spawn(
        sys.executable, ["flow.py", name, "--pdb"], env={**os.environ, "TERM": "dumb"},
        encoding="utf-8", timeout=120,
    )  # fmt: skip
    child.expect_exact(line)
    child.expect_exact("(Pdb) ")
    child.sendline(f"p {variable}")
    child.expect_exact(value)
    child.expect_exact("(Pdb) ")
    if name == "dividing":
        assert Client().run("last").status == "failed"  # recorded before anybody looks
    child.sendline("q")
    child.read()
    child.close()
    assert child.exitstatus == 1


def test_without_a_terminal_there_is_nobody_to_type() -> None:
    with open("flow.py", "w") as file:
        file.write(FLOW)
    done = subprocess.run(
        [sys.executable, "flow.py", "dividing", "--pdb"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "Error: --pdb needs a terminal to type at, and stdin is none.\n"
    assert Client().runs() == []
