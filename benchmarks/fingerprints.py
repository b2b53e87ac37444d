"""How long the fingerprint of a step takes that reaches 200 functions in 25 files.

Cold: the first in a process, beside reading, parsing and compiling the same files, which nothing
that looks at source can avoid. Warm: for a second run, where nothing has changed.

    python benchmarks/fingerprints.py
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

FUNCTIONS, FILES = 200, 25

MEASURED = """
import ast, sys, time
import steps
steps.work.options
from penstock.runtime.fingerprints.fingerprints import Fingerprints

def took(act):
    start = time.process_time()
    act()
    return (time.process_time() - start) * 1000

def parse():
    for number in range({files}):
        text = open(f"tools{{number}}.py").read()
        compile(ast.parse(text), "tools", "exec")

def fingerprint():
    return Fingerprints().of_step(steps.work)

cold = took(fingerprint)
assert len(fingerprint().units) >= {functions}
warm = min(took(fingerprint) for _ in range(5))
print(cold, warm, min(took(parse) for _ in range(2)))
"""


def write(folder: Path) -> None:
    """A project: each function calls the one before it in its file; the step calls the last."""
    each = FUNCTIONS // FILES
    for number in range(FILES):
        functions = [
            f"def part{index}(value: int, by: int = {index}) -> int:\n"
            f'    """Part {index}."""\n'
            f"    found = [item * by + {number} for item in range(value)]\n"
            f"    if by % 2:\n        return sum(found) + math.floor(RATE)\n"
            f"    return {f'part{index - 1}(len(found))' if index else 'max(found, default=0)'}\n"
            for index in range(each)
        ]
        text = "\n\n".join(["import math\n\nRATE = 1.5", *functions])
        (folder / f"tools{number}.py").write_text(text)
    names = [f"tools{number}" for number in range(FILES)]
    calls = " + ".join(f"{name}.part{each - 1}(value)" for name in names)
    (folder / "steps.py").write_text(
        f"from penstock import step\nimport {', '.join(names)}\n\n"
        f"@step\ndef work(value: int) -> int:\n    return {calls}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    code = MEASURED.format(files=FILES, functions=FUNCTIONS)
    with tempfile.TemporaryDirectory() as place:
        write(Path(place))
        found = [
            subprocess.run(
                [sys.executable, "-c", code], cwd=place, check=True, capture_output=True, text=True
            ).stdout.split()
            for _ in range(rounds)
        ]
    cold, warm, parsing = (min(map(float, column)) for column in zip(*found, strict=True))
    print(f"{FUNCTIONS} functions in {FILES} files: milliseconds, best of {rounds}")
    print(f"  cold     {cold:7.1f}   {cold / parsing:.2f} x parsing and compiling ({parsing:.1f})")
    print(f"  warm     {warm:7.1f}")


if __name__ == "__main__":
    main()
