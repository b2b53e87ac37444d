"""Edits of what is installed, of code from elsewhere, and of what is not written in Python."""

import shutil
import zipfile
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from edit import Change, Edit, added, edit, replaced

PART = "shop.installed"
STEPS = """\
from penstock import step
from shop import more


@step
def directly() -> str:
    return more.ratelib.NAME


@step
def by_a_helper() -> str:
    return more.named()


@step
def while_running() -> str:
    from ratelib.rates import RATES

    return str(RATES)


@step
def without() -> int:
    return 1
"""
HELPER = """\
import ratelib


def named() -> str:
    return ratelib.NAME + "!"
"""
METADATA = "site-packages/ratelib-1.0.dist-info/METADATA"
INSTALLED: Sequence[Change] = (
    added("site-packages/ratelib/__init__.py", 'NAME = "one"\n'),
    added("site-packages/ratelib/rates.py", "RATES = [1]\n"),
    added(METADATA, "Metadata-Version: 2.1\nName: ratelib\nVersion: 1.0\n"),
    added(
        "site-packages/ratelib-1.0.dist-info/RECORD", "ratelib/__init__.py,,\nratelib/rates.py,,\n"
    ),
    added("shop/more.py", HELPER),
    added("shop/installed.py", STEPS),
    replaced(
        "main.py", "import json\n", 'import json\nimport sys\n\nsys.path.append("site-packages")\n'
    ),
)
USING = ("directly", "by_a_helper", "while_running")

ELSEWHERE: Sequence[Change] = (
    added(
        "libs/tools.py",
        "def tool() -> int:\n    return deeper()\n\n\ndef deeper() -> int:\n    return 1\n",
    ),
    added(
        "shop/outside.py",
        "from penstock import step\nfrom tools import tool\n\n\n"
        "@step\ndef uses() -> int:\n    return tool()\n",
    ),
    replaced("main.py", "import json\n", 'import json\nimport sys\n\nsys.path.append("libs")\n'),
)


def zipped(folder: Path) -> None:
    """Put the modules of `libs` into a file that Python imports them from."""
    with zipfile.ZipFile(folder / "libs.zip", "w") as file:
        file.write(folder / "libs/tools.py", "tools.py")
    shutil.rmtree(folder / "libs")


def unzipped(folder: Path) -> None:
    with zipfile.ZipFile(folder / "libs.zip") as file:
        file.extractall(folder / "libs")


SPEEDUPS = f"shop/_speedups{EXTENSION_SUFFIXES[0]}"


def extended(folder: Path) -> None:
    """Give the project a module of C: one of MarkupSafe's, which has it from its own folder."""
    found = find_spec("markupsafe._speedups")
    assert found is not None
    assert found.origin is not None
    shutil.copy(found.origin, folder / SPEEDUPS)


COMPILED: Sequence[Change] = (
    extended,
    added(
        "shop/escaping.py",
        "from penstock import step\nfrom shop import _speedups\n\n\n"
        "@step\ndef escapes() -> bool:\n    return callable(vars(_speedups)['_escape_inner'])\n",
    ),
)


def longer(folder: Path) -> None:
    """A byte that nobody reads."""
    with (folder / SPEEDUPS).open("ab") as file:
        file.write(b"\0")


def array(old: str, new: str, *runs: str, same: bool = False) -> Edit:
    return edit("shop.arrays", "shop/arrays.py", old, new, *runs, same=same)


ZIPPED = replaced("main.py", 'append("libs")', 'append("libs.zip")')

EDITS = {
    "nothing, where a library is installed": Edit(PART, [], before=INSTALLED),
    "the version of a library": Edit(
        PART, [replaced(METADATA, "1.0", "2.0")], frozenset(USING), same=True, before=INSTALLED
    ),
    "a library and its version": Edit(
        PART,
        [
            replaced(METADATA, "1.0", "2.0"),
            replaced("site-packages/ratelib/__init__.py", "one", "two"),
        ],
        frozenset(USING),
        before=INSTALLED,
    ),
    "nothing, where the code lies elsewhere": Edit("shop.outside", [], before=ELSEWHERE),
    "a helper of a module that lies elsewhere": Edit(
        "shop.outside",
        [replaced("libs/tools.py", "return 1", "return 2")],
        frozenset({"uses"}),
        before=ELSEWHERE,
    ),
    "nothing, where the code is zipped": Edit(
        "shop.outside", [], before=(*ELSEWHERE, zipped, ZIPPED)
    ),
    "a helper in a zipped module": Edit(
        "shop.outside",
        [unzipped, replaced("libs/tools.py", "return 1", "return 2"), zipped],
        frozenset({"uses"}),
        before=(*ELSEWHERE, zipped, ZIPPED),
    ),
    "nothing, where a module is of C": Edit("shop.escaping", [], before=COMPILED),
    "a module of C": Edit(
        "shop.escaping", [longer], frozenset({"escapes"}), same=True, before=COMPILED
    ),
    "nothing, where numpy is used": Edit("shop.arrays", []),
    "a number of an array": array("[1.0, 2.0]", "[1.0, 3.0]", "weighs", "sizes"),
    "the type of an array": array("[1.0, 2.0]", "[1.0, 2.0], dtype=np.float32", "weighs", "sizes"),
    "the shape of an array in a table": array("reshape(2, 3)", "reshape(3, 2)", "shapes"),
    "a number becomes one of numpy's": array("tells(1.0)", "tells(np.float64(1.0))", "tells"),
    "a number of numpy's becomes one of Python's": array(
        "SCALE = np.float64(2.0)", "SCALE = 2.0", "scales"
    ),
    "a number of numpy's": array("np.float64(2.0)", "np.float64(3.0)", "scales"),
}
