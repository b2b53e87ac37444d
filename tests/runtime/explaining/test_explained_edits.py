"""Which of the things that a step reaches were edited, by the code that two runs keep."""

import json
from dataclasses import replace
from typing import Any

import pytest

from penstock.artifacts.values import Code, Values
from penstock.model.records import RunRecord
from penstock.runtime.explaining.change import Change
from penstock.runtime.explaining.edits import Codes
from penstock.testing import MemoryArtifactStore

STEP = "train:train"
TEXT = "import os\n\ndef scale(x):\n    return x * 2\n"
RUN = RunRecord(
    "20260101-000000-aaaa-aaaa", "training", "train:training", "", {}, "", "", "", "", "", 0, 0.0,
    "", None, {}, (), {},
)  # fmt: skip


class Kept:
    """A store with what two runs keep of their code."""

    def __init__(self) -> None:
        self.values = Values(MemoryArtifactStore(), lambda names: Code())

    def run(self, *units: list[Any], text: str = TEXT, steps: dict[str, Any] | None = None) -> Any:
        """A run whose step reaches these units, all of them in one file."""
        file = self.values.keep(text.encode()).digest
        code = {
            "steps": {STEP: list(range(len(units)))} if steps is None else steps,
            "units": units,
            "files": [["features.py", file]],
        }
        return replace(RUN, code=self.values.keep(json.dumps(code, sort_keys=True).encode()).digest)

    def edits(self, old: RunRecord, new: RunRecord, *, diffs: bool = True) -> list[Change]:
        return Codes(self.values, diffs=diffs).edits(STEP, old, new)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def function(name: str = "features:scale", digest: str = "a") -> list[Any]:
    return [name, digest, "function", 0, 3, 4, ""]


def data(value: str) -> list[Any]:
    return ["features.RATE", value, "data", 0, 1, 1, value]


def module(digest: str, last: int = 4) -> list[Any]:
    note = "getattr(features, …) in train (train.py:12)"
    return ["features", digest, "module", 0, 1, last, note]


def test_an_edited_function_is_told_with_its_place_and_its_diff(kept: Kept) -> None:
    edited = TEXT.replace("x * 2", "x * 3")
    (change,) = kept.edits(kept.run(function()), kept.run(function(digest="b"), text=edited))
    assert (change.kind, change.where) == ("function", "features.py:3")
    assert change.words == "helper changed: features.scale (features.py:3)"
    assert change.diff.splitlines()[2:] == [
        "@@ -3,2 +3,2 @@", " def scale(x):", "-    return x * 2", "+    return x * 3",
    ]  # fmt: skip


def test_the_function_of_the_step_itself_is_no_helper(kept: Kept) -> None:
    (change,) = kept.edits(kept.run(function(STEP)), kept.run(function(STEP, "b")))
    assert change.words == "code changed (features.py:3)"


def test_data_is_told_by_its_value(kept: Kept) -> None:
    (change,) = kept.edits(kept.run(data("2")), kept.run(data("3")))
    assert (change.old, change.new, change.words) == ("2", "3", "features.RATE 2 → 3")
    assert change.diff == ""


def test_data_whose_text_is_cut_short_changed(kept: Kept) -> None:
    was, now = ["features.RATE", "a", "data", -1, 0, 0, "{1, …"], [*data("b")[:6], "{1, …"]
    assert [change.words for change in kept.edits(kept.run(was), kept.run(now))] == [
        "features.RATE changed"
    ]


def test_a_whole_module_says_why_all_of_it_counts(kept: Kept) -> None:
    other = kept.run(module("b", 5), text=f"{TEXT}A = 1\n")
    (change,) = kept.edits(kept.run(module("a")), other)
    assert change.words.startswith("module changed: features (getattr(features, …) in train")
    assert "+A = 1" in change.diff


def test_what_only_one_of_them_reaches_is_told(kept: Kept) -> None:
    one, other = kept.run(function()), kept.run(function("features:shift"))
    assert [change.words for change in kept.edits(one, other)] == [
        "uses features.shift now", "does not use features.scale any more",
    ]  # fmt: skip


def test_without_diffs_no_file_is_read(kept: Kept) -> None:
    old, new = kept.run(function()), kept.run(function(digest="b"), text="other")
    (change,) = kept.edits(old, new, diffs=False)
    assert (change.diff, change.old, change.new) == ("", "a", "b")


def test_a_file_that_was_cleaned_is_a_change_without_a_diff(kept: Kept) -> None:
    old, new = kept.run(function()), kept.run(function(digest="b"), text="other")
    store = kept.values.store
    for folder in list(store.keys("objects/")):
        for entry in list(store.keys(folder.key)):
            if bytes(store.get(entry.key)) == TEXT.encode():
                store.delete(entry.key)
    (change,) = kept.edits(old, new)
    assert (change.diff, change.where) == ("", "features.py:3")


@pytest.mark.parametrize(
    "code", [b"", b"[]", b"{}", b'{"steps": 1, "units": 2, "files": 3}', b"\xff"]
)
def test_code_that_cannot_be_read_is_as_if_it_were_not_there(kept: Kept, code: bytes) -> None:
    foreign = replace(RUN, code=kept.values.keep(code).digest)
    assert kept.edits(foreign, kept.run(function())) == []
    assert kept.edits(kept.run(function()), foreign) == []


@pytest.mark.parametrize("code", ["", "0" * 64, "../../etc/passwd"])
def test_code_that_is_not_there_is_no_error(kept: Kept, code: str) -> None:
    assert kept.edits(replace(RUN, code=code), kept.run(function())) == []


def test_the_distance_is_the_number_of_things_that_differ(kept: Kept) -> None:
    one, other = kept.run(function(), data("2")), kept.run(function(digest="b"), module("a"))
    assert Codes(kept.values).distance(STEP, one, other) == 3


def test_what_a_value_names_is_found_with_all_that_is_in_it(kept: Kept) -> None:
    one = kept.run(function("m:Model.predict"), function("m:Models"), steps={})
    other = kept.run(function("m:Model.predict", "b"), function("m:Models", "b"), steps={})
    found = Codes(kept.values).edits_of(["m:Model"], one, other)
    assert [change.name for change in found] == ["m:Model.predict"]
