"""Pages for those who come from another tool show both sides. Ours is tried with all pages; theirs
here, with what PyPI has of the tool, in the environments of `make bench-others`."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from sampling import ALL, takes_all
from story import BLOCK, PAGES, ROOT, Story

TOOLS = {"zenml": {"ZENML_LOGGING_COLORS_DISABLED": "true"}, "metaflow": {}}
"""Each, and what besides makes it print the same in any terminal."""

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="session")
def others() -> object:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("others")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("tool", TOOLS)
def test_the_half_of_another_tool_is_so(tool: str, tmp_path: Path, others) -> None:
    if not takes_all():
        pytest.skip(f"NOT TESTED: the half of {tool}, which has to be installed: {ALL}=1")
    try:
        python = others.installed(tool)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NOT TESTED: {tool} cannot be installed here: {others.reason(error)}")
    folder = tmp_path / "project"
    folder.mkdir()
    environment = {"PYTHONWARNINGS": "", "COLUMNS": "100", **others.quiet(tmp_path), **TOOLS[tool]}
    told = Story(page(tool), folder, environment, tool=tool, python=python).happen()
    if told.wrong:
        pytest.fail("\n".join(told.wrong), pytrace=False)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_page_has_both_halves(tool: str) -> None:
    assert owners(page(tool)) - {"both"} == {"", tool}


@pytest.mark.parametrize("each", PAGES, ids=lambda each: str(each.relative_to(ROOT)))
def test_no_block_belongs_to_a_tool_that_nobody_tries(each: Path) -> None:
    assert owners(each) <= {""}.union(*({tool, "both"} for tool in TOOLS if page(tool) == each))


def test_a_false_half_is_noticed_by_its_own_story_only(tmp_path: Path) -> None:
    both = tmp_path / "both.md"
    both.write_text("```console\n$ echo one\none\n```\n```console zenml\n$ echo one\ntwo\n```\n")
    for tool, wrong in (("", 0), ("zenml", 1), ("metaflow", 0)):
        folder = tmp_path / f"of-{tool}"
        folder.mkdir()
        assert len(Story(both, folder, tool=tool).happen().wrong) == wrong


def test_what_belongs_to_both_is_in_each_story(tmp_path: Path) -> None:
    both = tmp_path / "both.md"
    both.write_text("```console both\n$ echo one\ntwo\n```\n")
    for tool in ("", "zenml"):
        folder = tmp_path / f"of-{tool}"
        folder.mkdir()
        assert len(Story(both, folder, tool=tool).happen().wrong) == 1


def page(tool: str) -> Path:
    return ROOT / f"docs/how-to/from-{tool}.md"


def owners(of: Path) -> set[str]:
    """Whose blocks are on a page: "" is ours."""
    return {fence.partition(" ")[2] for fence, _ in BLOCK.findall(of.read_text("utf-8"))}
