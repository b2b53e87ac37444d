"""polars frames and series as Arrow IPC files.

Written and read by pyarrow, not by polars: polars copies on the way, and ends the process on some
malformed files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.data import reading
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact

if TYPE_CHECKING:
    import polars as pl


class PolarsFrame(Materializer["pl.DataFrame"]):
    """A `polars.DataFrame` whose schema Arrow knows."""

    format: ClassVar[str] = "polars-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pl.DataFrame) -> Sequence[Buffer]:
        import polars as pl  # optional: here because the value is polars'

        if type(value) is not pl.DataFrame:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a DataFrame")
        return _dumped(value)

    def load(self, data: Buffer) -> pl.DataFrame:
        return _loaded(data, self.format, self.trusted)


class PolarsSeries(Materializer["pl.Series"]):
    """A `polars.Series`: a frame of one column."""

    format: ClassVar[str] = "polars-series-arrow/1"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pl.Series) -> Sequence[Buffer]:
        import polars as pl  # optional: here because the value is polars'

        if type(value) is not pl.Series:
            raise NotThisFormat(f"{type(value).__qualname__} would come back as a Series")
        return _dumped(value.to_frame())

    def load(self, data: Buffer) -> pl.Series:
        frame = _loaded(data, self.format, self.trusted)
        if frame.width != 1:
            raise CorruptArtifact(f"The bytes are not a value of format {self.format!r}.")
        return frame.to_series()


def _dumped(frame: pl.DataFrame) -> Sequence[Buffer]:
    try:
        import pyarrow  # noqa: F401  # optional: polars works without it
    except ImportError:
        raise NotThisFormat("pyarrow is not installed") from None

    pieces = _tried(frame)
    sample = frame.head(2)
    try:
        back = _loaded(b"".join(_tried(sample)), PolarsFrame.format, trusted=True)
    except CorruptArtifact as error:
        raise NotThisFormat(str(error)) from None
    if back.schema != sample.schema or not back.equals(sample) or not frame.width == back.width:
        raise NotThisFormat("the schema would come back as another one")
    return pieces


def _tried(frame: pl.DataFrame) -> Sequence[Buffer]:
    import polars as pl  # optional: here because the value is polars'

    # A panic is not an Exception: what Arrow cannot hold may end in one.
    try:
        return arrow.dumped(frame.to_arrow())
    except (ValueError, TypeError, NotImplementedError, pl.exceptions.PolarsError) as error:
        raise NotThisFormat(str(error)) from None
    except pl.exceptions.PanicException as error:
        raise NotThisFormat(str(error)) from None


def _loaded(data: Buffer, format: str, trusted: bool) -> pl.DataFrame:
    import polars as pl  # optional: the registry has made sure of it

    table: Any = arrow.loaded(data, format, trusted)
    with reading(format):
        try:
            frame = pl.from_arrow(table, rechunk=False)
        except pl.exceptions.PanicException as error:  # not an Exception
            raise ValueError(str(error)) from error
        if not isinstance(frame, pl.DataFrame):
            raise TypeError("it is not a frame")
        return frame
