"""Projects of a few files, imported afresh, and what their step's code is known by."""

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.runtime.fingerprints.unit import Fingerprint

Files = Mapping[str, str]


class Projects:
    """Writes files, imports `steps` of them, and looks at its `work`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0
        self._names: set[str] = set()

    def loaded(self, files: Files) -> Any:
        """The module `steps` of a project with these files."""
        self.forget()
        self._number += 1
        root = self._folder / str(self._number)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(textwrap.dedent(text))
        self._names = {Path(name).parts[0].removesuffix(".py") for name in files}
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        return importlib.import_module("steps")

    def of(self, files: Files) -> Fingerprint:
        """The fingerprint of its `work`."""
        return Fingerprints().of_step(self.loaded(files).work)

    def forget(self) -> None:
        for name in [*sys.modules]:
            if name.partition(".")[0] in self._names:
                del sys.modules[name]
        sys.path[:] = [entry for entry in sys.path if not entry.startswith(str(self._folder))]


@pytest.fixture
def projects(tmp_path: Path) -> Iterator[Projects]:
    made = Projects(tmp_path)
    yield made
    made.forget()


Same = Callable[[Files, str, str, str], bool]


@pytest.fixture
def same(projects: Projects) -> Same:
    """Whether an edit of one of the files leaves the fingerprint as it was."""

    def compared(files: Files, name: str, old: str, new: str) -> bool:
        assert old in files[name]
        edited = {**files, name: files[name].replace(old, new)}
        return projects.of(files).digest == projects.of(edited).digest

    return compared
