"""Ways to keep a value and to get it back: those of others, and what they have in common.

A way is made for one value and one empty folder. Its phases are what the clock is held to, one
after the other.
"""

from __future__ import annotations

import pickle
import shutil
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar


class Way(ABC):
    """One way to keep one value."""

    name: ClassVar[str]
    phases: ClassVar[tuple[str, ...]] = ("write", "read")
    """Names of methods."""

    def __init__(self, value: Any, place: Path) -> None:
        self.value = value
        self.place = place

    @abstractmethod
    def write(self) -> None:
        """Keep the value."""

    @abstractmethod
    def read(self) -> Any:
        """The value, from what is kept."""


class Pickle5(Way):
    """What Python brings."""

    name = "pickle 5"

    def write(self) -> None:
        with (self.place / "value.pickle").open("wb") as file:
            pickle.dump(self.value, file, protocol=5)

    def read(self) -> Any:
        with (self.place / "value.pickle").open("rb") as file:
            return pickle.load(file)


class Joblib(Way):
    """What comes with scikit-learn."""

    name = "joblib"

    def write(self) -> None:
        import joblib

        joblib.dump(self.value, self.place / "value.joblib")

    def read(self) -> Any:
        import joblib

        return joblib.load(self.place / "value.joblib")


class Npy(Way):
    """The raw operation: an array into a file, and the file as private memory."""

    name = "np.save, mapped"
    phases = ("write", "read", "whole")

    def write(self) -> None:
        import numpy as np

        np.save(self.place / "value.npy", self.value)

    def read(self) -> Any:
        import numpy as np

        return np.load(self.place / "value.npy", mmap_mode="c")

    def whole(self) -> Any:
        """Every byte is read."""
        import numpy as np

        return np.load(self.place / "value.npy")


class Npz(Way):
    """Several arrays in one file."""

    name = "np.savez"

    def write(self) -> None:
        import numpy as np

        np.savez(self.place / "value.npz", **self.value)

    def read(self) -> Any:
        import numpy as np

        with np.load(self.place / "value.npz") as found:
            return dict(found)


class Feather(Way):
    """Arrow's file format, not compressed."""

    name = "feather"

    def write(self) -> None:
        self.value.to_feather(self.place / "value.arrow", compression="uncompressed")

    def read(self) -> Any:
        import pandas as pd

        return pd.read_feather(self.place / "value.arrow")


class OneByOne(Way):
    """Each of several small values in a file of its own."""

    name = "pickle 5, a file each"

    def write(self) -> None:
        for number, value in enumerate(self.value):
            with (self.place / f"{number}").open("wb") as file:
                pickle.dump(value, file, protocol=5)

    def read(self) -> Any:
        found = []
        for number in range(len(self.value)):
            with (self.place / f"{number}").open("rb") as file:
                found.append(pickle.load(file))
        return found


class Copy(Way):
    """One copy of a folder, which is kept and given at once."""

    name = "cp -r"

    def write(self) -> None:
        subprocess.run(["cp", "-r", self.value, self.place / "copy"], check=True)

    def read(self) -> Path:
        return self.place / "copy"


class CopyTree(Copy):
    """The same in Python."""

    name = "shutil.copytree"

    def write(self) -> None:
        shutil.copytree(self.value, self.place / "copy")
