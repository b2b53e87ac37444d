"""The pages of docs/reference are what the code says today, on whatever machine they are made."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from runpy import run_path

import pytest
from story import ROOT

FOLDER = ROOT / "docs/reference"
MAKE = run_path(str(FOLDER / "make.py"))
PAGES = MAKE["pages"]()


def made(folder: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """What the one command says, from another folder."""
    return subprocess.run(
        [sys.executable, str(folder / "make.py"), *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pages and of what makes them, in a checkout of its own."""
    shutil.copytree(FOLDER, tmp_path / "docs/reference")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path / "docs/reference"


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A package that brings a category, and a flavor under a name of ours."""
    info = tmp_path / "packages/strange-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[penstock.data_validators]\nstrict = strange:Strict\n"
        "[penstock.artifact_stores]\ns3 = strange:Store\nother = strange:Other\n"
    )
    return info.parent


@pytest.mark.parametrize("name", PAGES)
def test_a_stored_page_is_what_is_made_today(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == PAGES[name], f"Type: {MAKE['COMMAND']}"


def test_the_machine_changes_nothing(copy: Path, stranger: Path, tmp_path: Path) -> None:
    """Width, language, home, files of the user's and of the project, installed packages."""
    home = tmp_path / "home"
    for folder in (home / "penstock", tmp_path):
        folder.mkdir(exist_ok=True, parents=True)
        (folder / "penstock.yaml").write_text("flavors: {orchestrator: {mine: my:Own}}\nx: [")
    (made(copy)).check_returncode()
    here = {page: (copy / page).read_bytes() for page in PAGES}
    elsewhere = made(
        copy, COLUMNS="37", LC_ALL="C", HOME=str(home), XDG_CONFIG_HOME=str(home),
        PYTHONPATH=str(stranger), PENSTOCK_STACK="nope", TERM="dumb", PYTHONHASHSEED="7",
    )  # fmt: skip
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")
    assert {page: (copy / page).read_bytes() for page in PAGES} == here


def test_a_page_that_is_out_of_date_is_named_with_what_to_type(copy: Path) -> None:
    for name, text in PAGES.items():
        (copy / name).write_text(f"{text}One word more.\n", "utf-8")
    said = made(copy, "--check")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.splitlines() == [
        f"docs/reference/{name} is out of date. Type: python docs/reference/make.py"
        for name in PAGES
    ]


def test_what_was_just_made_is_up_to_date(copy: Path) -> None:
    for page in PAGES:
        (copy / page).unlink()
    made(copy).check_returncode()
    said = made(copy, "--check")
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_nothing_of_this_machine_is_on_a_page() -> None:
    text = "".join(PAGES.values())
    found = [word for word in (str(ROOT), str(Path.home()), sys.prefix) if word in text]
    assert found == []


def test_every_import_that_a_page_shows_can_be_typed() -> None:
    lines = re.findall(r"`(from [\w.]+ import \w+)`", PAGES["categories.md"])
    assert len(lines) >= 5
    for line in lines:
        exec(line, {})


def test_every_option_of_our_flavors_has_a_description() -> None:
    rows = re.findall(r"^\| `\w+` \|.*$", PAGES["categories.md"], re.MULTILINE)
    assert len(rows) > 30
    assert [row for row in rows if row.endswith("|  |")] == []


def test_every_command_has_a_help() -> None:
    parts = re.split(r"^#{2,4} (penstock .*)$", PAGES["cli.md"], flags=re.MULTILINE)[1:]
    texts = dict(zip(parts[::2], parts[1::2], strict=True))
    assert len(texts) > 50
    assert [name for name, text in texts.items() if not re.match(r"\n\n[A-Z]", text)] == []
