"""What the golden store was made by: a value of every format, and a run that fails.

Names, annotations and values in here stay as they are: a store in the hands of a user does.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from pydantic import BaseModel

from penstock import pipeline, step

PLAIN = {
    "tuple": (1, 2),
    "set": {3},
    "inf": float("-inf"),
    "bytes": b"\0\xff",
    "big": 2**70,
    4: None,
}
TEXT = "Grüße,\r\nand an end without a line\n" * 200
DATA = bytes(range(256)) * 20
PICKLED = {"slice": slice(1, None, 2), "range": range(9), "complex": 1 - 2j, "lists": [[]] * 2}


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    label: str | None = None


class Settings(BaseModel):
    rate: float
    layers: list[int]


def array() -> np.ndarray[Any, Any]:
    return np.arange(1200, dtype="<f8").reshape(30, 40) / 7


def frame() -> dict[str, list[Any]]:
    return {
        "city": ["Köln", None, "Rom"],
        "people": [1_084_831, 0, 2_748_109],
        "warm": [1.5, None, -2],
    }


failures: list[str] = []


@step
def plain() -> dict[Any, Any]:
    return PLAIN


@step
def text() -> str:
    return TEXT


@step
def data() -> bytes:
    return DATA


@step
def changeable() -> bytearray:
    return bytearray(b"changeable")


@step
def view() -> memoryview:
    return memoryview(b"view")


@step
def numbers() -> np.ndarray[Any, Any]:
    return array()


@step
def number() -> np.float32:
    return np.float32(0.1)


@step
def table() -> pa.Table:
    return pa.table(frame())


@step
def pandas_frame() -> pd.DataFrame:
    return pd.DataFrame(frame())


@step
def pandas_series() -> pd.Series[Any]:
    return pd.Series([1, 2, 3], name="count")


@step
def polars_frame() -> pl.DataFrame:
    return pl.DataFrame(frame())


@step
def polars_series() -> pl.Series:
    return pl.Series("count", [1, None, 3])


@step
def point() -> Point:
    return Point(1.5, -2.0)


@step
def settings() -> Settings:
    return Settings(rate=0.1, layers=[3, 2])


@step
def pickled() -> object:
    return PICKLED


@step
def file() -> Path:
    made = Path(mkdtemp()) / "report.txt"
    made.write_text("a report\n")
    return made


@step
def tree() -> Path:
    made = Path(mkdtemp()) / "model"
    (made / "weights" / "empty").mkdir(parents=True)
    (made / "weights" / "first.bin").write_bytes(DATA)
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "newest").symlink_to("weights/first.bin")
    return made


@step(retries=1)
def second_try(rows: np.ndarray[Any, Any], factor: float) -> float:
    print("printed by the step")
    logging.getLogger("golden").warning("logged by the step")
    if not failures:
        failures.append("once")
        raise ConnectionError("the first try always fails")
    return float(rows.sum() * factor)


@step
def total(rows: np.ndarray[Any, Any]) -> float:
    return float(rows.sum())


@pipeline(progress=False)
def everything(factor: float, given: Any) -> Any:
    files = {"file": file(), "tree": tree()}
    frames = [table(), pandas_frame(), pandas_series(), polars_frame(), polars_series()]
    small = (plain(), changeable(), view(), number(), point(), settings(), pickled())
    return files, frames, small, text(), data(), second_try(numbers(), factor), total(given)


@step
def broken(factor: float) -> float:
    raise ValueError(f"no {factor} here")


@step
def after(factor: float) -> float:
    return factor


@pipeline(progress=False)
def failing(factor: float) -> float:
    return after(broken(factor))
