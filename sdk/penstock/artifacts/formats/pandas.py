"""pandas frames and series as Arrow IPC files, made of their own memory.

Only what is sure to come back as it was: column by column, and what would come back of the first
rows is compared. Everything else is left to pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from penstock.artifacts.formats import arrow
from penstock.artifacts.formats.data import private, reading
from penstock.artifacts.formats.frames import labels
from penstock.artifacts.formats.frames.alike import alike
from penstock.artifacts.formats.frames.assembled import assembled
from penstock.artifacts.formats.frames.batch import Unbatched, batched, sampled, unbatched
from penstock.artifacts.formats.frames.views import Views
from penstock.artifacts.materializer import Materializer, NotThisFormat
from penstock.artifacts.store import Buffer
from penstock.errors import PenstockError
from penstock.model.plain import NotPlain, encode

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

VALUES: Final = "values"
"""The column of a series in the file; its own name can be anything."""

SAMPLE: Final = 2
"""Rows that are tried before a frame is stored: types and labels show in them."""

T = TypeVar("T")


class PandasFrame(Materializer["pd.DataFrame"]):
    """A `pandas.DataFrame`. What comes back are views of the data, and may be written to."""

    format: ClassVar[str] = "pandas-arrow/2"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.DataFrame) -> Sequence[Buffer]:
        import pandas as pd  # optional: here because the value is pandas'

        _check(value, pd.DataFrame)
        columns = [column for _, column in value.items()]
        notes = {"labels": labels.noted(value.columns), "attrs": value.attrs}
        batch = batched(columns, value.index, value.columns, notes)
        _compare(batch, value.iloc[:SAMPLE], _frame)
        return arrow.dumped(batch)

    def load(self, data: Buffer) -> pd.DataFrame:
        return _loaded(data, self, _frame)


class PandasSeries(Materializer["pd.Series[Any]"]):
    """A `pandas.Series`: a frame of one column."""

    format: ClassVar[str] = "pandas-series-arrow/2"
    suffix: ClassVar[str] = ".arrow"

    def dump(self, value: pd.Series[Any]) -> Sequence[Buffer]:
        import pandas as pd  # optional: here because the value is pandas'

        _check(value, pd.Series)
        notes = {"name": value.name, "attrs": value.attrs}
        batch = batched([value], value.index, pd.Index([VALUES]), notes)
        _compare(batch, value.iloc[:SAMPLE], _series)
        return arrow.dumped(batch)

    def load(self, data: Buffer) -> pd.Series[Any]:
        return _loaded(data, self, _series)


def _check(value: Any, kind: type[Any]) -> None:
    if type(value) is not kind:
        raise NotThisFormat(f"{type(value).__qualname__} would come back as a {kind.__name__}")
    if not value.flags.allows_duplicate_labels:
        raise NotThisFormat("it has flags")
    try:
        encode(value.attrs)  # pandas copies them deeply with each column, which may fail
    except NotPlain as error:
        raise NotThisFormat(str(error)) from None
    try:
        import pyarrow  # noqa: F401  # optional: pandas works without it
    except ImportError:
        raise NotThisFormat("pyarrow is not installed") from None


def _compare(batch: pa.RecordBatch, sample: Any, make: Callable[[Unbatched, Views], Any]) -> None:
    """Raise `NotThisFormat` if the first rows would come back as something else."""
    nowhere = Views(memoryview(b""), trusted=True)
    try:
        with reading(PandasFrame.format):
            back = make(sampled(batch, sample.index, nowhere), nowhere)
    except PenstockError as error:
        raise NotThisFormat(str(error)) from None
    if not alike(sample, back):
        raise NotThisFormat("it would come back with other types or labels")


def _loaded(data: Buffer, format: Materializer[T], make: Callable[[Unbatched, Views], T]) -> T:
    views = Views(private(data), format.trusted)
    with reading(format.format):
        return make(unbatched(arrow.only_batch(views.data, format.trusted), views), views)


def _frame(found: Unbatched, views: Views) -> pd.DataFrame:
    columns = labels.known(found.notes["labels"])
    frame = assembled(found.columns, found.rows, columns, views)
    frame.attrs = found.notes["attrs"]
    return frame


def _series(found: Unbatched, views: Views) -> pd.Series[Any]:
    import pandas as pd  # optional: the registry has made sure of it

    (values,) = found.columns
    series: pd.Series[Any] = pd.Series(values, found.rows, values.dtype, copy=False)
    series.name = found.notes["name"]
    series.attrs = found.notes["attrs"]
    return series
