"""Makes `.venv` and installs one of penstock's extras there, unless that was done. For `make`."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = ROOT / ".venv" / "penstock.json"
PYTHON = f"{sys.version}, {os.path.realpath(sys.executable)}, {ROOT}"
"""What a virtual environment does not survive: another Python, and a move of the checkout."""
EXTRAS = {
    "demo": "the demo's libraries (about a minute the first time)",
    "test": "the test tools (about 2 minutes the first time)",
    "lint": "the lint tools (about 2 minutes the first time)",
}
"""In order: each installs the ones before it too."""


def main(extra: str) -> None:
    with one_at_a_time():
        stamp = read()
        if stamp.get("python") != PYTHON:
            if not is_somebodys():
                create()
            stamp = {"python": PYTHON}
        if stamp.get(extra) != requirements():
            install(extra, stamp)


def is_somebodys() -> bool:
    """Whether `.venv` was made by hand, and works: then we install into it, and clear nothing."""
    python = ROOT / ".venv" / "bin" / "python"
    if STAMP.exists() or not python.exists():
        return False
    return not run(str(python), "-m", "pip", "--version", quiet=True)


def create() -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    pip = find_spec("ensurepip")
    if not (pip and pip.origin):  # Debian and Ubuntu keep it in a package of its own
        add_ensurepip(f"python{version}-venv")
    say(f"making .venv with Python {version}...")
    if run(sys.executable, "-m", "venv", "--clear", ".venv"):
        sys.exit("penstock: .venv could not be made; the reason is above.")


def add_ensurepip(package: str) -> None:
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(
            "penstock: this Python cannot make virtual environments: it has no ensurepip.\n"
            f"Debian, Ubuntu: sudo apt-get install {package}"
        )
    say(f"installing {package}...")
    run("apt-get", "update", "-qq")
    if run("apt-get", "install", "-qq", "-y", package):
        sys.exit(f"penstock: {package} could not be installed; the reason is above.")


def install(extra: str, stamp: dict[str, str]) -> None:
    say(f"installing {EXTRAS[extra]}...")
    STAMP.write_text("{}")  # if we are killed here, that is what stays, and .venv is made anew
    pip = (".venv/bin/python", "-m", "pip", "--disable-pip-version-check", "--no-input")
    failed = run(*pip, "install", "-qq", "-e", f".[{extra}]")
    if not failed:
        names = list(EXTRAS)
        stamp |= dict.fromkeys(names[: names.index(extra) + 1], requirements())
    if failed >= 0:  # below zero: killed by a signal
        STAMP.write_text(json.dumps(stamp))
    if failed:
        sys.exit("penstock: pip did not succeed; the reason is above.")


def requirements() -> str:
    """Changes when an installation would: settings of tools may change at will."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    facts = [project["build-system"], project["project"], project["tool"]["hatch"]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def read() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make` at once set up one after the other. The lock goes with the process."""
    folder = os.open(ROOT, os.O_RDONLY)
    with suppress(OSError):  # a network drive may know no locks
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another make to set up .venv...")
            fcntl.flock(folder, fcntl.LOCK_EX)
    yield
    os.close(folder)


def run(*command: str, quiet: bool = False) -> int:
    out = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
    ).returncode


def say(text: str) -> None:
    print(f"penstock: {text}", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(130)
