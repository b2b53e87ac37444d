"""A page is a story: its blocks are carried out in their order, in one empty folder.

* A `python`, `yaml` or `text` block that begins with a comment, `# name.py`, is that file.
* Other `python` blocks are one program, which runs at the end. `print(…)  # text` says what it
  prints, and so does a comment that is a line of its own, and not indented.
* In a `console` block, lines after `$ ` are typed, and what follows is what is printed.

A block of `python zenml` or `console metaflow` belongs to that tool's half of the page: a story
of its own, told with the Python that has the tool. One of `python both` belongs to both.

Ids, digests, times and sizes in memory count as equal; `…` stands for anything, alone on a line for
any number of lines. The folder is /home/you/project, what lies beside it is in /home/you, the
user is `you`, the machine `laptop`.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penstock.runtime import provenance

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]

BLOCK = re.compile(r"^```(\w+(?: \w+)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.\w+)\n")
PRINTED = re.compile(r"^(?: *print\(.*\)  # |# ?)(.*)$", re.MULTILINE)
TYPED = re.compile(r"^\$ (.*)\n", re.MULTILINE)
MAKE = re.compile(r"make (\w+)")
INSTALLED = {
    "pip install .": "PYTHONWARNINGS= pip install -qq --disable-pip-version-check --no-deps "
    "--no-build-isolation --target .packages ."
}
"""What a page installs, its own story gets: not the environment of the tests."""

ALIKE = (
    (r"\d{8}-\d{6}-[0-9a-z]{4}-[0-9a-z]{4}", "RUN"),
    (r"(?<=run show )[0-9a-z]{4}-[0-9a-z]{4}", "TAIL"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b[0-9a-f]{16}\b", "ID"),
    (r"\b[0-9a-f]{40}\b", "COMMIT"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "MOMENT"),
    (r"\b\d+\.\d+ s( → \d+\.\d+ s)?\b", "TIME"),
    (r"\b\d+\.\d [KMG]iB\b", "SIZE"),
    (r"\b\d+\.\d{4,}(e-\d+)?\b|\b\d+e-\d+\b", "NUMBER"),
    (r"(?<=Python )3\.\d+\.\d+|(?<=\"python\": \")3\.\d+(\.\d+)?", "PYTHON"),
    (r"(?<=\"process\": )\d+|(?<=\"peak_memory\": )\d+", "NUMBER"),
    (r"(?<=\S) {2,}", "  "),
    (r" +$", ""),
)


@dataclass
class Story:
    """What happened on a page."""

    page: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    """Further variables."""
    tool: str = ""
    """Whose half of the page: ours, unless another tool is named."""
    python: str = sys.executable
    """What `python` is."""
    program: str = ""
    made: list[str] = field(default_factory=list)
    """Targets of the Makefile that the page names."""
    wrong: list[str] = field(default_factory=list)
    """What is not as the page says, ready to be read."""

    def happen(self) -> "Story":
        """Carry the page out."""
        (self.folder / ".venv").symlink_to(Path(self.python).parent.parent)
        (self.folder / ".tmp").mkdir()
        for fence, text in BLOCK.findall(self.page.read_text("utf-8")):
            kind, _, tool = fence.partition(" ")
            if tool not in (self.tool, "both"):
                continue
            if kind == "console":
                self._type(text)
            elif named := NAMED.match(text):
                file = self.folder / named[1]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, "utf-8")
            elif kind == "python":
                self.program += text
        if self.program:
            (self.folder / "program.py").write_text(self.program, "utf-8")
            printed = self._run(f"{shlex.quote(self.python)} program.py 2>errors || cat errors")
            self._compare("the program", "\n".join(PRINTED.findall(self.program)), printed)
        return self

    def _type(self, block: str) -> None:
        """Everything in one shell, so that `cd` and `export` hold until the block ends."""
        _, *parts = TYPED.split(block)
        commands, expected = parts[::2], parts[1::2]
        self.made += [found[1] for line in commands if (found := MAKE.match(line))]
        typed = [":" if MAKE.match(line) else INSTALLED.get(line, line) for line in commands]
        script = "".join(f"{line}\nprintf '\\0'\n" for line in typed)
        outputs = self._run(script).split("\0")
        for command, wanted, printed in zip(commands, expected, outputs, strict=False):
            self._compare(f"$ {command}", wanted, printed)

    def _run(self, script: str) -> str:
        path = f"{Path(self.python).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env={
                **os.environ,
                "PATH": path,
                "PYTEST_ADDOPTS": "",  # the options of these tests are not for the page's
                "PYTHONWARNINGS": "error",
                "PYTHONPATH": str(self.folder / ".packages"),
                "TMPDIR": str(self.folder / ".tmp"),
                **self.environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout.decode("utf-8")

    def _compare(self, what: str, wanted: str, printed: str) -> None:
        for own, shown in self._names():
            printed = re.sub(own, shown, printed)
        wanted, printed = "\n".join(plain(wanted)), "\n".join(plain(printed))
        if not any(
            re.fullmatch(pattern(order(wanted)), f"{order(printed)}\n") for order in (str, by_name)
        ):
            self.wrong.append(f"{what}\n--- the page\n{wanted}\n--- really\n{printed}\n")

    def _names(self) -> Iterator[tuple[str, str]]:
        yield re.escape(str(self.folder)), "/home/you/project"
        yield re.escape(str(self.folder.parent)), "/home/you"
        yield rf"\b{re.escape(provenance.user())}\b", "you"
        yield rf"\b{re.escape(provenance.host())}\b", "laptop"


def plain(text: str) -> list[str]:
    """The lines of a text, with what differs from run to run written as one word."""
    for found, word in ALIKE:
        text = re.sub(found, word, text, flags=re.MULTILINE)
    return text.strip("\n").split("\n")


def by_name(text: str) -> str:
    """Steps that run side by side end in any order: their lines, sorted."""
    return re.sub(
        r"(?:^  \S+  (?:TIME|cached|skipped).*\n)+",
        lambda lines: "\n".join(sorted(lines[0].splitlines())) + "\n",
        text,
        flags=re.MULTILINE,
    )


def pattern(wanted: str) -> str:
    """What a printed text must match; `…` stands for anything."""
    lines = [
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + "\n"
        for line in wanted.split("\n")
    ]
    return "".join(lines)
