"""Files and folders: a manifest, and one object per file."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from penstock.artifacts.formats import manifest, tree
from penstock.artifacts.materializer import Composite, NotThisFormat, Objects
from penstock.artifacts.store import Buffer
from penstock.errors import PenstockError, StoreUnavailable, UnsupportedValue


class PathFormat(Composite[Path]):
    """A `pathlib.Path` of a file or a folder. What comes back is a copy, under the same name.

    Of a file's mode, only whether it can be executed is kept. Links inside a folder are kept if
    they cannot lead out of it.
    """

    format: ClassVar[str] = "path/1"
    suffix: ClassVar[str] = ".json"

    def names(self) -> Iterable[object]:
        return ()

    def dump(self, value: Path, objects: Objects) -> Sequence[Buffer]:
        if type(value) is not type(Path()):
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a Path")
        try:
            found = _found(value, objects)
        except PenstockError:  # some of them, the store's, are OSErrors too
            raise
        except FileNotFoundError as error:
            raise UnsupportedValue(
                f"The path {str(value)!r} leads to no file or folder: {error.filename!r} is not "
                "there.",
                hint="Write the file before the step returns, or return str(path) to pass on "
                "only the name.",
            ) from error
        except OSError as error:
            raise UnsupportedValue(f"The path {str(value)!r} cannot be read: {error}") from error
        return [manifest.written(found)]

    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> Path:
        found = manifest.read(self.format, data)
        here = folder()
        root: Path = here / found["name"]
        try:
            if found["kind"] == "tree":
                root.mkdir(exist_ok=True)
            tree.give(found, str(root if found["kind"] == "tree" else here), objects)
        except PenstockError:
            raise
        except (OSError, ValueError) as error:
            raise StoreUnavailable(f"{root} cannot be written: {error}") from error
        return root


def _found(path: Path, objects: Objects) -> dict[str, Any]:
    """Stores what is there, and says what it is."""
    mode = path.stat().st_mode
    name = path.name or path.resolve().name
    tree.check_name(name, str(path))
    if stat.S_ISDIR(mode):
        return {"name": name, **tree.Tree(os.fspath(path), objects).manifest()}
    if not stat.S_ISREG(mode):
        tree.refuse(str(path))
    return {"name": name, "kind": "file", "files": [tree.stored(str(path), name, objects)]}


def refuse_paths_inside(value: Any) -> None:
    """Raise `UnsupportedValue` for a path in a collection.

    A path alone stands for what is in the file. In a collection it would be stored by its name,
    and who reads it would not run again when the file is another.
    """
    if isinstance(value, Path):
        raise UnsupportedValue(
            f"The path {str(value)!r} lies in a collection, where only its name would be stored.",
            hint="Return the folder that the files are in, or one output for each path; or write "
            "str(path) where the name is meant.",
        )
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            refuse_paths_inside(item)
