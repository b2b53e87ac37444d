"""Files by reference in whole runs."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Client,
    File,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    Step,
    SubprocessStepOperator,
    pipeline,
    step,
)  # fmt: skip
from penstock.errors import BadConfiguration, FileChanged, TypeMismatch, UnsupportedValue


@pytest.fixture(autouse=True)
def rows() -> Path:
    path = Path("rows.csv")
    path.write_text("1,2\n")
    return path


def content(file: File) -> str:
    with file.open("r") as opened:
        return opened.read()


@step
def read(data: File) -> str:
    return content(data)


@step
def read_default(data: File = File(__file__)) -> int:  # noqa: B008 # it cannot be changed
    return len(content(data))


@step
def read_all(files: list[File], named: dict[str, Any]) -> list[str]:
    return [content(file) for file in (*files, named["one"])]


@step
def write(text: str) -> File:
    Path("made.txt").write_text(text)
    return File("made.txt")


@step
def split(text: str) -> list[File]:
    for letter in text:
        Path(f"{letter}.txt").write_text(letter)
    return [File(f"{letter}.txt") for letter in text]


@pipeline
def reading(data: File) -> str:
    return read(data)


@pipeline
def writing(text: str) -> str:
    return read(write(text))


def statuses(run: Run[Any]) -> list[Status]:
    return [view.status for view in run]


def test_a_step_gets_a_file_that_was_never_copied(rows: Path) -> None:
    os.truncate(rows, 10 << 20)
    run = reading.run(File(rows))

    assert len(run.result()) == 10 << 20
    stored = [path.stat().st_size for path in Path(".penstock/objects").rglob("*")]
    assert run["read"].output.artifact.size == 10 << 20
    assert sorted(stored)[-2] < 100_000  # only what the step returned is as large


def test_an_unchanged_file_is_a_hit_and_so_is_a_touched_one(rows: Path) -> None:
    reading.run(File(rows))
    assert statuses(reading.run(File("./rows.csv"))) == [Status.CACHED]

    os.utime(rows, (0, 0))
    assert statuses(reading.run(File(rows))) == [Status.CACHED]


def test_a_changed_file_is_a_miss(rows: Path) -> None:
    reading.run(File(rows))
    rows.write_text("3,4\n")

    run = reading.run(File(rows))

    assert (statuses(run), run.result()) == ([Status.COMPLETED], "3,4\n")


def test_a_file_of_the_same_content_elsewhere_is_another_one(rows: Path) -> None:
    reading.run(File(rows))
    Path("copy.csv").write_text("1,2\n")

    assert statuses(reading.run(File("copy.csv"))) == [Status.COMPLETED]


def test_files_are_defaults_and_items_and_lie_in_collections(rows: Path) -> None:
    @pipeline
    def several() -> tuple[int, list[str], list[str]]:
        one = File(rows)
        return read_default(), read.map([one, File("rows.csv")]), read_all([one], {"one": one})

    run = several.run()

    assert run.result()[1:] == (["1,2\n"] * 2, ["1,2\n"] * 2)
    assert {view.status for view in several.run()} == {Status.CACHED}
    rows.write_text("3,4\n")
    assert several.run().result()[1:] == (["3,4\n"] * 2, ["3,4\n"] * 2)


GLOBAL = File(__file__)


def read_further() -> str:
    return content(GLOBAL) if os.path.exists(GLOBAL) else "nothing"


@step
def read_global() -> str:
    return content(GLOBAL) if os.path.exists(GLOBAL) else "nothing"


@step
def read_global_further() -> str:
    return read_further()


@pytest.mark.parametrize("reader", [read_global, read_global_further])
def test_a_file_that_is_a_global_counts_by_what_it_leads_to(
    rows: Path, reader: Step[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "GLOBAL", File(rows))

    @pipeline
    def reading_it() -> str:
        return reader()

    assert reading_it.run().result() == "1,2\n"
    assert statuses(reading_it.run()) == [Status.CACHED]
    rows.write_text("3,4\n")
    assert reading_it.run().result() == "3,4\n"
    assert statuses(reading_it.run()) == [Status.CACHED]

    rows.unlink()
    assert reading_it.run().result() == "nothing"
    assert statuses(reading_it.run()) == [Status.COMPLETED]  # for it could not be looked at


def test_a_file_in_a_closure_counts_by_what_it_leads_to(rows: Path) -> None:
    file = File(rows)

    @step
    def read_it() -> str:
        return content(file)

    @pipeline
    def reading_it() -> str:
        return read_it()

    assert reading_it.run().result() == "1,2\n"
    assert statuses(reading_it.run()) == [Status.CACHED]
    rows.write_text("3,4\n")
    assert reading_it.run().result() == "3,4\n"


def test_what_a_step_writes_is_passed_on() -> None:
    run = writing.run("hello")

    assert run.result() == "hello"
    assert run["write"].output.load() == File("made.txt")
    assert statuses(writing.run("hello")) == [Status.CACHED, Status.CACHED]


def test_a_list_of_files_is_an_output() -> None:
    @pipeline
    def splitting() -> list[str]:
        return read_all(split("ab"), {"one": File("rows.csv")})

    assert splitting.run().result() == ["a", "b", "1,2\n"]
    Path("b.txt").write_text("c")
    run = splitting.run()
    assert [run["split"].status, run.result()] == [Status.COMPLETED, ["a", "b", "1,2\n"]]


def removed(path: Path) -> None:
    path.unlink()


def rewritten(path: Path) -> None:
    path.write_text("other")


@pytest.mark.parametrize(
    ("change", "said"), [(removed, "nothing"), (rewritten, "a file of 5 bytes")]
)
def test_an_output_that_is_another_by_now_is_made_anew(
    change: Callable[[Path], None], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    writing.run("hello")
    change(Path("made.txt"))
    capsys.readouterr()

    run = writing.run("hello")

    assert statuses(run) == [Status.COMPLETED, Status.CACHED]
    assert re.search(
        rf"write +\S+ s  output 'output' has changed: {Path.cwd()}/made.txt was a file of "
        rf"5 bytes \(digest \w+\), and now there is {said}",
        capsys.readouterr().err,
    )
    assert statuses(writing.run("hello")) == [Status.CACHED, Status.CACHED]


def test_whoever_gets_a_file_that_is_another_by_now_is_told(rows: Path) -> None:
    first = writing.run("hello")
    Path("made.txt").write_text("other")

    with pytest.raises(RunFailed) as caught:
        reading.with_options(cache=False).run(first["write"].output)

    error = caught.value.__cause__
    assert isinstance(error, FileChanged)
    assert error.message.startswith(
        f"Output 'output' of step write in run {first.id} (an input of step read): "
        f"File('{Path.cwd()}/made.txt') is not what was recorded, a file of 5 bytes (digest "
    )
    with pytest.raises(FileChanged, match=r"^Output 'output' of step write in run"):
        first["write"].output.load()


def test_a_missing_file_is_told_before_anything_runs() -> None:
    line = inspect.getsourcelines(reading.function)[1] + 2
    with pytest.raises(UnsupportedValue) as caught:
        reading.run(File("row.csv"))

    assert str(caught.value) == (
        f"The value of parameter 'data' of step read ({__file__}:{line}): "
        f"File('{Path.cwd()}/row.csv') leads to no file: there is nothing.\n"
        "Did you mean 'rows.csv'?"
    )


def test_text_is_no_file(rows: Path) -> None:
    with pytest.raises(TypeMismatch):
        reading.run(str(rows))  # type: ignore[arg-type]


@dataclass
class Model:
    weights: list[float]
    data: File


@step
def train(data: File) -> object:
    return Model([1.0], data)


def test_a_file_in_an_object_is_refused_by_its_place(rows: Path) -> None:
    @pipeline
    def training() -> object:
        return train(File(rows))

    with pytest.raises(RunFailed) as caught:
        training.run()

    assert "Model.data" in str(caught.value.__cause__)


@step
def read_slowly(data: File) -> str:
    before = content(data)
    Path(data).write_text("5,6\n")
    return before


def test_a_result_whose_input_changed_meanwhile_is_not_reused(
    rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    @pipeline
    def slow() -> str:
        return read_slowly(File(rows))

    assert slow.run().result() == "1,2\n"
    assert "read_slowly is not kept in the cache, an input has changed" in capsys.readouterr().err

    rows.write_text("1,2\n")
    assert statuses(slow.run()) == [Status.COMPLETED]


def test_a_file_is_seen_where_it_leads_and_not_exported() -> None:
    output = writing.run("hello")["write"].output

    assert output.preview() == f"→ {Path.cwd()}/made.txt  5 bytes"
    with pytest.raises(UnsupportedValue, match="is a reference, and what it leads to is not in"):
        output.export("elsewhere")
    assert not Path("elsewhere").exists()


def test_files_in_a_list_are_seen_where_they_lead() -> None:
    @pipeline
    def splitting() -> list[File]:
        return split("ab")

    preview = splitting.run()["split"].output.preview()

    assert preview == f"→ {Path.cwd()}/a.txt  1 bytes\n→ {Path.cwd()}/b.txt  1 bytes"


def test_a_file_is_given_on_the_command_line(
    rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        reading.cli(["--data", "rows.csv", "--json"])

    assert caught.value.code == 0
    assert Client().run("last").result() == "1,2\n"


def test_a_file_is_given_in_a_file_of_parameters(rows: Path) -> None:
    Path("run.yaml").write_text("parameters: {data: rows.csv}")
    assert reading.with_options(config="run.yaml").run().result() == "1,2\n"

    Path("run.yaml").write_text("parameters: {data: 'zip://x'}")
    with pytest.raises(BadConfiguration, match=r"run.yaml:1:20: .* must be a File"):
        reading.with_options(config="run.yaml").run()


@step(step_operator="apart")
def read_apart(data: File) -> str:
    return content(data)


def test_a_file_is_read_in_another_process(rows: Path) -> None:
    @pipeline
    def apart() -> str:
        return read_apart(File(rows))

    stack = Stack(
        "apart", orchestrator=LocalOrchestrator(name="here"),
        artifact_store=LocalArtifactStore(name="there", path="store"),
        step_operators=[SubprocessStepOperator(name="apart")],
    )  # fmt: skip
    assert apart.on(stack).run().result() == "1,2\n"
