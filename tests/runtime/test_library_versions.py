import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from penstock import step
from penstock.runtime.fingerprints.fingerprints import Fingerprints


@step
def parsed(text: str) -> str:
    from dateutil.parser import parse  # of the distribution python-dateutil

    return str(parse(text))


def test_the_version_of_a_library_does_not_depend_on_whether_it_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "steps.py").write_text(
        "from penstock import step\n\n@step\ndef parsed(text: str) -> str:\n"
        "    from dateutil.parser import parse\n    return str(parse(text))\n"
    )
    code = (
        "import sys; sys.path.insert(0, '.'); {}; from steps import parsed\n"
        "from penstock.runtime.fingerprints.fingerprints import Fingerprints\n"
        "print(dict(Fingerprints().of_step(parsed).packages), 'dateutil' in sys.modules)"
    )
    before, after = (
        subprocess.run(
            [sys.executable, "-c", code.format(first)], capture_output=True, text=True, check=True
        ).stdout.split("} ")
        for first in ("pass", "import dateutil")
    )
    assert before[0] == after[0]
    assert [before[1].strip(), after[1].strip()] == ["False", "True"]


def test_a_library_whose_distribution_has_another_name_is_found() -> None:
    known = f"python_dateutil-{version('python-dateutil')}"
    assert Fingerprints().of_step(parsed).packages["dateutil"] == known
