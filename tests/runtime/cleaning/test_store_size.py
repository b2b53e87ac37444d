"""What the end of a run says of the store's size, and when it looks."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
from past import DAY, Past, chain

from penstock import LocalArtifactStore, LocalOrchestrator, Stack
from penstock.artifacts.store import Entry
from penstock.errors import BadConfiguration


@dataclass(frozen=True, kw_only=True)
class Watched(LocalArtifactStore):
    """Knows how often its objects were listed."""

    flavor: ClassVar[str] = "watched"
    looks: ClassVar[list[str]] = []

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        if prefix == "objects/":
            self.looks.append(prefix)
        return super().keys(prefix, start_after=start_after)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Past:
    """A store that should not be larger than 10 kB."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Watched.looks.clear()
    return Past(tmp_path / "store", Watched(path=str(tmp_path / "store"), warn_above="10kB"))


def last_line(past: Past, text: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    past.run(text, progress=True)
    return capsys.readouterr().err.splitlines()[-1]


def grown_older(past: Past, seconds: float) -> None:
    """The measurement is so much older."""
    [file] = (past.path.parent / "cache").rglob("stores/*")
    known = json.loads(file.read_text())
    file.write_text(json.dumps({**known, "at": known["at"] - seconds}))


def test_a_store_past_its_limit_is_named_at_the_end_of_a_run(
    small: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    line = last_line(small, "a", capsys)

    assert re.search(r"penstock run show \S+  ·  store [\d.]+ KiB, see penstock gc$", line)


def test_a_small_store_is_not_worth_a_word(small: Past, capsys: pytest.CaptureFixture[str]) -> None:
    stack = replace(small.stack, artifact_store=LocalArtifactStore(path=str(small.path)))
    chain.on(stack).with_options(progress=True).run("a")

    assert "see penstock gc" not in capsys.readouterr().err


def test_the_store_is_looked_at_once_a_day_at_most(
    small: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [last_line(small, text, capsys) for text in "aaab"]
    assert (len(Watched.looks), all("see penstock gc" in line for line in lines)) == (1, True)

    grown_older(small, 2 * DAY)
    last_line(small, "c", capsys)
    assert len(Watched.looks) == 2


def test_a_store_that_was_cleaned_is_small_again(
    small: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    last_line(small, "a", capsys)
    small.passes(90 * DAY)
    small.gc(keep_runs=0)

    assert "see penstock gc" not in last_line(small, "", capsys)


def test_nothing_of_it_lies_in_the_store(small: Past, capsys: pytest.CaptureFixture[str]) -> None:
    last_line(small, "a", capsys)
    names = {file.relative_to(small.path).parts[0] for file in small.files()}

    assert names == {"store.json", "objects", "runs", "cache"}


@pytest.mark.parametrize("damaged", ["", "{}", "[]", '{"measured": "x"}', '{"other": 1}', "\x00"])
def test_a_damaged_note_is_as_none(
    small: Past, damaged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last_line(small, "a", capsys)
    [file] = (small.path.parent / "cache").rglob("stores/*")
    file.write_text(damaged)

    assert "see penstock gc" not in last_line(small, "a", capsys)
    assert "see penstock gc" in last_line(small, "b", capsys)


def test_where_nothing_can_be_noted_a_run_ends_as_ever(
    small: Past, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", os.devnull)

    assert last_line(small, "a", capsys).startswith("completed")


@pytest.mark.parametrize("limit", ["much", "-1GB", "10 GB of it"])
def test_a_limit_that_is_no_size_is_an_error(limit: str) -> None:
    with pytest.raises(BadConfiguration, match="warn_above"):
        LocalArtifactStore(warn_above=limit)


@pytest.mark.parametrize("limit", ["10GB", "500GiB", "1.5T", "0"])
def test_a_limit_is_a_size(limit: str) -> None:
    stack = Stack(
        "x", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(warn_above=limit)
    )
    assert stack.artifact_store.warn_above == limit
