"""`penstock run show --html`."""

from pathlib import Path
from typing import Any

from penstock.errors import PenstockError


def test_a_report_is_written_and_its_path_printed(penstock: Any, trained: Any) -> None:
    said = penstock("run", "show", "last", "--html", "report.html")
    assert (said.code, said.out, said.err) == (0, "report.html\n", "")
    assert trained.id in Path("report.html").read_text("utf-8")


def test_as_json_the_path_is_whole(penstock: Any, trained: Any, project: Path) -> None:
    said = penstock("run", "show", "last", "--html", "report.html", "--json")
    assert said.data == {"path": str(project / "report.html")}


def test_a_folder_that_is_not_there_is_one_clear_error(penstock: Any, trained: Any) -> None:
    said = penstock("run", "show", "last", "--html", "out/report.html")
    assert (said.code, said.out) == (PenstockError.exit_code, "")
    assert said.err == (
        "Error: The report out/report.html cannot be written: No such file or directory.\n"
        "Type: mkdir -p out\n"
    )
