"""Frames and series as the first version wrote them, by pyarrow's and pandas' own means.

They are read for ever, and written no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.data import reading
from penstock.artifacts.formats.frames.batch import KEY
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact
from penstock.model.plain import decode

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class FirstFrame(Materializer["pd.DataFrame"]):
    """A `pandas.DataFrame`. What comes back owns its memory, except for immutable strings."""

    format: ClassVar[str] = "pandas-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.DataFrame) -> Sequence[Buffer]:
        raise NotThisFormat("there is a newer one")

    def load(self, data: Buffer) -> pd.DataFrame:
        frame, _ = _loaded(data, self.format, self.trusted)
        return frame


class FirstSeries(Materializer["pd.Series[Any]"]):
    """A `pandas.Series`: a frame of one column."""

    format: ClassVar[str] = "pandas-series-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.Series[Any]) -> Sequence[Buffer]:
        raise NotThisFormat("there is a newer one")

    def load(self, data: Buffer) -> pd.Series[Any]:
        frame, notes = _loaded(data, self.format, self.trusted)
        if list(frame.columns) != ["values"]:
            raise CorruptArtifact(f"The bytes are not a value of format {self.format!r}.")
        series: pd.Series[Any] = frame["values"]
        series.name = notes.get("name")
        return series


def _loaded(data: Buffer, format: str, trusted: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    table = arrow.loaded(data, format, trusted)
    with reading(format):
        return _restored(table)


def _restored(table: pa.Table) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The frame, and the notes. Where pandas would use Arrow's read-only memory it is copied."""
    import numpy as np  # optional: pandas brings it
    import pandas as pd  # optional: the registry has made sure of it

    notes: dict[str, Any] = decode(table.schema.metadata[KEY])
    frame = table.to_pandas()
    for position, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, pd.CategoricalDtype):
            frame.isetitem(position, frame.iloc[:, position].copy())
    for position in notes["objects"]:
        objects: np.ndarray[Any, Any] = table.column(position).to_numpy(zero_copy_only=False)
        column = pd.Series(objects.astype(object), index=frame.index, dtype=object)
        frame.isetitem(position, column)
    for position, name in notes["zones"]:
        zone = UTC if name == "utc" else ZoneInfo(name)
        if position < frame.shape[1]:
            frame.isetitem(position, frame.iloc[:, position].dt.tz_convert(zone))
        else:
            frame.index = frame.index.tz_convert(zone)
    if "columns" in notes:
        start, stop, step, name = notes["columns"]
        frame.columns = pd.RangeIndex(start, stop, step, name=name)
    if "freq" in notes:
        frame.index.freq = notes["freq"]
    return frame, notes
