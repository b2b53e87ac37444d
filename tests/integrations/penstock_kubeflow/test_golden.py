"""Golden files: what is compiled is, to the letter, what it was when somebody last looked at it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "golden"
sys.path += [str(HERE)]

from anew import GOLDEN  # noqa: E402


@pytest.mark.parametrize("name", GOLDEN)
def test_it_is_what_it_was(name: str) -> None:
    assert GOLDEN[name]() == (HERE / f"{name}.yaml").read_text(), (
        "If that is meant: python tests/integrations/penstock_kubeflow/golden/anew.py"
    )


def test_each_file_is_of_one_of_them() -> None:
    assert {file.stem for file in HERE.glob("*.yaml")} == set(GOLDEN)
