"""Interpreters: which Python runs a process of ours, and whether penstock can run there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from penstock._version import __version__
from penstock.errors import CannotRun
from penstock.stack import install

OLDEST: Final = (3, 11)
"""The first Python that penstock runs on."""

# In words that any Python understands.
_ASK: Final = """
import sys
print("%d.%d" % sys.version_info[:2])
try:
    from penstock._version import __version__ as version
except ImportError:
    version = ""
print(version)
"""


def placed(python: str, root: Path) -> str:
    """An interpreter's file. A folder is that of a virtual environment; a word that is no file of
    the project's is looked for where commands are."""
    path = os.path.normpath(os.path.join(root, os.path.expanduser(python)))
    if os.sep not in python and not os.path.exists(path):
        return shutil.which(python) or path
    return os.path.join(path, "bin", "python") if os.path.isdir(path) else path


def is_ours(python: str) -> bool:
    """Whether an interpreter has the packages of this process. That it is the same file in the end
    says nothing: the one of a virtual environment is a link."""
    ours = sys.executable
    same_folder = os.path.realpath(os.path.dirname(python)) == os.path.realpath(
        os.path.dirname(ours)
    )
    return same_folder and os.path.realpath(python) == os.path.realpath(ours)


def complaint(python: str) -> str:
    """What is wrong with the file itself, or nothing."""
    if not os.path.exists(python):
        return f"there is no {python!r}"
    if not os.path.isfile(python) or not os.access(python, os.X_OK):
        return f"{python!r} cannot be executed"
    return ""


def check(python: str, environment: Mapping[str, str]) -> None:
    """Raise `CannotRun` if the reason why a step left nothing is that penstock cannot run there."""
    try:
        done = subprocess.run(
            [python, "-c", _ASK], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=10, check=False,
        )  # fmt: skip
        version, penstock = done.stdout.split("\n")[:2]
        numbers = tuple(map(int, version.split(".")))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise CannotRun(f"{python} is no Python that answers.") from error
    if numbers < OLDEST:
        raise CannotRun(f"{python} is Python {version}; penstock needs 3.11 or newer.")
    if not penstock:
        raise CannotRun(f"{python} has no penstock.", hint=f"Type: {_install(python)}")
    if penstock != __version__:
        raise CannotRun(
            f"{python} has penstock {penstock}, and this process has {__version__}: they do not "
            "understand each other.",
            hint=f"Type: {_install(python)}",
        )


def _install(python: str) -> str:
    """The line that gives another interpreter the penstock of this one."""
    line = install.command("penstock")
    if line.startswith("uv pip install "):
        return line.replace("uv pip install", f"uv pip install --python {python}", 1)
    return f"{python} -m {line}"
