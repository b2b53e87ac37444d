"""Every suite finds what it is for: flavors with a defect fail in the test that names it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("file", "sound"),
    [
        ("planted_orchestrators.py", "InTurn"),
        ("planted_operators.py", "Child"),
        ("planted_materializers.py", "Plain"),
    ],
)
def test_the_suite_finds_every_planted_defect(file: str, sound: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    text = (HERE / file).read_text("utf-8")
    defects = re.findall(r'class (\w+)\(\w+\):\n    caught_by: ClassVar = "(.*)"', text)
    good = [(sound, test) for _, test in defects]
    tests = dict.fromkeys(f"{HERE / file}::Test{kind}::{test}" for kind, test in defects + good)
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", os.devnull]
    places = ["--rootdir", str(tmp_path), "--junitxml", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *places, *tests],
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {
        (case.attrib["classname"].rpartition(".Test")[2], case.attrib["name"]): bool(len(case))
        for case in ElementTree.parse(report).iter("testcase")
    }

    assert failed == {**dict.fromkeys(defects, True), **dict.fromkeys(good, False)}, done.stdout
    assert len(defects) > 5
