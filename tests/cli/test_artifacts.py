"""`penstock artifact`: naming, seeing and exporting what steps left."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from penstock import Client, pipeline, step


@step
def array() -> np.ndarray:
    return np.arange(6.0).reshape(2, 3)


@step
def table() -> pd.DataFrame:
    return pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})


@step
def text() -> str:
    return "word " * 1000


@step
def folder() -> Path:
    Path("plots").mkdir()
    Path("plots/one.txt").write_text("1")
    return Path("plots").absolute()


@pipeline(progress=False)
def everything() -> None:
    array()
    table()
    text()
    folder()


@pytest.fixture
def results(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A run with a value of each format, and an empty working directory."""
    run = everything.run()
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    return run


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("array", "shape 2 × 3, dtype float64"),
        ("table", "2 rows, 2 columns\n  a: int64\n  b: string"),
        ("text", f"{'word ' * 400}…"),
        ("folder", "plots/\n  one.txt  1 bytes"),
    ],
)
def test_what_can_be_seen_without_loading_is_shown(
    name: str, seen: str, penstock: Any, results: Any
) -> None:
    shown = penstock("artifact", "show", f"last/{name}", "--json").data["preview"]
    assert shown.replace("large_string", "string") == seen


def test_a_pickle_is_never_opened(penstock: Any, pickled: Any) -> None:
    said = penstock("artifact", "show", "last/strange", "--json")
    assert (said.data["format"], said.data["preview"]) == ("pickle/1", None)


def test_a_file_is_exported_as_that_file(penstock: Any, trained: Any) -> None:
    Path("rows.txt").unlink()
    said = penstock("artifact", "export", "last/report/output", "copy/here.txt")
    assert (said.code, said.out, said.err) == (0, "copy/here.txt\n", "")
    assert Path("copy/here.txt").read_text() == "1\n2"


def test_a_folder_is_exported_as_that_folder(penstock: Any, results: Any) -> None:
    assert penstock("artifact", "export", "last/folder", "mine").code == 0
    assert Path("mine/one.txt").read_text() == "1"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("array", "array.npy"),
        ("table", "table.arrow"),
        ("text", "text.txt"),
        ("folder", "plots"),
    ],
)
def test_without_a_path_an_artifact_gets_its_own_name_here(
    name: str, file: str, penstock: Any, results: Any
) -> None:
    assert penstock("artifact", "export", f"last/{name}").out == f"{file}\n"
    assert [path.name for path in Path().iterdir()] == [file]


def test_one_output_of_several_is_exported_under_its_name(penstock: Any, trained: Any) -> None:
    assert penstock("artifact", "export", "last/split/test").out == "test.json\n"


def test_a_path_with_a_slash_at_its_end_is_a_folder(penstock: Any, results: Any) -> None:
    assert penstock("artifact", "export", "last/array", "new/").out == "new/array.npy\n"
    assert np.load("new/array.npy").sum() == 15


def test_an_unusual_ending_is_remarked(penstock: Any, results: Any) -> None:
    said = penstock("artifact", "export", "last/array", "rows")
    assert said.err == "The bytes are npy/1: files like that usually end in .npy\n"


@pytest.mark.parametrize("name", ["array", "folder"])
def test_nothing_is_overwritten(name: str, penstock: Any, results: Any) -> None:
    Path("mine").write_text("precious")
    said = penstock("artifact", "export", f"last/{name}", "mine")
    assert (said.code, said.err) == (
        1, "Error: mine exists, and is not overwritten.\nChoose another name.\n",
    )  # fmt: skip
    assert Path("mine").read_text() == "precious"


def test_an_export_that_fails_leaves_nothing(penstock: Any, results: Any, project: Path) -> None:
    (data,) = (path for path in (project / ".penstock/objects").rglob("*") if path.is_file()
               and path.read_bytes() == b"1")  # fmt: skip
    data.write_bytes(b"2")
    assert penstock("artifact", "export", "last/folder", "mine").code == 5
    assert list(Path().iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_error(penstock: Any, results: Any) -> None:
    Path("file").touch()
    said = penstock("artifact", "export", "last/array", "file/inside")
    assert said.code == 1
    assert said.err.startswith("Error: file/inside cannot be written: ")


def test_a_run_alone_is_answered_with_its_artifacts(penstock: Any, failed: Any) -> None:
    said = penstock("artifact", "show", "last")
    assert said.code == 4
    assert said.err == "Error: 'last' names no step. Artifacts: 'last/load/output'.\n"


def test_a_step_of_several_outputs_is_answered_with_them(penstock: Any, trained: Any) -> None:
    assert penstock("artifact", "show", "last/split").err == (
        "Error: Step split has several outputs: 'last/split/train', 'last/split/test'.\n"
    )


def test_an_unknown_output_is_answered_with_the_known(penstock: Any, trained: Any) -> None:
    assert penstock("artifact", "show", "last/split/tset").err == (
        f"Error: Step split of run {trained.id} has no output 'tset', but 'train', 'test'.\n"
        "Did you mean 'test'?\n"
    )


def test_a_mapped_step_is_answered_with_its_items(penstock: Any, trained: Any) -> None:
    assert penstock("artifact", "show", "last/square").err == (
        "Error: 'square' is several steps: 'square.0', 'square.1'.\nFor example: last/square.0\n"
    )


def test_a_step_that_failed_has_no_output(penstock: Any, failed: Any) -> None:
    said = penstock("artifact", "show", "last/broken")
    assert said.code == 4
    assert "has no output: it is failed" in said.err


def test_a_list_of_one_mapped_step_has_all_its_items(penstock: Any, trained: Any) -> None:
    found = penstock("artifact", "list", "--step", "square", "--json").data
    assert [each["step"] for each in found] == ["square.0", "square.1"]


def test_a_list_of_nothing_says_so(penstock: Any, trained: Any) -> None:
    said = penstock("artifact", "list", "--step", "nope")
    assert (said.out, said.err) == ("", "No such artifacts.\n")


def test_the_list_has_no_more_than_asked_for(penstock: Any, trained: Any) -> None:
    assert len(penstock("artifact", "list", "--limit", "2", "--json").data) == 2


def test_export_in_python_is_never_over_something(trained: Any) -> None:
    artifact = Client().run("last")["load"].output
    assert artifact.export("x.json").read_text() == "[0,1,2]"
    with pytest.raises(FileExistsError):
        artifact.export("x.json")
