"""Are there errors on the lines marked `# E`, and on no others, for mypy and pyright, both strict?

Usage: python tests/typing/check.py [FILE...]
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "tests/typing" / name for name in ("good.py", "bad.py")]
MARK = re.compile(r"# E\b")

Line = tuple[Path, int]


def main(files: list[Path]) -> int:
    """How many times a checker and a mark disagree."""
    marked = {line for file in files for line in marks(file)}
    mypy = start("mypy", "--strict", "--no-error-summary", "--output=json", *files)
    pyright = start("basedpyright", "--outputjson", f"--pythonpath={sys.executable}", *files)
    complaints = [
        *compare("mypy", dict(mypy_errors(answer(mypy))), marked),
        *compare("pyright", dict(pyright_errors(answer(pyright))), marked),
    ]
    print(*complaints, f"{len(marked)} marked lines, {len(complaints)} complaints", sep="\n")
    return len(complaints)


def marks(file: Path) -> Iterator[Line]:
    for number, text in enumerate(file.read_text("utf-8").splitlines(), start=1):
        if MARK.search(text):
            yield file, number


def compare(checker: str, errors: dict[Line, str], marked: set[Line]) -> Iterator[str]:
    for file, number in sorted(errors.keys() ^ marked):
        message = errors.get((file, number), "no error here, though the line is marked")
        yield f"{os.path.relpath(file)}:{number}: {checker}: {message.splitlines()[0]}"


def mypy_errors(output: str) -> Iterator[tuple[Line, str]]:
    for error in map(json.loads, output.splitlines()):
        if error["severity"] == "error":
            yield (ROOT / error["file"], error["line"]), error["message"]


def pyright_errors(output: str) -> Iterator[tuple[Line, str]]:
    for error in json.loads(output)["generalDiagnostics"]:
        if error["severity"] == "error":
            yield (Path(error["file"]), error["range"]["start"]["line"] + 1), error["message"]


def start(module: str, *arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def answer(checker: subprocess.Popen[str]) -> str:
    output, _ = checker.communicate()
    if checker.returncode > 1:  # 1 says that there are errors, more says that it could not look
        sys.exit(f"{checker.args!r} failed:\n{output}")
    return output


if __name__ == "__main__":
    sys.exit(main([Path(file).resolve() for file in sys.argv[1:]] or FILES) > 0)
